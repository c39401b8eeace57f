"""Notifications (rules with a target) and deliveries (one event for one notification)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from streamwatch.domain.models import EventType, StreamEvent
from streamwatch.domain.notifications.quiet_hours import QuietHours

Document = dict[str, Any]
"""A JSON object."""

ONLINE = EventType.ONLINE.value
OFFLINE = EventType.OFFLINE.value
UPDATE = EventType.UPDATE.value
EVENT_TYPES = (ONLINE, OFFLINE, UPDATE)
TEST = "test"
"""The event type of a delivery that a user requested to test the target."""

CHANGES = ("title", "category", "language")
"""What a `channel.update` can change."""

DEFAULT_CHANGES = ("title", "category")
DEFAULT_COOLDOWN_MINUTES = 10

MAX_NOTIFICATIONS = 1_000
MAX_PENDING = 10_000
"""How many pending deliveries a notification can have. Beyond it the oldest fail."""

MAX_FINISHED = 1000
MAX_FINISHED_DAYS = 30
"""How many finished deliveries a notification retains, and for how long."""


class TargetKind(StrEnum):
    """Where a notification goes. Webhooks are for programs; the others are for people."""

    WEBHOOK = "webhook"
    DISCORD = "discord"
    APPRISE = "apprise"

    @property
    def is_for_people(self) -> bool:
        """Whether messages are held back, merged and silenced."""
        return self is not TargetKind.WEBHOOK


@dataclass(frozen=True, slots=True)
class WatchedStreamer:
    """A streamer in a filter: matched by user id, shown by the login that was known last."""

    user_id: str
    login: str


@dataclass(frozen=True, slots=True)
class SigningSecret:
    """A secret that signs webhooks, until `expires_at` if it was rotated."""

    value: str = field(repr=False)
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """A rule that sends events to a target. An empty filter matches everything.

    Events from before `active_since` (when it was made or switched on again) are not sent.
    `disabled_reason` says why StreamWatch itself switched it off.
    """

    id: str
    name: str
    kind: TargetKind
    url: str = field(repr=False)
    created_at: datetime
    active_since: datetime
    enabled: bool = True
    disabled_reason: str | None = None
    events: tuple[str, ...] = EVENT_TYPES
    streamers: tuple[WatchedStreamer, ...] = ()
    tags: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    title_contains: tuple[str, ...] = ()
    changed: tuple[str, ...] = DEFAULT_CHANGES
    cooldown_minutes: int = DEFAULT_COOLDOWN_MINUTES
    quiet_hours: QuietHours | None = None
    template: str | None = None
    secrets: tuple[SigningSecret, ...] = field(default=(), repr=False)
    """The newest first."""
    version: int = 1


class DeliveryStatus(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    SKIPPED = "skipped"

    @property
    def is_finished(self) -> bool:
        return self is not DeliveryStatus.PENDING


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event for one notification.

    Deliveries with the same `lane` are attempted one at a time, in the order of the events' times.
    `body` is the body of a webhook, and does not change once it is set. `forced` says that a user
    requested the delivery: quiet hours, cooldown and filters do not apply. `did_not_last` marks the
    end of a stream that is on again, and may end again. `edit_refused` says that Discord refused
    the edit, so that a new message is posted.
    """

    id: str
    notification_id: str
    event_type: str
    event: StreamEvent
    stream_id: str | None
    lane: str
    created_at: datetime
    next_attempt_at: datetime | None
    status: DeliveryStatus = DeliveryStatus.PENDING
    attempts: int = 0
    status_code: int | None = None
    error: str | None = None
    first_attempt_at: datetime | None = None
    delivered_at: datetime | None = None
    body: str | None = None
    forced: bool = False
    did_not_last: bool = False
    edit_refused: bool = False
    version: int = 1

    @property
    def is_test(self) -> bool:
        return self.event_type == TEST


@dataclass(frozen=True, slots=True)
class StreamDetails:
    """What is known about a stream beside its id. `peak` is the highest number of viewers seen."""

    title: str | None = None
    category: str | None = None
    viewers: int | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    peak: int | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known when a delivery is due.

    `live_stream_id` is the stream that is on now, None if none is. `is_known` is False for a
    streamer whose status is not stored: then nothing is concluded from `live_stream_id`.
    """

    live_stream_id: str | None
    details: StreamDetails
    is_known: bool = True


@dataclass(frozen=True, slots=True)
class Conversation:
    """What one notification for people has sent about one streamer so far.

    `stream_id` is the stream that the last go-live is about: the one that was announced, or a later
    one that continues it. `message_id` is the Discord message that shows it. `earlier` has the
    messages of the streams before, by stream id, until their ends are shown. `unannounced` is a
    stream that was over before it could be announced.
    """

    stream_id: str | None = None
    announced_at: datetime | None = None
    message_id: str | None = None
    ended: bool = False
    earlier: Mapping[str, str] = field(default_factory=dict)
    unannounced: str | None = None


class EditRefusal(StrEnum):
    """Why Discord does not edit a message."""

    TOO_MANY = "Discord takes no more edits of this message for now"
    NO_MESSAGE = "the message was deleted in Discord"


@dataclass(frozen=True, slots=True)
class SendResult:
    """The result of one attempt. `status_code` is the receiver's HTTP status, if it sent one;
    `detail` says what happened in words. `retry_after` is in seconds; `is_gone` says that the
    receiver wants no more or was deleted; `is_final` that a failed attempt is not repeated, because
    some of several recipients may have the message; `message_id` names the message that was posted.
    """

    delivered: bool
    detail: str
    status_code: int | None = None
    retry_after: float | None = None
    is_gone: bool = False
    is_final: bool = False
    message_id: str | None = None
    edit_refusal: EditRefusal | None = None
