"""The things StreamWatch speaks of. Immutable; users are keyed by Twitch's user id, streams by its
stream id; a login is an attribute in lower case that can change. Times are aware UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from streamwatch.domain.positions import Position


class EventType(StrEnum):
    """The events that are recorded, by their EventSub subscription type."""

    ONLINE = "stream.online"
    OFFLINE = "stream.offline"
    UPDATE = "channel.update"


EVENT_VERSIONS: Mapping[str, str] = {
    EventType.ONLINE: "1",
    EventType.OFFLINE: "1",
    EventType.UPDATE: "2",
}
"""The version of each subscription type whose messages are understood."""


class Source(StrEnum):
    """How a thing was learned."""

    EVENTSUB = "eventsub"
    POLL = "poll"
    LOOKUP = "lookup"


@dataclass(frozen=True, slots=True)
class User:
    """A Twitch user as Helix names one."""

    user_id: str
    login: str
    display_name: str
    profile_image_url: str | None = None


@dataclass(frozen=True, slots=True)
class Streamer:
    """A monitored user, with the ids of their EventSub subscriptions.

    `signed_with` identifies the webhook secret that these were created with (see
    `subscriptions.secret_fingerprint`); None if it is unknown or nothing is signed. The names are
    as of `named_at`, None if that is unknown. `version` grows with each change (see `streamers`).
    `tags` are the operator's, sorted (see `tags.normalized`).
    """

    user_id: str
    login: str
    display_name: str
    added_at: datetime
    online_subscription_id: str | None = None
    offline_subscription_id: str | None = None
    signed_with: str | None = None
    update_subscription_id: str | None = None
    named_at: datetime | None = None
    version: int = 1
    profile_image_url: str | None = None
    tags: tuple[str, ...] = ()

    @property
    def position(self) -> Position:
        """The position in the list of streamers."""
        return Position(self.added_at, self.user_id)

    @property
    def is_active(self) -> bool:
        """Whether the subscriptions to online and offline exist. Updates are optional."""
        return bool(self.online_subscription_id and self.offline_subscription_id)

    @property
    def subscription_ids(self) -> dict[str, str]:
        """The ids of the existing subscriptions, by EventSub subscription type."""
        ids = {
            "stream.online": self.online_subscription_id,
            "stream.offline": self.offline_subscription_id,
            "channel.update": self.update_subscription_id,
        }
        return {event_type: known for event_type, known in ids.items() if known}


@dataclass(frozen=True, slots=True)
class Stream:
    """A live stream. Only `id`, `type` and `started_at` come with the event; the rest is None until
    a poll has seen the stream."""

    id: str
    started_at: datetime
    type: str = "live"
    viewer_count: int | None = None
    game_id: str | None = None
    game_name: str | None = None
    title: str | None = None
    language: str | None = None
    tags: tuple[str, ...] | None = None
    thumbnail_url: str | None = None

    @property
    def has_details(self) -> bool:
        """Whether a poll has added what the event does not carry."""
        return self.viewer_count is not None


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One entry of the history. `id` is Twitch's message id and `timestamp` its message timestamp
    for an event received through EventSub; `data` is the event as Twitch sent it. `replaces` is the
    id of the estimated event of the history that this one corrects, and `replaced_at` the time of
    that event, which a storage sets where it differs from `timestamp`."""

    id: str
    event_type: EventType
    broadcaster_id: str
    broadcaster_login: str
    broadcaster_name: str
    timestamp: datetime
    data: dict[str, Any]
    source: Source
    replaces: str | None = None
    replaced_at: datetime | None = field(default=None, compare=False)

    @property
    def position(self) -> Position:
        """The position in a history: that of the replaced event, if there is one."""
        return Position(self.replaced_at or self.timestamp, self.replaces or self.id)

    @property
    def stream_id(self) -> str | None:
        """The stream that went on or off; None for an offline that does not name it."""
        value = self.data.get("id")
        return value if isinstance(value, str) else None


class EventReference(NamedTuple):
    """Names an event of the history."""

    id: str
    event_type: EventType
    timestamp: datetime


@dataclass(frozen=True, slots=True)
class Video:
    """The archived video of a stream. It begins with the stream; `stream_id` is None for an old one
    that does not name its stream. The end of a stream that is on moves with every look."""

    id: str
    stream_id: str | None
    started_at: datetime
    ended_at: datetime
    title: str
    language: str
    url: str


@dataclass(frozen=True, slots=True)
class StreamSnapshot:
    """One sample of a stream, taken by a poll."""

    stream_id: str
    broadcaster_id: str
    broadcaster_login: str
    broadcaster_name: str
    captured_at: datetime
    started_at: datetime
    viewer_count: int
    category_id: str | None
    category_name: str | None
    title: str | None
    language: str | None
    tags: tuple[str, ...]

    @property
    def position(self) -> Position:
        """The position in a list of samples."""
        return Position(self.captured_at, self.stream_id)


class TimelineEntry(NamedTuple):
    """One online or offline on a streamer's timeline (see `timeline`).

    `stream_id` is None for an offline that does not name its stream. `suppressed_event` is the
    event of an entry that adds nothing to the history so far. A message that arrives later, with a
    time before this entry's, can make it an event after all.

    `estimated_at` is set for an estimate: something that a poll found. It is the timestamp of its
    event, while `at` is the time by which it had happened for sure. A tuple, not a dataclass: many
    are read and written with every message.
    """

    at: datetime
    type: EventType
    message_id: str
    stream_id: str | None = None
    started_at: datetime | None = None
    stream_type: str = "live"
    suppressed_event: StreamEvent | None = None
    estimated_at: datetime | None = None

    @property
    def is_estimate(self) -> bool:
        return self.estimated_at is not None

    @property
    def time(self) -> datetime:
        """The timestamp of the entry's event."""
        return self.estimated_at or self.at


