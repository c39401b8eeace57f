"""Whether the service can do its work."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from streamwatch.analytics.base import AnalyticsStore, AnalyticsUnavailable
from streamwatch.storage.base import Storage, StorageUnavailable

HEALTHY, DEGRADED, UNHEALTHY = "healthy", "degraded", "unhealthy"
CONNECTED, DISCONNECTED = "connected", "disconnected"
RUNNING, STALE, UNKNOWN = "running", "stale", "unknown"

WORKER_STALE_AFTER = timedelta(seconds=30)
"""The worker's heart beats every few seconds."""


@dataclass(frozen=True, slots=True)
class Health:
    """HEALTHY, DEGRADED or UNHEALTHY, and why."""

    status: str
    storage: str
    analytics: str
    worker: str


class HealthCheck:
    """Asks the storage, the analytics and, by its heartbeat, the worker."""

    def __init__(
        self, storage: Storage, analytics: AnalyticsStore, clock: Callable[[], datetime]
    ) -> None:
        self._storage = storage
        self._analytics = analytics
        self._clock = clock

    def check(self) -> Health:
        """How things stand; in a few seconds even when a database does not answer."""
        analytics = self._analytics_state()
        try:
            self._storage.ping()
            worker = self._worker()
        except StorageUnavailable:
            return Health(UNHEALTHY, DISCONNECTED, analytics, UNKNOWN)
        well = analytics == CONNECTED and worker != STALE
        return Health(HEALTHY if well else DEGRADED, CONNECTED, analytics, worker)

    def _analytics_state(self) -> str:
        try:
            self._analytics.ping()
        except AnalyticsUnavailable:
            return DISCONNECTED
        return CONNECTED

    def _worker(self) -> str:
        beat = self._storage.coordination.last_heartbeat()
        if beat is None:
            return UNKNOWN
        return RUNNING if self._clock() - beat < WORKER_STALE_AFTER else STALE
