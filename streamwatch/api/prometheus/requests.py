"""The metrics of HTTP requests, counted in the process that answers them."""

import os
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from streamwatch.server.metrics_directory import VARIABLE

_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

_PROCESS_REGISTRY = CollectorRegistry()

_REQUESTS = Counter(
    "streamwatch_http_requests",
    "Requests that were answered.",
    ["method", "route", "status"],
    registry=_PROCESS_REGISTRY,
)
_SECONDS = Histogram(
    "streamwatch_http_request_duration_seconds",
    "Time until the answer was ready.",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10),
    registry=_PROCESS_REGISTRY,
)


def count_request(method: str, route: str | None, status: int, seconds: float) -> None:
    """Count a response. `route` is the URL rule that matched, if any: no path or method that a
    client invents becomes a label."""
    answered, took = _labelled(method if method in _METHODS else "other", route or "none", status)
    answered.inc()
    took.observe(seconds)


@cache
def _labelled(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    """The metrics with these labels. Cached: `labels` takes a lock and converts each label."""
    return _REQUESTS.labels(method, route, str(status)), _SECONDS.labels(route)


def requests() -> Collector:
    """The counts of all processes of this gunicorn; without gunicorn, of this process."""
    if VARIABLE not in os.environ:
        return _PROCESS_REGISTRY
    combined = CollectorRegistry()
    MultiProcessCollector(combined)  # type: ignore[no-untyped-call]
    return combined