class StreamStart(NamedTuple):
    """The start of a stream, as its online event describes it."""

    id: str
    started_at: datetime
    type: str = "live"


class StreamSight(NamedTuple):
    """The last time at which a poll saw a stream on."""

    stream_id: str
    at: datetime


class ChannelInfo(NamedTuple):
    """What a channel shows. A channel without a category has an empty id and name."""

    title: str
    category_id: str
    category_name: str
    language: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes two values different. The name of a category is no difference."""
        return self.title, self.category_id, self.language


class ChannelEntry(NamedTuple):
    """The values of a channel at a time, from a message or, as an estimate, from a poll.

    `is_reported` says whether the history has the event. Else `suppressed_event` is the event.
    """

    at: datetime
    info: ChannelInfo
    message_id: str
    is_estimate: bool = False
    is_reported: bool = False
    suppressed_event: StreamEvent | None = None


@dataclass(frozen=True, slots=True)
class Timeline:
    """The recent onlines and offlines of a streamer, and the state before them.

    `entries` are in the order of their own times. `latest_start`, `is_on` and `last_entries`
    describe the state before the first entry: the stream that started last, whether it was on, and
    the last entry of each stream.
    """

    latest_start: StreamStart | None = None
    is_on: bool = False
    last_entries: tuple[TimelineEntry, ...] = ()
    entries: tuple[TimelineEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """Whether a streamer is live, as of `version` changes.

    `channel` has the recent titles, categories and languages, the newest last. The names are as of
    `named_at`. `seen_at` is the time at which a poll last saw the stream on,
    `absent_at` that of the first poll since then that did not. `sights` are the last sights of the
    other streams of the timeline: a message that arrives late can remove the end of such a stream,
    which is then estimated again. A storage sets `is_removed` for a
    streamer who is no longer monitored, and whose messages may still arrive, and `is_returning`
    for one who was added again, and whose status is hidden until the next change.
    """

    user_id: str
    login: str
    display_name: str
    stream: Stream | None
    last_updated: datetime
    last_event_type: EventType | None = None
    version: int = 0
    timeline: Timeline = field(default_factory=Timeline)
    channel: tuple[ChannelEntry, ...] = ()
    seen_at: datetime | None = None
    absent_at: datetime | None = None
    sights: tuple[StreamSight, ...] = ()
    named_at: datetime | None = None
    is_removed: bool = False
    is_returning: bool = False

    @property
    def is_live(self) -> bool:
        return self.stream is not None


@dataclass(frozen=True, slots=True)
class NameChange:
    """A streamer's names as read at a time, where other names were known."""

    at: datetime
    user_id: str
    login: str
    display_name: str


@dataclass(frozen=True, slots=True)
class WatchEnd:
    """The end of monitoring, at a time when a stream was on. When the stream ends is unknown."""

    at: datetime
    stream_id: str
    user_id: str
    login: str
    display_name: str


@dataclass(frozen=True, slots=True)
class Change:
    """The changes that one observation makes, to be stored atomically.

    `base_version` is the version of the status that it was decided on (0: there was none).
    `message_id` is the EventSub message to remember as seen. `events` are added to the history;
    `replaced_events` are removed from it, each by the event of `events` that names it as what it
    `replaces`, and which takes its place in the order. `events`, `snapshot`, `name_change` and
    `watch_end` are appended to the feed.
    """

    status: StreamStatus
    base_version: int
    previous_login: str | None
    message_id: str | None = None
    events: tuple[StreamEvent, ...] = ()
    snapshot: StreamSnapshot | None = None
    replaced_events: tuple[EventReference, ...] = ()
    name_change: NameChange | None = None
    watch_end: WatchEnd | None = None

    @property
    def positions(self) -> dict[str, datetime]:
        """The position of each event in the order of the history, by event id: its own time or,
        where it replaces another event, the time of that one."""
        replaced = {event.id: event.timestamp for event in self.replaced_events}
        return {
            event.id: replaced.get(event.replaces or "", event.timestamp) for event in self.events
        }

    @property
    def login_is_news(self) -> bool:
        """Whether the streamer was not known by this login before."""
        return self.base_version == 0 or self.previous_login is not None


@dataclass(frozen=True, slots=True)
class Subscription:
    """An EventSub subscription as Twitch lists it. `status` is Twitch's word, and the list of those
    grows: whatever is not healthy or pending is dead."""

    id: str
    type: str
    version: str
    status: str
    condition: dict[str, Any]
    callback: str | None
    created_at: datetime
    cost: int
    conduit_id: str | None = None

    @property
    def user_id(self) -> str | None:
        value = self.condition.get("broadcaster_user_id")
        return value if isinstance(value, str) else None

    @property
    def is_enabled(self) -> bool:
        return self.status == "enabled"

    @property
    def is_pending(self) -> bool:
        return self.status == "webhook_callback_verification_pending"

    @property
    def is_alive(self) -> bool:
        """Whether it is active, or will be once Twitch has received the answer to its challenge."""
        return self.is_enabled or self.is_pending


@dataclass(frozen=True, slots=True)
class AppToken:
    """Twitch's app access token. Its value is left out of its repr: it must reach no log."""

    value: str = field(repr=False)
    expires_at: datetime
