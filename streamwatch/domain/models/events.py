"""Events of the history."""

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
    """How StreamWatch learned of an event."""

    EVENTSUB = "eventsub"
    POLL = "poll"
    LOOKUP = "lookup"


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
        """The stream that went live or ended; None for an offline that does not name it."""
        value = self.data.get("id")
        return value if isinstance(value, str) else None


class EventReference(NamedTuple):
    """Names an event of the history."""

    id: str
    event_type: EventType
    timestamp: datetime
