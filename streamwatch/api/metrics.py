"""What Prometheus reads, and the counting of requests."""

import time
from collections.abc import Iterable

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from streamwatch.api.blueprint import Blueprint
from streamwatch.api.context import services
from streamwatch.api.webhooks import OUTCOMES
from streamwatch.metrics import web
from streamwatch.metrics.shared import SharedMetrics

blueprint = Blueprint("metrics", __name__, description="For Prometheus.")


def register(app: Flask) -> None:
    """Count the requests of `app`: register it first, so that those which others refuse count."""
    app.before_request(_start)
    app.after_request(_count)


@blueprint.get("/metrics")
@blueprint.response(200, {"type": "string"}, content_type=CONTENT_TYPE_PLAIN_0_0_4)
def metrics() -> Response:
    """The metrics in Prometheus' text format

    Of all processes together, the worker's included. While the storage is down they say so, and
    have what the web processes know.
    """
    shared = SharedMetrics(services().figures, services().health, OUTCOMES)
    return Response(_exposition([web.requests(), shared]), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _exposition(collectors: Iterable[Collector]) -> bytes:
    registry = CollectorRegistry()
    for collector in collectors:
        registry.register(collector)
    return generate_latest(registry)


def _start() -> None:
    g.started_at = time.perf_counter()


def _count(response: Response) -> Response:
    rule = request.url_rule.rule if request.url_rule else None
    seconds = time.perf_counter() - g.started_at
    web.count_request(request.method, rule, response.status_code, seconds)
    return response
