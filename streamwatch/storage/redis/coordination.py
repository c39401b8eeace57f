"""Coordination of the processes in Redis."""

import logging
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from uuid import uuid4

from streamwatch.domain.models import AppToken
from streamwatch.domain.times import format_time
from streamwatch.storage.base import (
    HEARTBEAT_SECONDS,
    ChangeListener,
    Coordination,
    JobRun,
    Lease,
    UnreadableRecord,
    WindowCount,
)
from streamwatch.storage.redis import codec, keys
from streamwatch.storage.redis.changes import ChangeChannel
from streamwatch.storage.redis.connection import Connection, load_script

log = logging.getLogger(__name__)


class RedisCoordination(Coordination):
    def __init__(self, connection: Connection, changes: ChangeChannel) -> None:
        self._redis = connection
        self._changes = changes
        self._acquire = load_script("acquire_lease")
        self._extend = load_script("extend_lease")
        self._complete_job_request = load_script("complete_job_request")
        self._increment_window = load_script("increment_window")

    def acquire_lease(self, name: str, holder: str, seconds: float) -> Lease | None:
        lease_keys = [keys.lease(name), keys.fence(name)]
        fence = self._redis.run(self._acquire, lease_keys, [holder, codec.milliseconds(seconds)])
        return None if fence is None else Lease(name, holder, fence)

    def renew_lease(self, lease: Lease, seconds: float) -> bool:
        return self._set_expiry(lease, codec.milliseconds(seconds))

    def release_lease(self, lease: Lease) -> None:
        self._set_expiry(lease, 0)

    def _set_expiry(self, lease: Lease, milliseconds: int) -> bool:
        arguments = [codec.lease_value(lease), milliseconds]
        return bool(self._redis.run(self._extend, [keys.lease(lease.name)], arguments))

    def lease(self, name: str) -> Lease | None:
        stored = self._redis.call("GET", keys.lease(name))
        return codec.read_lease(name, stored) if stored else None

    def record_job(self, run: JobRun) -> None:
        self._redis.call("HSET", keys.JOBS, run.name, codec.job_value(run))

    def job_runs(self) -> dict[str, JobRun]:
        stored: dict[bytes, bytes] = self._redis.call("HGETALL", keys.JOBS)
        runs = {}
        for name, value in stored.items():
            try:
                run = codec.read_job(name, value)
            except UnreadableRecord as error:  # the next run of the job replaces it
                log.warning("The last run of job %s is left out: %s", name.decode(), error)
            else:
                runs[run.name] = run
        return runs

    def request_job(self, name: str) -> None:
        self._redis.call("HSET", keys.JOB_REQUESTS, name, uuid4().hex)

    def job_requests(self) -> dict[str, str]:
        stored: dict[bytes, bytes] = self._redis.call("HGETALL", keys.JOB_REQUESTS)
        return {name.decode(): request_id.decode() for name, request_id in stored.items()}

    def complete_job_request(self, name: str, request_id: str) -> None:
        self._redis.run(self._complete_job_request, [keys.JOB_REQUESTS], [name, request_id])

    def heartbeat(self, at: datetime, seconds: float = HEARTBEAT_SECONDS) -> None:
        self._redis.call_all(
            [
                ("SET", keys.WORKER_ALIVE, "", "PX", codec.milliseconds(seconds)),
                ("SET", keys.HEARTBEAT, format_time(at)),
            ]
        )

    def is_worker_alive(self) -> bool:
        return bool(self._redis.call("EXISTS", keys.WORKER_ALIVE))

    def last_heartbeat(self) -> datetime | None:
        stored = self._redis.call("GET", keys.HEARTBEAT)
        return codec.read_time(stored) if stored else None

    def add_counts(self, counts: Mapping[str, int]) -> None:
        self._redis.call_all(
            [("HINCRBY", keys.COUNTS, name, count) for name, count in counts.items()]
        )

    def counts(self) -> dict[str, int]:
        stored: dict[bytes, bytes] = self._redis.call("HGETALL", keys.COUNTS)
        return {name.decode(): int(count) for name, count in stored.items()}

    def publish_metrics(self, name: str, values: Mapping[str, float], seconds: float) -> None:
        value = codec.metrics_value(values)
        self._redis.call("SET", keys.published(name), value, "PX", codec.milliseconds(seconds))

    def published_metrics(self, name: str) -> dict[str, float]:
        stored = self._redis.call("GET", keys.published(name))
        return codec.read_metrics(stored) if stored else {}

    def publish_change(self, topic: str) -> None:
        self._changes.publish(topic)

    def listen_for_changes(self, on_change: Callable[[str | None], None]) -> ChangeListener:
        return self._changes.listen(on_change)

    def increment_window(self, name: str, seconds: float, times: int = 1) -> WindowCount:
        arguments = [codec.milliseconds(seconds), times]
        count, left = self._redis.run(self._increment_window, [keys.window(name)], arguments)
        return WindowCount(count, left / 1000)

    def app_token(self) -> AppToken | None:
        stored = self._redis.call("GET", keys.APP_TOKEN)
        return codec.read_token(stored) if stored else None

    def save_app_token(self, token: AppToken) -> None:
        ends_at = codec.microseconds(token.expires_at) // 1000
        self._redis.call("SET", keys.APP_TOKEN, codec.token_value(token), "PXAT", ends_at)

    def conduit_id(self) -> str | None:
        stored: bytes | None = self._redis.call("GET", keys.CONDUIT)
        return stored.decode() if stored else None

    def save_conduit_id(self, conduit_id: str | None) -> None:
        if conduit_id is None:
            self._redis.call("DEL", keys.CONDUIT)
        else:
            self._redis.call("SET", keys.CONDUIT, conduit_id)

    def webhook_callbacks(self) -> set[str]:
        stored: bytes | None = self._redis.call("GET", keys.WEBHOOK_CALLBACKS)
        return set(stored.decode().split("\n")) if stored else set()

    def save_webhook_callbacks(self, callbacks: Collection[str]) -> None:
        self._redis.call("SET", keys.WEBHOOK_CALLBACKS, "\n".join(sorted(callbacks)))
