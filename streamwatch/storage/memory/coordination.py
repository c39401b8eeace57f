"""Coordination in the memory of one process."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import RLock
from uuid import uuid4

from streamwatch.domain.models import AppToken
from streamwatch.domain.times import utc_now
from streamwatch.storage.base import (
    HEARTBEAT_SECONDS,
    ChangeListener,
    Coordination,
    JobRun,
    Lease,
    WindowCount,
)
from streamwatch.storage.memory.expiring import Expiring

_WORKER = "worker"
"""The key of the heartbeat in `_alive`."""

_APP_TOKEN = "app"  # noqa: S105  the key of the token in `_tokens`


@dataclass(slots=True)
class _Window:
    ends_at: float
    count: int = 0


class _Listener(ChangeListener):
    def __init__(
        self, on_change: Callable[[str | None], None], listeners: "list[_Listener]"
    ) -> None:
        self.on_change = on_change
        self._listeners = listeners

    @property
    def is_connected(self) -> bool:
        return self in self._listeners

    def close(self) -> None:
        if self in self._listeners:
            self._listeners.remove(self)


class MemoryCoordination(Coordination):
    def __init__(self, lock: RLock, clock: Callable[[], float]) -> None:
        self._lock = lock
        self._leases: Expiring[Lease] = Expiring(clock)
        self._fences: Counter[str] = Counter()
        self._job_runs: dict[str, JobRun] = {}
        self._job_requests: dict[str, str] = {}
        self._heartbeat: datetime | None = None
        self._alive: Expiring[None] = Expiring(clock)
        self._counts: Counter[str] = Counter()
        self._published: Expiring[dict[str, float]] = Expiring(clock)
        self._clock = clock
        self._windows: Expiring[_Window] = Expiring(clock)
        self._tokens: Expiring[AppToken] = Expiring(clock)
        self._listeners: list[_Listener] = []
        self._conduit_id: str | None = None
        self._webhook_callbacks: set[str] = set()

    def acquire_lease(self, name: str, holder: str, seconds: float) -> Lease | None:
        with self._lock:
            held = self._leases.get(name)
            if held and held.holder != holder:
                return None
            self._fences[name] += 1
            lease = Lease(name, holder, self._fences[name])
            self._leases.put(name, lease, seconds)
            return lease

    def renew_lease(self, lease: Lease, seconds: float) -> bool:
        with self._lock:
            if self._leases.get(lease.name) != lease:
                return False
            self._leases.put(lease.name, lease, seconds)
            return True

    def release_lease(self, lease: Lease) -> None:
        with self._lock:
            if self._leases.get(lease.name) == lease:
                self._leases.drop(lease.name)

    def lease(self, name: str) -> Lease | None:
        with self._lock:
            return self._leases.get(name)

    def record_job(self, run: JobRun) -> None:
        with self._lock:
            self._job_runs[run.name] = run

    def job_runs(self) -> dict[str, JobRun]:
        with self._lock:
            return dict(self._job_runs)

    def request_job(self, name: str) -> None:
        with self._lock:
            self._job_requests[name] = uuid4().hex

    def job_requests(self) -> dict[str, str]:
        with self._lock:
            return dict(self._job_requests)

    def complete_job_request(self, name: str, request_id: str) -> None:
        with self._lock:
            if self._job_requests.get(name) == request_id:
                del self._job_requests[name]

    def heartbeat(self, at: datetime, seconds: float = HEARTBEAT_SECONDS) -> None:
        with self._lock:
            self._heartbeat = at
            self._alive.put(_WORKER, None, seconds)

    def is_worker_alive(self) -> bool:
        with self._lock:
            return _WORKER in self._alive

    def last_heartbeat(self) -> datetime | None:
        with self._lock:
            return self._heartbeat

    def add_counts(self, counts: Mapping[str, int]) -> None:
        with self._lock:
            self._counts.update(counts)

    def counts(self) -> dict[str, int]:
        with self._lock:
            return dict(self._counts)

    def publish_metrics(self, name: str, values: Mapping[str, float], seconds: float) -> None:
        with self._lock:
            self._published.put(name, dict(values), seconds)

    def published_metrics(self, name: str) -> dict[str, float]:
        with self._lock:
            return dict(self._published.get(name) or {})

    def publish_change(self, topic: str) -> None:
        self.notify([topic])

    def notify(self, topics: Iterable[str]) -> None:
        """Call the listeners. The caller must not hold the lock: listeners may take their own."""
        with self._lock:
            listeners = list(self._listeners)
        for topic in dict.fromkeys(topics):
            for listener in listeners:
                listener.on_change(topic)

    def listen_for_changes(self, on_change: Callable[[str | None], None]) -> ChangeListener:
        listener = _Listener(on_change, self._listeners)
        with self._lock:
            self._listeners.append(listener)
        return listener

    def increment_window(self, name: str, seconds: float, times: int = 1) -> WindowCount:
        with self._lock:
            window = self._windows.get(name)
            if window is None:
                window = _Window(self._clock() + seconds)
                self._windows.put(name, window, seconds)
            window.count += times
            return WindowCount(window.count, window.ends_at - self._clock())

    def app_token(self) -> AppToken | None:
        with self._lock:
            return self._tokens.get(_APP_TOKEN)

    def save_app_token(self, token: AppToken) -> None:
        with self._lock:
            seconds = (token.expires_at - utc_now()).total_seconds()
            self._tokens.put(_APP_TOKEN, token, seconds)

    def conduit_id(self) -> str | None:
        with self._lock:
            return self._conduit_id

    def save_conduit_id(self, conduit_id: str | None) -> None:
        with self._lock:
            self._conduit_id = conduit_id

    def webhook_callbacks(self) -> set[str]:
        with self._lock:
            return set(self._webhook_callbacks)

    def save_webhook_callbacks(self, callbacks: Collection[str]) -> None:
        with self._lock:
            self._webhook_callbacks = set(callbacks)
