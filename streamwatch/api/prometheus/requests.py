"""Requests, counted in the process that answers them."""

import os
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from streamwatch.server.metrics_directory import VARIABLE

_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

_OWN = CollectorRegistry()

_REQUESTS = Counter(
    "streamwatch_http_requests",
    "Requests that were answered.",
    ["method", "route", "status"],
    registry=_OWN,
)
_SECONDS = Histogram(
    "streamwatch_http_request_duration_seconds",
    "Time until the answer was ready.",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10),
    registry=_OWN,
)


def count_request(method: str, route: str | None, status: int, seconds: float) -> None:
    """Count one answer. `route` is the rule that matched, None where none did: nothing that a
    client makes up becomes a label."""
    answered, took = _labelled(method if method in _METHODS else "other", route or "none", status)
    answered.inc()
    took.observe(seconds)


@cache
def _labelled(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    """prometheus_client finds them again by a lock and some conversions; this by a look."""
    return _REQUESTS.labels(method, route, str(status)), _SECONDS.labels(route)


def requests() -> Collector:
    """What all processes of this gunicorn have counted; of this process alone where there is no
    gunicorn."""
    if VARIABLE not in os.environ:
        return _OWN
    together = CollectorRegistry()
    MultiProcessCollector(together)  # type: ignore[no-untyped-call]
    return together
