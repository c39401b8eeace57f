"""What Prometheus reads."""

from collections.abc import Iterable

from flask import Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from streamwatch.api.blueprint import Blueprint
from streamwatch.api.context import services
from streamwatch.api.prometheus import requests as request_metrics
from streamwatch.api.prometheus.collector import StorageMetricsCollector
from streamwatch.api.webhooks import OUTCOMES

blueprint = Blueprint("metrics", __name__, description="For Prometheus.")


@blueprint.get("/metrics")
@blueprint.response(200, {"type": "string"}, content_type=CONTENT_TYPE_PLAIN_0_0_4)
def metrics() -> Response:
    """The metrics in Prometheus' text format

    Of all processes together, the worker's included. While the storage is down they say so, and
    have what the web processes know.
    """
    shared = StorageMetricsCollector(services().metrics, services().health, OUTCOMES)
    return Response(
        _exposition([request_metrics.requests(), shared]), content_type=CONTENT_TYPE_PLAIN_0_0_4
    )


def _exposition(collectors: Iterable[Collector]) -> bytes:
    registry = CollectorRegistry()
    for collector in collectors:
        registry.register(collector)
    return generate_latest(registry)
