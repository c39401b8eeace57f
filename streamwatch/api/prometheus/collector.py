"""Metrics of all processes together, read from the storage when Prometheus scrapes."""

import logging
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.registry import Collector

from streamwatch import __version__
from streamwatch.services.monitoring.health import CONNECTED, HealthCheck
from streamwatch.services.monitoring.metrics import MetricsReader, ServiceMetrics
from streamwatch.services.monitoring.notification_metrics import NotificationMetrics
from streamwatch.storage.base import StorageUnavailable

log = logging.getLogger(__name__)

Sample = tuple[tuple[str, ...], float | None]
"""The values of the labels and of the metric, which is None where it is not known."""


class StorageMetricsCollector(Collector):
    """The metrics under their Prometheus names. While the storage is down, only `build_info`,
    `storage_up` and `analytics_up` are reported."""

    def __init__(
        self, reader: MetricsReader, health: HealthCheck, outcomes: Collection[str]
    ) -> None:
        """Counters of message `outcomes` start at 0, so that the first message is an increase."""
        self._reader = reader
        self._outcomes = outcomes
        self._health = health

    def collect(self) -> Iterator[Metric]:
        found = self._gather()
        analytics = self._health.check().analytics
        yield _gauge("build_info", "The version that runs.", ["version"], [((__version__,), 1)])
        yield _value("storage_up", "Whether the storage answers.", found is not None)
        yield _value("analytics_up", "Whether the analytics answer.", analytics == CONNECTED)
        if found is not None:
            yield from _streamers(found, self._outcomes)
            yield from _feed(found)
            yield from _worker(found)
            yield from _twitch(found)
            yield from _notifications(found.notifications)

    def _gather(self) -> ServiceMetrics | None:
        try:
            return self._reader.gather()
        except StorageUnavailable as error:
            log.warning("The metrics are incomplete: %s", error)
            return None


def _streamers(found: ServiceMetrics, outcomes: Collection[str]) -> Iterator[Metric]:
    yield _value("monitored_streamers", "Streamers who are monitored.", found.monitored)
    yield _value("live_streamers", "Streamers who are live.", found.live)
    yield _gauge(
        "stream_viewers",
        "Viewers of the most viewed live streams.",
        ["login"],
        [((login,), viewers) for login, viewers in found.viewers.items()],
    )
    yield _time(
        "last_event_timestamp_seconds", "Timestamp of the newest event.", found.last_event_at
    )
    messages = dict.fromkeys(outcomes, 0) | found.messages
    yield _counter(
        "webhook_messages",
        "Messages from Twitch by outcome.",
        ["outcome"],
        [((outcome,), number) for outcome, number in messages.items()],
    )


def _feed(found: ServiceMetrics) -> Iterator[Metric]:
    yield _value("feed_entries", "Entries in the feed.", found.feed_length)
    for state, meaning in {
        "lag": "Entries that the reader has not read yet.",
        "pending": "Entries that the reader has read and not acknowledged.",
        "set_aside": "Entries that the reader could not process.",
    }.items():
        samples: list[Sample] = [
            ((reader.name,), getattr(reader, state)) for reader in found.readers
        ]
        yield _gauge(f"feed_reader_{state}_entries", meaning, ["reader"], samples)


def _worker(found: ServiceMetrics) -> Iterator[Metric]:
    yield _value("leader_present", "Whether a worker leads and runs the jobs.", found.has_leader)
    yield _time(
        "worker_heartbeat_timestamp_seconds", "Last heartbeat of a worker.", found.last_heartbeat
    )
    seconds = SummaryMetricFamily(
        "streamwatch_job_duration_seconds", "Runs of the worker's jobs.", labels=["job_name"]
    )
    for name, job in found.jobs.items():
        seconds.add_metric([name], count_value=job.runs, sum_value=job.seconds)
    yield seconds
    jobs = found.jobs.items()
    yield _counter(
        "job_failures",
        "Runs that failed.",
        ["job_name"],
        [((name,), job.failures) for name, job in jobs],
    )
    yield _gauge(
        "job_last_run_timestamp_seconds",
        "Start of the last run.",
        ["job_name"],
        [((name,), _seconds(job.last_at)) for name, job in jobs],
    )
    yield _gauge(
        "job_failing",
        "Whether the last run failed.",
        ["job_name"],
        [((name,), job.is_failing) for name, job in jobs],
    )


