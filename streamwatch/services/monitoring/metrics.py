"""The metrics of all processes, read from the storage."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from streamwatch.domain.models import StreamStatus
from streamwatch.domain.subscriptions import required_subscriptions
from streamwatch.services.locks import LEADER_LEASE
from streamwatch.services.monitoring.counters import HELIX, JOBS, MESSAGES, of_kind
from streamwatch.services.monitoring.notification_metrics import (
    NotificationMetrics,
    notification_metrics,
)
from streamwatch.services.monitoring.published_metrics import (
    SubscriptionMetrics,
    published_rate_limit,
    subscription_metrics,
)
from streamwatch.services.subscriptions.eventsub_state import EventSubState, eventsub_state
from streamwatch.services.subscriptions.transport import Method
from streamwatch.storage.base import JobRun, ReaderState, Storage
from streamwatch.twitch.base import RateLimitState

MAX_VIEWER_METRICS = 100
"""How many streams have a metric of their viewers: those with the most viewers."""


@dataclass(frozen=True, slots=True)
class JobMetrics:
    """Totals over all runs of a job (`seconds` is their duration), and its last run."""

    runs: int
    failures: int
    seconds: float
    last_at: datetime
    is_failing: bool


@dataclass(frozen=True, slots=True)
class ServiceMetrics:
    """The metrics. `missing` of the `required` subscriptions do not exist. `viewers` are by login,
    `messages` by outcome, and `helix_requests` by method, path and status."""

    monitored: int
    live: int
    viewers: dict[str, int]
    last_event_at: datetime | None
    messages: dict[str, int]
    feed_length: int
    readers: list[ReaderState]
    has_leader: bool
    last_heartbeat: datetime | None
    jobs: dict[str, JobMetrics]
    helix_requests: dict[tuple[str, ...], int]
    rate_limit: RateLimitState | None
    required: int
    missing: int
    subscriptions: SubscriptionMetrics | None
    eventsub: EventSubState | None
    notifications: NotificationMetrics
    now: datetime


class MetricsReader:
    """Reads the metrics, without calls to Twitch. `method` is how events arrive."""

    def __init__(self, storage: Storage, clock: Callable[[], datetime], *, method: Method) -> None:
        self._storage = storage
        self._clock = clock
        self._subscribes = method is not Method.NONE
        self._is_conduit = method is Method.CONDUIT

    def gather(self) -> ServiceMetrics:
        """Read the metrics now."""
        feed, coordination = self._storage.feed, self._storage.coordination
        streamers, live = self._storage.streamers(), self._storage.live()
        newest = self._storage.events(1)
        counts = coordination.counts()
        existing = sum(
            bool(streamer.online_subscription_id) + bool(streamer.offline_subscription_id)
            for streamer in streamers
        )
        required = (
            sum(len(required_subscriptions(streamer)) for streamer in streamers)
            if self._subscribes
            else 0
        )
        subscriptions = subscription_metrics(coordination)
        # Until Twitch has verified a new WEBHOOK_URL, the records name the subscriptions at the
        # former one, so the last reconciliation may have counted more.
        not_active = subscriptions.missing if subscriptions else 0
        return ServiceMetrics(
            monitored=len(streamers),
            live=len(live),
            viewers=dict(islice(_viewers(live), MAX_VIEWER_METRICS)),
            last_event_at=newest[0].timestamp if newest else None,
            messages=of_kind(MESSAGES, counts),
            feed_length=feed.length(),
            readers=feed.readers(),
            has_leader=coordination.lease(LEADER_LEASE) is not None,
            last_heartbeat=coordination.last_heartbeat(),
            jobs=_jobs(of_kind(JOBS, counts), coordination.job_runs()),
            helix_requests={
                tuple(name.split(" ")): number for name, number in of_kind(HELIX, counts).items()
            },
            rate_limit=published_rate_limit(coordination, self._clock()),
            required=required,
            missing=min(required, max(0, required - existing, not_active)),
            subscriptions=subscriptions,
            eventsub=eventsub_state(coordination) if self._is_conduit else None,
            notifications=notification_metrics(self._storage.notifications, counts, self._clock()),
            now=self._clock(),
        )


def helix_counter_name(method: str, path: str, status: int) -> str:
    """The name of the counter of a kind of request to Twitch."""
    return f"{method} {path} {status}"


def job_counts(run: JobRun) -> dict[str, int]:
    """The increments of the job counters for one run."""
    return {
        f"{run.name} runs": 1,
        f"{run.name} failures": int(run.error is not None),
        f"{run.name} milliseconds": round(run.seconds * 1000),
    }


def _viewers(live: Iterable[StreamStatus]) -> Iterable[tuple[str, int]]:
    for status in live:
        if status.stream is not None and status.stream.viewer_count is not None:
            yield status.login, status.stream.viewer_count


def _jobs(counts: dict[str, int], runs: dict[str, JobRun]) -> dict[str, JobMetrics]:
    return {
        name: JobMetrics(
            runs=counts.get(f"{name} runs", 0),
            failures=counts.get(f"{name} failures", 0),
            seconds=counts.get(f"{name} milliseconds", 0) / 1000,
            last_at=last.started_at,
            is_failing=last.error is not None,
        )
        for name, last in runs.items()
    }
