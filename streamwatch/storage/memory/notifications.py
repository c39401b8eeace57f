"""Notifications and their queues in dictionaries."""

from bisect import insort
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import takewhile
from threading import RLock

from streamwatch.domain.notifications.models import Delivery, Document, Notification
from streamwatch.domain.notifications.retries import FAILURE_GAP
from streamwatch.storage.notifications import Attempted, NotificationStore, QueueState

_LaneEntry = tuple[datetime, str]
"""The time of the event, and the delivery's id."""


@dataclass(slots=True)
class _Queue:
    """The deliveries and states of one notification. `lanes` has the pending deliveries of each
    lane in order; `claims` the id of the claimed delivery of a lane, and when the claim ends."""

    deliveries: dict[str, Delivery] = field(default_factory=dict)
    lanes: dict[str, list[_LaneEntry]] = field(default_factory=dict)
    claims: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    states: dict[str, Document] = field(default_factory=dict)
    failing_since: datetime | None = None
    failed_at: datetime | None = None
    paused_until: datetime | None = None

    def put(self, delivery: Delivery) -> None:
        """Store a delivery, and insert it into its lane while it is pending."""
        known = self.deliveries.get(delivery.id)
        if known is not None:
            self._leave_lane(known)
        self.deliveries[delivery.id] = delivery
        if not delivery.status.is_finished:
            insort(self.lanes.setdefault(delivery.lane, []), _lane_entry(delivery))

    def due_lanes(self, now: datetime) -> list[tuple[datetime, str]]:
        """The unclaimed lanes whose first delivery is due, the longest due first, each with the
        time since when."""
        if self.paused_until is not None and now < self.paused_until:
            return []
        self.claims = {lane: claim for lane, claim in self.claims.items() if claim[1] > now}
        due = []
        for lane, entries in self.lanes.items():
            attempt_at = self.deliveries[entries[0][1]].next_attempt_at
            if lane not in self.claims and attempt_at is not None and attempt_at <= now:
                due.append((attempt_at, lane))
        return sorted(due)

    def add_failure(self, at: datetime) -> None:
        """Record a failed attempt. It is the first of a series where none precedes it, or where the
        one before was more than FAILURE_GAP ago."""
        is_late = self.failed_at is not None and at - self.failed_at > FAILURE_GAP
        if self.failing_since is None or is_late:
            self.failing_since = at
        self.failed_at = at

    def _leave_lane(self, delivery: Delivery) -> None:
        entries = self.lanes.get(delivery.lane, [])
        if _lane_entry(delivery) in entries:
            entries.remove(_lane_entry(delivery))
        if not entries:
            self.lanes.pop(delivery.lane, None)


