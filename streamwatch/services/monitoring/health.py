"""The health of the service: storage, analytics, worker."""

from dataclasses import dataclass

from streamwatch.analytics.base import AnalyticsStore, AnalyticsUnavailable
from streamwatch.storage.base import Storage, StorageUnavailable

HEALTHY, DEGRADED, UNHEALTHY = "healthy", "degraded", "unhealthy"
CONNECTED, DISCONNECTED = "connected", "disconnected"
RUNNING, STALE, UNKNOWN = "running", "stale", "unknown"


@dataclass(frozen=True, slots=True)
class Health:
    """HEALTHY, DEGRADED or UNHEALTHY, and the states that this follows from."""

    status: str
    storage: str
    analytics: str
    worker: str


class HealthCheck:
    """Checks the storage, the analytics and the worker's heartbeat."""

    def __init__(self, storage: Storage, analytics: AnalyticsStore) -> None:
        self._storage = storage
        self._analytics = analytics

    def check(self) -> Health:
        """The health now. Takes a few seconds at most, also if a database does not answer."""
        analytics = self._analytics_state()
        try:
            self._storage.ping()
            worker = self._worker_state()
        except StorageUnavailable:
            return Health(UNHEALTHY, DISCONNECTED, analytics, UNKNOWN)
        is_healthy = analytics == CONNECTED and worker != STALE
        return Health(HEALTHY if is_healthy else DEGRADED, CONNECTED, analytics, worker)

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
