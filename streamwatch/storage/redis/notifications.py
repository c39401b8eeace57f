"""Notifications and their queues in Redis."""

import logging
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from streamwatch.domain.notifications.models import Delivery, Document, Notification
from streamwatch.domain.notifications.retries import FAILURE_GAP
from streamwatch.redis_connection import Arguments
from streamwatch.storage.base import UnreadableRecord
from streamwatch.storage.notifications import Attempted, NotificationStore, QueueState
from streamwatch.storage.redis import notification_codec as values
from streamwatch.storage.redis.codec import microseconds, time_from
from streamwatch.storage.redis.connection import Connection, load_script
from streamwatch.storage.redis.keys import key

log = logging.getLogger(__name__)

NOTIFICATIONS = key("notifications")
TARGETS = key("notification-targets")
SEEN = key("notification-events")

_PARTS = (
    "deliveries",
    "pending",
    "finished",
    "lanes",
    "next",
    "due",
    "claims",
    "claim_ends",
    "states",
    "info",
)
"""The keys of one notification, in the order of the script's KEYS."""

_FAILURE_GAP = FAILURE_GAP // timedelta(microseconds=1)

_FAILING_SINCE = "failing_since"
"""The field of `info` that the script sets."""


def key_of(notification_id: str, part: str) -> str:
    return key(f"notification:{notification_id}:{part}")


class RedisNotificationStore(NotificationStore):
    def __init__(self, connection: Connection) -> None:
        self._redis = connection
        self._queue = load_script("notifications")
        self._save = load_script("save_notification")

    # Notifications

    def add(self, notification: Notification, limit: int) -> bool:
        return self._store(notification, "", limit)

    def replace(self, notification: Notification) -> bool:
        return self._store(notification, notification.version - 1, 0)

    def _store(self, notification: Notification, version: int | str, limit: int) -> bool:
        value = values.notification_value(notification)
        arguments = [notification.id, value, version, limit]
        return bool(self._redis.run(self._save, [NOTIFICATIONS], arguments))

    def all(self) -> list[Notification]:
        stored = self._redis.call("HVALS", NOTIFICATIONS)
        known = _readable(stored)
        return sorted(known, key=lambda notification: (notification.created_at, notification.id))

    def get(self, notification_id: str) -> Notification | None:
        stored = self._redis.call("HGET", NOTIFICATIONS, notification_id)
        return values.read_notification(stored) if stored else None

    def remove(self, notification_id: str) -> bool:
        return bool(self._run("remove", notification_id))

    # Deliveries

    def add_deliveries(self, deliveries: Sequence[Delivery]) -> list[Delivery | None]:
        if not deliveries:
            return []
        runs = [
            _arguments("add", delivery.notification_id, delivery.id, *_stored(delivery))
            for delivery in deliveries
        ]
        known = self._redis.run_all(self._queue, runs)
        return [values.read_delivery(value) if value else None for value in known]

    def delivery(self, notification_id: str, delivery_id: str) -> Delivery | None:
        stored = self._redis.call("HGET", key_of(notification_id, "deliveries"), delivery_id)
        return values.read_delivery(stored) if stored else None

    def deliveries(self, notification_id: str, limit: int) -> list[Delivery]:
        names = [key_of(notification_id, part) for part in ("pending", "finished")]
        ids = self._redis.call_all([("ZREVRANGE", name, 0, limit - 1) for name in names])
        found = self._read(notification_id, [*ids[0], *ids[1]])
        return sorted(found, key=_age, reverse=True)[:limit]

    def pending(self, notification_id: str, limit: int) -> list[Delivery]:
        ids = self._redis.call("ZRANGE", key_of(notification_id, "pending"), 0, limit - 1)
        return sorted(self._read(notification_id, ids), key=_age)

    def _read(self, notification_id: str, ids: Sequence[bytes]) -> Iterable[Delivery]:
        """The deliveries with these ids, without those that were deleted meanwhile."""
        if not ids:
            return []
        stored = self._redis.call("HMGET", key_of(notification_id, "deliveries"), *ids)
        return [values.read_delivery(value) for value in stored if value]

    def save(self, delivery: Delivery, attempted: Attempted) -> bool:
        failed = "" if attempted.failed is None else int(attempted.failed)
        states = [
            part
            for name, state in attempted.states.items()
            for part in (name, values.state_value(state))
        ]
        return bool(
            self._run(
                "save",
                delivery.notification_id,
                delivery.id,
                delivery.version - 1,
                *_stored(delivery),
                microseconds(attempted.at),
                failed,
                _FAILURE_GAP,
                _score(attempted.paused_until),
                *states,
            )
        )

    def trim(self, notification_id: str, keep: int, before: datetime) -> None:
        self._run("trim", notification_id, keep, microseconds(before))

    # The queue

    def due(self, now: datetime) -> list[str]:
        ids = self._redis.call("ZRANGEBYSCORE", TARGETS, "-inf", microseconds(now))
        return [notification_id.decode() for notification_id in ids]

    def claim(
        self, notification_id: str, now: datetime, until: datetime, at_once: int, count: int
    ) -> list[Delivery]:
        times = (microseconds(now), microseconds(until))
        claimed = self._run("claim", notification_id, *times, at_once, count)
        return [values.read_delivery(value) for value in claimed]

    def queues(self, notification_ids: Collection[str]) -> dict[str, QueueState]:
        commands: list[tuple[Any, ...]] = []
        for notification_id in notification_ids:
            pending = key_of(notification_id, "pending")
            commands.append(("ZCARD", pending))
            commands.append(("ZRANGE", pending, 0, 0, "WITHSCORES"))
            commands.append(("HGET", key_of(notification_id, "info"), _FAILING_SINCE))
        answers = iter(self._redis.call_all(commands)) if commands else iter(())
        return {
            notification_id: _queue_state(next(answers), next(answers), next(answers))
            for notification_id in notification_ids
        }

    def clear_failures(self, notification_id: str) -> None:
        self._redis.call("HDEL", key_of(notification_id, "info"), _FAILING_SINCE)

    # States, and the events that were seen

    def state(self, notification_id: str, name: str) -> Document | None:
        stored = self._redis.call("HGET", key_of(notification_id, "states"), name)
        return values.read_state(stored) if stored else None

    def first_seen(self, keys: Collection[str]) -> dict[str, datetime]:
        if not keys:
            return {}
        scores = self._redis.call("ZMSCORE", SEEN, *keys)
        found = zip(keys, scores, strict=True)
        return {name: time_from(float(score)) for name, score in found if score is not None}

    def mark_seen(self, keys: Collection[str], at: datetime, forget_before: datetime) -> None:
        if not keys:
            return
        marks = [part for name in keys for part in (microseconds(at), name)]
        old = ("ZREMRANGEBYSCORE", SEEN, "-inf", f"({microseconds(forget_before)}")
        self._redis.call_all([("ZADD", SEEN, "NX", *marks), old])

    def _run(self, operation: str, notification_id: str, *arguments: Any) -> Any:
        return self._redis.run(self._queue, *_arguments(operation, notification_id, *arguments))