class MemoryNotificationStore(NotificationStore):
    def __init__(self, lock: RLock) -> None:
        self._lock = lock
        self._notifications: dict[str, Notification] = {}
        self._queues: dict[str, _Queue] = {}
        self._seen: dict[str, datetime] = {}

    def add(self, notification: Notification, limit: int) -> bool:
        with self._lock:
            if notification.id in self._notifications or len(self._notifications) >= limit:
                return False
            self._notifications[notification.id] = notification
            self._queues[notification.id] = _Queue()
            return True

    def all(self) -> list[Notification]:
        with self._lock:
            return sorted(self._notifications.values(), key=lambda n: (n.created_at, n.id))

    def get(self, notification_id: str) -> Notification | None:
        with self._lock:
            return self._notifications.get(notification_id)

    def replace(self, notification: Notification) -> bool:
        with self._lock:
            known = self._notifications.get(notification.id)
            if known is None or known.version != notification.version - 1:
                return False
            self._notifications[notification.id] = notification
            return True

    def remove(self, notification_id: str) -> bool:
        with self._lock:
            self._queues.pop(notification_id, None)
            return self._notifications.pop(notification_id, None) is not None

    def add_deliveries(self, deliveries: Sequence[Delivery]) -> list[Delivery | None]:
        return [self._add(delivery) for delivery in deliveries]

    def _add(self, delivery: Delivery) -> Delivery | None:
        with self._lock:
            queue = self._queues.get(delivery.notification_id)
            if queue is None:
                return None
            known = queue.deliveries.get(delivery.id)
            if known is None:
                queue.put(delivery)
            return known

    def delivery(self, notification_id: str, delivery_id: str) -> Delivery | None:
        with self._lock:
            return self._queue(notification_id).deliveries.get(delivery_id)

    def deliveries(self, notification_id: str, limit: int) -> list[Delivery]:
        with self._lock:
            known = self._queue(notification_id).deliveries.values()
            return sorted(known, key=_age, reverse=True)[:limit]

    def pending(self, notification_id: str, limit: int) -> list[Delivery]:
        with self._lock:
            return self._pending(self._queue(notification_id))[:limit]

    def save(self, delivery: Delivery, attempted: Attempted) -> bool:
        with self._lock:
            queue = self._queue(delivery.notification_id)
            known = queue.deliveries.get(delivery.id)
            if known is None or known.version != delivery.version - 1:
                return False
            if known.lane in queue.claims and queue.claims[known.lane][0] == known.id:
                del queue.claims[known.lane]
            queue.put(delivery)
            queue.states.update(attempted.states)
            if attempted.failed:
                queue.add_failure(attempted.at)
            elif attempted.failed is False:
                queue.failing_since = None
            if attempted.paused_until is not None:
                queue.paused_until = attempted.paused_until
            return True

    def trim(self, notification_id: str, keep: int, before: datetime) -> None:
        with self._lock:
            queue = self._queue(notification_id)
            finished = [d for d in queue.deliveries.values() if d.status.is_finished]
            finished.sort(key=_age, reverse=True)
            for number, delivery in enumerate(finished):
                if number >= keep or delivery.created_at < before:
                    del queue.deliveries[delivery.id]

    def due(self, now: datetime) -> list[str]:
        with self._lock:
            due = [(queue.due_lanes(now)[:1], key) for key, queue in self._queues.items()]
            return [key for lanes, key in sorted(due) if lanes]

    def claim(
        self, notification_id: str, now: datetime, until: datetime, at_once: int, count: int
    ) -> list[Delivery]:
        with self._lock:
            queue = self._queue(notification_id)
            lanes = queue.due_lanes(now)
            free = max(0, at_once - len(queue.claims))
            claimed = []
            for _, lane in lanes[: min(free, count)]:
                known = queue.deliveries[queue.lanes[lane][0][1]]
                queue.claims[lane] = (known.id, until)
                queue.deliveries[known.id] = replace(known, version=known.version + 1)
                claimed.append(queue.deliveries[known.id])
            return claimed

    def queues(self, notification_ids: Collection[str]) -> dict[str, QueueState]:
        with self._lock:
            return {key: self._queue_state(self._queue(key)) for key in notification_ids}

    def clear_failures(self, notification_id: str) -> None:
        with self._lock:
            self._queue(notification_id).failing_since = None

    def state(self, notification_id: str, name: str) -> Document | None:
        with self._lock:
            return self._queue(notification_id).states.get(name)

    def first_seen(self, keys: Collection[str]) -> dict[str, datetime]:
        with self._lock:
            return {key: self._seen[key] for key in keys if key in self._seen}

    def mark_seen(self, keys: Collection[str], at: datetime, forget_before: datetime) -> None:
        with self._lock:
            for key in keys:
                self._seen.setdefault(key, at)
            old = takewhile(lambda seen: seen[1] < forget_before, self._seen.items())
            for key, _ in list(old):
                del self._seen[key]

    def _queue(self, notification_id: str) -> _Queue:
        """The queue of a notification; an empty one if the notification does not exist."""
        return self._queues.get(notification_id) or _Queue()

    def _pending(self, queue: _Queue) -> list[Delivery]:
        waiting = [d for d in queue.deliveries.values() if not d.status.is_finished]
        return sorted(waiting, key=_age)

    def _queue_state(self, queue: _Queue) -> QueueState:
        pending = self._pending(queue)
        oldest = pending[0].created_at if pending else None
        return QueueState(len(pending), oldest, queue.failing_since)


def _lane_entry(delivery: Delivery) -> _LaneEntry:
    return delivery.event.timestamp, delivery.id


def _age(delivery: Delivery) -> tuple[datetime, str]:
    return delivery.created_at, delivery.id
