"""The health of the service: storage, analytics, worker, EventSub and Twitch."""

from dataclasses import dataclass

from streamwatch.analytics.base import AnalyticsStore, AnalyticsUnavailable
from streamwatch.services.monitoring.published_metrics import subscription_metrics
from streamwatch.services.monitoring.twitch_state import TwitchState, twitch_state
from streamwatch.services.subscriptions.eventsub_state import eventsub_state
from streamwatch.services.subscriptions.transport import Method
from streamwatch.storage.base import Storage, StorageUnavailable

HEALTHY, DEGRADED, UNHEALTHY = "healthy", "degraded", "unhealthy"
CONNECTED, DISCONNECTED, OFF = "connected", "disconnected", "off"
RUNNING, STALE, UNKNOWN = "running", "stale", "unknown"


@dataclass(frozen=True, slots=True)
class Health:
    """`status` is HEALTHY, DEGRADED or UNHEALTHY, derived from the other fields."""

    status: str
    storage: str
    analytics: str
    worker: str
    eventsub: str
    twitch: str


class HealthCheck:
    """Checks the storage and the analytics, and reads what the other processes published: the
    worker's heartbeat, EventSub's connection, and how Twitch responded last."""

    def __init__(
        self,
        storage: Storage,
        analytics: AnalyticsStore,
        *,
        method: Method = Method.NONE,
        has_credentials: bool = False,
    ) -> None:
        """`method` is how events arrive; `has_credentials` tells whether Twitch can be called."""
        self._storage = storage
        self._analytics = analytics
        self._method = method
        self._has_credentials = has_credentials

    def check(self) -> Health:
        """Check the health. Takes a few seconds at most, even if a database does not answer."""
        analytics = self._analytics_state()
        try:
            self._storage.ping()
            worker = self._worker_state()
            eventsub = self._eventsub_state()
            twitch = twitch_state(self._storage.coordination, is_configured=self._has_credentials)
        except StorageUnavailable:
            eventsub = OFF if self._method is Method.NONE else DISCONNECTED
            twitch = TwitchState.OK if self._has_credentials else TwitchState.NOT_CONFIGURED
            return Health(UNHEALTHY, DISCONNECTED, analytics, UNKNOWN, eventsub, twitch)
        is_healthy = (
            analytics == CONNECTED
            and worker != STALE
            and eventsub != DISCONNECTED
            and twitch != TwitchState.REFUSED
        )
        status = HEALTHY if is_healthy else DEGRADED
        return Health(status, CONNECTED, analytics, worker, eventsub, twitch)

    def _eventsub_state(self) -> str:
        coordination = self._storage.coordination
        match self._method:
            case Method.NONE:
                return OFF
            case Method.CONDUIT:
                return CONNECTED if eventsub_state(coordination).is_connected else DISCONNECTED
            case Method.WEBHOOK:
                metrics = subscription_metrics(coordination)
                return DISCONNECTED if metrics is not None and metrics.has_faults else CONNECTED

    def _analytics_state(self) -> str:
        try:
            self._analytics.ping()
        except AnalyticsUnavailable:
            return DISCONNECTED
        return CONNECTED

    def _worker_state(self) -> str:
        coordination = self._storage.coordination
        if coordination.is_worker_alive():
            return RUNNING
        return UNKNOWN if coordination.last_heartbeat() is None else STALE