def _twitch(found: ServiceMetrics) -> Iterator[Metric]:
    yield _counter(
        "helix_requests",
        "Requests to Twitch; status 0 if no response arrived.",
        ["method", "path", "status"],
        found.helix_requests.items(),
    )
    rate_limit = found.rate_limit
    yield _value(
        "helix_rate_limit_points",
        "Size of Helix's rate limit.",
        rate_limit.limit if rate_limit else None,
    )
    yield _value(
        "helix_rate_limit_remaining_points",
        "Points left, as of the worker's last call.",
        rate_limit.remaining if rate_limit else None,
    )
    yield _value("subscriptions_wanted", "Subscriptions that should exist.", found.required)
    yield _value(
        "subscriptions_missing",
        "Subscriptions that are missing or cannot be verified by Twitch.",
        found.missing,
    )
    listed = found.subscriptions
    yield _gauge(
        "subscriptions",
        "Subscriptions on our callback or conduit by status, as of the last reconciliation.",
        ["status"],
        [((status,), number) for status, number in (listed.statuses if listed else {}).items()],
    )
    cost, limit = (listed.cost, listed.max_cost) if listed else (None, None)
    yield _value("subscription_cost", "Cost that is used, of Twitch's limit.", cost)
    yield _value("subscription_cost_limit", "Cost that Twitch allows.", limit)
    yield _value(
        "subscriptions_without_room",
        "Optional subscriptions to channel.update that the cost limit leaves no room for.",
        listed.updates_without_room if listed else None,
    )
    yield from _eventsub(found)


def _eventsub(found: ServiceMetrics) -> Iterator[Metric]:
    """The WebSocket, if events arrive through a conduit."""
    state = found.eventsub
    last = state.last_message_at if state else 0.0
    yield _value(
        "eventsub_connected",
        "Whether EventSub's WebSocket is attached to the conduit.",
        state.is_connected if state else None,
    )
    yield _value(
        "eventsub_reconnects",
        "Connections after the first, since the leading worker started.",
        state.reconnects if state else None,
    )
    yield _value(
        "eventsub_seconds_since_last_message",
        "Seconds since the last message of the WebSocket, keepalives included.",
        max(0.0, found.now.timestamp() - last) if last else None,
    )


def _notifications(found: NotificationMetrics) -> Iterator[Metric]:
    yield _counter(
        "notification_deliveries",
        "Finished deliveries of notifications.",
        ["kind", "outcome"],
        found.deliveries.items(),
    )
    yield _value("notification_queue_entries", "Deliveries that are pending.", found.pending)
    yield _value(
        "notification_oldest_seconds",
        "Seconds since the oldest pending delivery was made.",
        found.oldest_seconds,
    )


def _value(name: str, meaning: str, value: float | None) -> Metric:
    return _gauge(name, meaning, [], [((), value)])


def _time(name: str, meaning: str, value: datetime | None) -> Metric:
    return _value(name, meaning, _seconds(value))


def _seconds(value: datetime | None) -> float | None:
    return value.timestamp() if value else None


def _gauge(name: str, meaning: str, labels: list[str], samples: Iterable[Sample]) -> Metric:
    return _filled(GaugeMetricFamily(f"streamwatch_{name}", meaning, labels=labels), samples)


def _counter(name: str, meaning: str, labels: list[str], samples: Iterable[Sample]) -> Metric:
    return _filled(CounterMetricFamily(f"streamwatch_{name}", meaning, labels=labels), samples)


def _filled(family: GaugeMetricFamily | CounterMetricFamily, samples: Iterable[Sample]) -> Metric:
    for labels, value in samples:
        if value is not None:
            family.add_metric(list(labels), value)
    return family
