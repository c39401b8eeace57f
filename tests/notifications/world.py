"""Notifications on a storage in memory, with a clock and receivers that a test has in its hands."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from streamwatch.domain.models import EventType, Source, Stream, StreamEvent, User
from streamwatch.domain.notifications.models import (
    MAX_NOTIFICATIONS,
    Delivery,
    Notification,
    SendResult,
    TargetKind,
)
from streamwatch.domain.observations import SeenLive, WentOffline, WentOnline
from streamwatch.domain.times import format_time
from streamwatch.services.ingestion.recorder import ObservationRecorder
from streamwatch.services.monitoring.counters import SharedCounters
from streamwatch.services.notifications.attempt import DeliveryAttempt
from streamwatch.services.notifications.bodies import WebhookBodies
from streamwatch.services.notifications.context import EventContext
from streamwatch.services.notifications.dispatcher import Dispatcher
from streamwatch.services.notifications.reader import NotificationReader
from streamwatch.services.notifications.senders.base import Message, Sender, Sent
from streamwatch.storage.memory import MemoryStorage
from tests.notifications.build import START

ANN = User("1", "ann", "Ann")
MAX_STEPS = 5000
"""More than any test has of moments at which something is due."""

OK = SendResult(delivered=True, detail="ok", status_code=204)


class FakeSender(Sender):
    """Records what it is given; `answer` says what comes of it."""

    at_once = 4

    def __init__(self, kind: TargetKind, clock: Callable[[], datetime]) -> None:
        self._kind = kind
        self._clock = clock
        self.answer: Callable[[Message], SendResult] = self._accept
        self.sent: list[tuple[datetime, Message]] = []

    def _accept(self, message: Message) -> SendResult:
        message_id = None
        if self._kind is TargetKind.DISCORD:
            message_id = message.edits or f"m{len(self.posts)}"
        return SendResult(delivered=True, detail="ok", status_code=200, message_id=message_id)

    def send(self, notification: Notification, message: Message) -> Sent:
        self.sent.append((self._clock(), message))
        return Sent(self.answer(message))

    @property
    def posts(self) -> list[Message]:
        return [message for _, message in self.sent if message.edits is None]

    @property
    def edits(self) -> list[Message]:
        return [message for _, message in self.sent if message.edits is not None]


@dataclass
class NotificationWorld:
    now: datetime = START
    storage: MemoryStorage = field(default_factory=MemoryStorage)
    sessions: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.recorder = ObservationRecorder(self.storage)
        self.store = self.storage.notifications
        self.fakes = {kind: FakeSender(kind, self.clock) for kind in TargetKind}
        self.senders: dict[TargetKind, Sender] = {**self.fakes}
        """A test may put a real sender in the place of a fake."""
        self.sender = self.fakes[TargetKind.WEBHOOK]
        context = EventContext(self.storage, self.sessions.get)
        bodies = WebhookBodies(self.storage, context)
        self.attempt = DeliveryAttempt(
            self.store,
            context,
            bodies,
            self.senders,
            self.clock,
            choose=lambda: 0.0,
        )
        self.counters = SharedCounters(self.storage.coordination, "notifications", seconds=0.05)
        self.reader = NotificationReader(
            self.storage, context, bodies, "a", self.counters, self.clock
        )
        self.dispatcher = self.dispatcher_with(lambda work: work())

    def dispatcher_with(self, submit: Callable[[Callable[[], None]], None]) -> Dispatcher:
        """A dispatcher that runs its attempts by `submit`."""
        return Dispatcher(
            self.store,
            self.attempt,
            self.counters,
            self.clock,
            submit=submit,
            sleep=lambda _: None,
        )

    def clock(self) -> datetime:
        return self.now

    def add(self, notification: Notification) -> Notification:
        assert self.store.add(notification, MAX_NOTIFICATIONS)
        self.sender = self.fakes[notification.kind]
        return notification

    # What Twitch says

    def go_live(
        self, stream_id: str = "s1", *, user: User = ANN, at: datetime | None = None, **details: Any
    ) -> None:
        """A `stream.online` message; with `details` a poll has seen the stream, too."""
        moment = at or self.now
        stream = Stream(stream_id, moment)
        data = {"id": stream_id, "type": "live", "started_at": format_time(moment)}
        event = self._event(EventType.ONLINE, user, moment, data)
        self.recorder.record([WentOnline(event, stream)])
        if details:
            self.poll(stream_id, user=user, started_at=moment, **details)

    def poll(
        self,
        stream_id: str = "s1",
        *,
        user: User = ANN,
        started_at: datetime | None = None,
        **details: Any,
    ) -> None:
        """Helix shows the stream."""
        fields: dict[str, Any] = {"viewer_count": 10, "title": "Hello", "game_name": "Chess"}
        stream = Stream(stream_id, started_at or self.now, **fields | details)
        seen = SeenLive(user.user_id, user.login, user.display_name, stream, self.now)
        self.recorder.record([seen])

    def go_offline(
        self, stream_id: str | None = "s1", *, user: User = ANN, at: datetime | None = None
    ) -> None:
        """A `stream.offline` message."""
        data = {} if stream_id is None else {"id": stream_id}
        event = self._event(EventType.OFFLINE, user, at or self.now, data)
        self.recorder.record([WentOffline(event)])

    def _event(
        self, event_type: EventType, user: User, at: datetime, data: dict[str, Any]
    ) -> StreamEvent:
        self.number = getattr(self, "number", 0) + 1
        return StreamEvent(
            id=f"message-{self.number}",
            event_type=event_type,
            broadcaster_id=user.user_id,
            broadcaster_login=user.login,
            broadcaster_name=user.display_name,
            timestamp=at,
            data=data,
            source=Source.EVENTSUB,
        )

    # What the worker does

    def work(self) -> None:
        """Everything that is due now."""
        while self.reader.run_once() or self.dispatcher.run_once():
            pass

    def pass_time(self, seconds: float) -> None:
        """Work, and go on to each time at which something is due, until `seconds` have passed."""
        end = self.now + timedelta(seconds=seconds)
        self.work()
        for _ in range(MAX_STEPS):
            due = self._next_due()
            if due is None or due > end:
                break
            self.now = due
            self.work()
        else:
            raise AssertionError(f"deliveries stay due: {self.outcomes()}")
        self.now = end
        self.work()

    def _next_due(self) -> datetime | None:
        times = [
            delivery.next_attempt_at
            for notification in self.store.all()
            for delivery in self.store.pending(notification.id, 10_000)
            if delivery.next_attempt_at and delivery.next_attempt_at > self.now
        ]
        return min(times, default=None)

    # What came of it

    def deliveries(self, notification_id: str = "n1") -> list[Delivery]:
        """The oldest first."""
        return self.store.deliveries(notification_id, 1000)[::-1]

    def outcomes(self, notification_id: str = "n1") -> list[str]:
        """Type, status and reason of each delivery, the oldest first."""
        return [
            " ".join(filter(None, (d.event_type, d.status, d.error)))
            for d in self.deliveries(notification_id)
        ]
