"""The port to notifications and the queue of their deliveries.

A notification's pending deliveries wait in lanes. In a lane only the first delivery, by the time of
its event, is attempted, once its `next_attempt_at` has come. A worker claims the lane for a while,
attempts the delivery, and saves the result, which frees the lane. A claim expires, so that a dead
worker blocks nothing.

Records carry versions: saving one that changed meanwhile does nothing. `claim` raises the version
of a delivery, so that a worker that was taken for dead cannot overwrite its successor's result.

The rules are in `domain.notifications`. Every method is one atomic operation, safe for threads and
processes, and raises StorageUnavailable as those of `storage.base` do.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from streamwatch.domain.notifications.models import Delivery, Document, Notification


@dataclass(frozen=True, slots=True)
class Attempted:
    """The changes that are stored in the same step as the result of a claimed delivery.

    `failed` says whether the attempt failed; None if no attempt was made, or if it does not count.
    From it the store derives since when all attempts of the notification have failed: since the
    first failure after a success, or after more than FAILURE_GAP without a failure. `states` are
    merged into the notification's states, by name. No delivery is claimed before `paused_until`.
    """

    at: datetime
    failed: bool | None = None
    states: Mapping[str, Document] = field(default_factory=dict)
    paused_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class QueueState:
    """A notification's queue: the number of pending deliveries, when the oldest was created, and
    since when every attempt has failed (None after a success): see `Attempted`."""

    pending: int = 0
    oldest: datetime | None = None
    failing_since: datetime | None = None


class NotificationStore(ABC):
    """Notifications by id, each with deliveries by id and named states (JSON documents)."""

    # Notifications

    @abstractmethod
    def add(self, notification: Notification, limit: int) -> bool:
        """Store a new notification; False if its id is taken or there are `limit` already."""

    @abstractmethod
    def all(self) -> list[Notification]:
        """All notifications, the oldest first."""

    @abstractmethod
    def get(self, notification_id: str) -> Notification | None:
        """The notification with this id."""

    @abstractmethod
    def replace(self, notification: Notification) -> bool:
        """Store the next version of a notification; False if the stored version is not the one
        before it, or there is none."""

    @abstractmethod
    def remove(self, notification_id: str) -> bool:
        """Delete a notification with its deliveries and states; False if there was none."""

    # Deliveries

    @abstractmethod
    def add_deliveries(self, deliveries: Sequence[Delivery]) -> list[Delivery | None]:
        """Store the deliveries whose ids are new. Returns, in order, the delivery that has the id
        already, or None if it was new. A delivery of an unknown notification is dropped (None)."""

    @abstractmethod
    def delivery(self, notification_id: str, delivery_id: str) -> Delivery | None:
        """The delivery with this id."""

    @abstractmethod
    def deliveries(self, notification_id: str, limit: int) -> list[Delivery]:
        """The `limit` deliveries that were created last, the newest first."""

    @abstractmethod
    def pending(self, notification_id: str, limit: int) -> list[Delivery]:
        """The `limit` pending deliveries that were created first, the oldest first."""

    @abstractmethod
    def save(self, delivery: Delivery, attempted: Attempted) -> bool:
        """Store the next version of a delivery and `attempted`, and end its claim. False, and
        nothing is stored, if the stored version is not the one before it, or there is none."""

    @abstractmethod
    def trim(self, notification_id: str, keep: int, before: datetime) -> None:
        """Delete the finished deliveries that were created before a time, and all but the newest
        `keep`."""

    # The queue

    @abstractmethod
    def due(self, now: datetime) -> list[str]:
        """The ids of notifications that have a delivery to attempt now, the longest due first."""

    @abstractmethod
    def claim(
        self, notification_id: str, now: datetime, until: datetime, at_once: int, count: int
    ) -> list[Delivery]:
        """The first deliveries of at most `count` due lanes, claimed until `until`, the longest
        due first. No more than `at_once` lanes of the notification are claimed at any time."""

    @abstractmethod
    def queues(self, notification_ids: Collection[str]) -> dict[str, QueueState]:
        """The state of each queue."""

    @abstractmethod
    def clear_failures(self, notification_id: str) -> None:
        """Reset `failing_since`: the next failure counts as the first."""

    # States, and the events that were seen

    @abstractmethod
    def state(self, notification_id: str, name: str) -> Document | None:
        """A named state of a notification."""

    @abstractmethod
    def first_seen(self, keys: Collection[str]) -> dict[str, datetime]:
        """When events with these keys were first seen; unknown keys are left out."""

    @abstractmethod
    def mark_seen(self, keys: Collection[str], at: datetime, forget_before: datetime) -> None:
        """Store the time for the keys of events that are new, and delete the keys that were first
        seen before `forget_before`."""
