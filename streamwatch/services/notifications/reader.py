"""Reads the feed and creates deliveries of its events. Repeating that changes nothing."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain

from streamwatch.domain.batches import batched
from streamwatch.domain.models import StreamEvent
from streamwatch.domain.notifications import people
from streamwatch.domain.notifications.conversation import reopened
from streamwatch.domain.notifications.documents import conversation_from
from streamwatch.domain.notifications.filters import needs_details, wants
from streamwatch.domain.notifications.identity import delivery_id, event_key
from streamwatch.domain.notifications.models import (
    MAX_PENDING,
    ONLINE,
    Delivery,
    DeliveryStatus,
    Notification,
)
from streamwatch.services.feed_reader import FeedReader
from streamwatch.services.monitoring.counters import SharedCounters
from streamwatch.services.monitoring.notification_metrics import QUEUE_FULL_OUTCOME
from streamwatch.services.notifications.attempt import conversation_name
from streamwatch.services.notifications.bodies import WebhookBodies
from streamwatch.services.notifications.context import EventContext, live_stream
from streamwatch.services.notifications.switching import finish_pending
from streamwatch.storage.base import Storage
from streamwatch.storage.notifications import Attempted

READER = "notifications"

BATCH = 50

_DELIVERIES_AT_ONCE = 1_000
"""How many deliveries are added together: a batch of events has BATCH times as many as there are
notifications."""

REMEMBER = timedelta(days=3)
"""How long events are remembered, so that an event that is reported again is not new: longer than
any stream on Twitch lasts."""

QUEUE_FULL = "queue full"


@dataclass(frozen=True, slots=True)
class _Occurrence:
    """An event with its stream, its key, and when it was seen first."""

    event: StreamEvent
    stream_id: str | None
    key: str
    seen_at: datetime | None
    tags: Collection[str]

    def is_known_to(self, notification: Notification) -> bool:
        return self.seen_at is not None and self.seen_at >= notification.active_since


class NotificationReader:
    """Reads the feed as the reader READER. Several may run at the same time, in several
    processes."""

    def __init__(
        self,
        storage: Storage,
        context: EventContext,
        bodies: WebhookBodies,
        consumer: str,
        counters: SharedCounters,
        clock: Callable[[], datetime],
    ) -> None:
        self._storage = storage
        self._store = storage.notifications
        self._context = context
        self._bodies = bodies
        self.has_notifications = True
        """Whether there were notifications when events were last read."""
        self._counters = counters
        self._clock = clock
        self._reader = FeedReader(
            feed=storage.feed,
            name=READER,
            consumer=consumer,
            batch=BATCH,
            convert=lambda record: record.events,
            process=self._process,
            clock=clock,
        )

    def register(self) -> None:
        """Register as a reader, so that the feed is not trimmed before its entries are read."""
        self._reader.register()

    def run_once(self) -> int:
        """Make the deliveries of the next entries, as FeedReader.run_once does. Returns the number
        of entries."""
        return self._reader.run_once()

    def _process(self, batches: Sequence[Sequence[StreamEvent]]) -> None:
        events = [event for some in batches for event in some]
        if events:
            self._make_deliveries(events)

    def _make_deliveries(self, events: Sequence[StreamEvent]) -> None:
        notifications = self._store.all()
        self.has_notifications = bool(notifications)
        if not notifications:
            return
        occurrences = self._occurrences(events)
        made = chain.from_iterable(self._deliveries(each, notifications) for each in occurrences)
        by_id = {notification.id: notification for notification in notifications}
        with_new: set[str] = set()
        for some in batched(made, _DELIVERIES_AT_ONCE):
            for known in self._store.add_deliveries(some):
                if known is not None:
                    self._reopen(by_id[known.notification_id], known)
            with_new |= {delivery.notification_id for delivery in some}
        self._fail_excess([by_id[key] for key in with_new])
        now = self._clock()
        self._store.mark_seen([o.key for o in occurrences], now, now - REMEMBER)

    def _occurrences(self, events: Sequence[StreamEvent]) -> list[_Occurrence]:
        streams = [self._context.stream_id(event) for event in events]
        keys = [event_key(*pair) for pair in zip(events, streams, strict=True)]
        seen = self._store.first_seen(list(dict.fromkeys(keys)))
        streamers = self._storage.streamers_by_id({event.broadcaster_id for event in events})
        tags = {user_id: streamer.tags for user_id, streamer in streamers.items()}
        return [
            _Occurrence(
                event=event,
                stream_id=stream_id,
                key=key,
                seen_at=seen.get(key),
                tags=tags.get(event.broadcaster_id, ()),
            )
            for event, stream_id, key in zip(events, streams, keys, strict=True)
        ]

    def _deliveries(
        self, occurrence: _Occurrence, notifications: Iterable[Notification]
    ) -> list[Delivery]:
        """The new deliveries of an event. An event that happens again has none, but may reopen the
        earlier delivery to people."""
        made = []
        body: str | None = None
        for notification in notifications:
            if not wants(notification, occurrence.event, occurrence.tags):
                continue
            if occurrence.is_known_to(notification):
                self._reopen_earlier(notification, occurrence)
                continue
            new = self._delivery(notification, occurrence)
            if not notification.kind.is_for_people and not needs_details(notification):
                body = body or self._bodies.make(new.event, new.event_type, new.stream_id)
                new = replace(new, body=body)
            made.append(new)
        return made

    def _delivery(self, notification: Notification, occurrence: _Occurrence) -> Delivery:
        now, event = self._clock(), occurrence.event
        for_people = notification.kind.is_for_people
        due = people.held_until(notification, event.event_type, now) if for_people else now
        user_id = event.broadcaster_id
        return Delivery(
            id=delivery_id(notification.id, occurrence.key),
            notification_id=notification.id,
            event_type=event.event_type,
            event=event,
            stream_id=occurrence.stream_id,
            lane=people.lane(user_id, event.event_type) if for_people else user_id,
            created_at=now,
            next_attempt_at=due,
        )

    def _reopen_earlier(self, notification: Notification, occurrence: _Occurrence) -> None:
        if not notification.kind.is_for_people:
            return
        known_id = delivery_id(notification.id, occurrence.key)
        known = self._store.delivery(notification.id, known_id)
        if known is not None:
            self._reopen(notification, known)

    def _reopen(self, notification: Notification, known: Delivery) -> None:
        """Attempt a known delivery to people again, if its event has happened again."""
        if not notification.kind.is_for_people:
            return
        user_id = known.event.broadcaster_id
        if known.event_type == ONLINE:
            status = self._storage.status(user_id)
            if live_stream(status, known.stream_id) is None:
                return
        conversation = conversation_from(
            self._store.state(notification.id, conversation_name(user_id))
        )
        now = self._clock()
        again = reopened(notification, known, conversation, now)
        if again is not None:
            self._store.save(replace(again, version=known.version + 1), Attempted(now))

    def _fail_excess(self, notifications: Collection[Notification]) -> None:
        """Fail the oldest pending deliveries of queues that are too long, and count them."""
        queues = self._store.queues([notification.id for notification in notifications])
        for notification in notifications:
            excess = queues[notification.id].pending - MAX_PENDING
            if excess > 0:
                failed = finish_pending(
                    self._store,
                    notification.id,
                    DeliveryStatus.FAILED,
                    QUEUE_FULL,
                    self._clock(),
                    limit=excess,
                )
                self._counters.count(f"{notification.kind} {QUEUE_FULL_OUTCOME}", failed)
