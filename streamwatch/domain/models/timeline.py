"""The recent onlines and offlines of a streamer (see `domain.timeline`)."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from streamwatch.domain.models.events import EventType, StreamEvent


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


class StreamLastSeen(NamedTuple):
    """The last time at which a poll saw a stream on."""

    stream_id: str
    at: datetime


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
