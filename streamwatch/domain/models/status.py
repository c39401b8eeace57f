"""The status of a streamer, and the changes that an observation makes."""

from dataclasses import dataclass, field
from datetime import datetime

from streamwatch.domain.models.channel import ChannelEntry
from streamwatch.domain.models.events import EventReference, EventType, StreamEvent
from streamwatch.domain.models.streamers import NameChange
from streamwatch.domain.models.streams import Stream, StreamSnapshot
from streamwatch.domain.models.timeline import StreamLastSeen, Timeline


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """Whether a streamer is live, after `version` changes.

    `channel` has the recent titles, categories and languages, the newest last. The names were read
    at `named_at`. `seen_at` is when a poll last saw the stream, `absent_at` when the first poll
    after that did not see it. `last_seen` says when polls last saw the other streams of the
    timeline: a message that arrives late can remove the end of such a stream, which is then
    estimated again.

    A storage sets `is_removed` for a streamer who is no longer monitored, but whose messages may
    still arrive. It sets `is_returning` for a streamer who was added again, and hides the status
    until the next change.
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
    last_seen: tuple[StreamLastSeen, ...] = ()
    named_at: datetime | None = None
    is_removed: bool = False
    is_returning: bool = False

    @property
    def is_live(self) -> bool:
        return self.stream is not None


@dataclass(frozen=True, slots=True)
class MonitoringEnd:
    """The end of monitoring while a stream was on. When that stream ended is not known."""

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
    `replaced_events` are removed from it: an event whose `replaces` names one of them takes its
    place in the order. `events`, `snapshot`, `name_change` and `monitoring_end` are appended to the
    feed.
    """

    status: StreamStatus
    base_version: int
    previous_login: str | None
    message_id: str | None = None
    events: tuple[StreamEvent, ...] = ()
    snapshot: StreamSnapshot | None = None
    replaced_events: tuple[EventReference, ...] = ()
    name_change: NameChange | None = None
    monitoring_end: MonitoringEnd | None = None

    @property
    def positions(self) -> dict[str, datetime]:
        """The position of each event in the order of the history, by event id: its own time or,
        where it replaces another event, the time of that one."""
        replaced = {event.id: event.timestamp for event in self.replaced_events}
        return {
            event.id: replaced.get(event.replaces or "", event.timestamp) for event in self.events
        }

    @property
    def is_new_login(self) -> bool:
        """Whether the login is new for this streamer."""
        return self.base_version == 0 or self.previous_login is not None
