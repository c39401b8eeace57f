"""Metrics for Prometheus."""

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

blueprint = Blueprint("metrics", __name__, description="Metrics for Prometheus.")


@blueprint.get("/metrics")
@blueprint.response(200, {"type": "string"}, content_type=CONTENT_TYPE_PLAIN_0_0_4)
def metrics() -> Response:
    """Show the metrics in Prometheus' text format

    Shows the metrics of all processes together, including the worker. While the storage is down,
    only the metrics of requests, `streamwatch_storage_up`, `streamwatch_analytics_up` and
    `streamwatch_build_info` are present.
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