def _arguments(operation: str, notification_id: str, *arguments: Any) -> Arguments:
    names = [NOTIFICATIONS, TARGETS, *(key_of(notification_id, part) for part in _PARTS)]
    return names, [operation, notification_id, *arguments]


def _readable(stored: Iterable[bytes]) -> Iterator[Notification]:
    """The notifications without those that cannot be read: one must not stop the others."""
    for value in stored:
        try:
            yield values.read_notification(value)
        except UnreadableRecord as error:
            log.warning("A notification is left out: %s", error)


def _stored(delivery: Delivery) -> tuple[Any, ...]:
    """A delivery for the script: itself, its lane, its order there, and its times."""
    return (
        values.delivery_value(delivery),
        delivery.lane,
        f"{microseconds(delivery.event.timestamp):020d}",
        microseconds(delivery.created_at),
        _score(delivery.next_attempt_at),
    )


def _score(moment: datetime | None) -> int | str:
    return "" if moment is None else microseconds(moment)


def _queue_state(pending: int, oldest: Sequence[Any], failing_since: bytes | None) -> QueueState:
    return QueueState(
        pending=pending,
        oldest=time_from(float(oldest[1])) if oldest else None,  # the member, and its score
        failing_since=time_from(float(failing_since)) if failing_since else None,
    )


def _age(delivery: Delivery) -> tuple[datetime, str]:
    return delivery.created_at, delivery.id
