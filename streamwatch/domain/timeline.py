"""A streamer's timeline: onlines and offlines in the order of their own times.

Replaying the entries gives the stream that is on, and the entries that are events of the history.
Consecutive entries of the same stream and type are one event. The first of them to arrive becomes
the event; the others are suppressed, and become events only when an entry that arrives later, with
a time between them, separates them.
"""

from bisect import insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from streamwatch.domain.models import (
    EventType,
    Stream,
    StreamEvent,
    StreamStart,
    Timeline,
    TimelineEntry,
)

_OFFLINE = EventType.OFFLINE  # to look it up in the enum takes a tenth of a replay

TIMELINE_SPAN = timedelta(hours=1)
"""The age up to which a late message is inserted at its own time: six times EventSub's replay
window."""

MAX_TIMELINE_ENTRIES = 16
"""The length of a timeline. Every entry is read and written with every message."""

SAME_OFFLINE = timedelta(minutes=1)
"""Two offlines that name no stream, with no online between, are one event within this time."""


@dataclass(frozen=True, slots=True)
class Insertion:
    """The result of inserting an entry: the new timeline, the stream that is on, the type of the
    last entry, and the events to add to the history."""

    timeline: Timeline
    live: Stream | None
    last_type: EventType
    events: tuple[StreamEvent, ...]


def insert(timeline: Timeline, entry: TimelineEntry) -> Insertion | None:
    """Insert `entry`, whose event is suppressed, at its own time. None if the timeline has it."""
    entries = list(timeline.entries)
    if entry.message_id in [known.message_id for known in entries]:
        return None
    insort(entries, entry, key=_order)
    settled = _settled(entries)
    state = Replay(timeline)
    state.apply(entries[:settled])
    base = state.as_base() if settled else timeline
    state.apply(entries[settled:])
    events = tuple(_new_events(state.runs))
    ids = {event.id for event in events}
    remaining = [
        item._replace(suppressed_event=None) if item.message_id in ids else item
        for item in entries[settled:]
    ]
    return Insertion(
        timeline=Timeline(base.latest_start, base.is_on, base.last_entries, tuple(remaining)),
        live=Stream(*state.latest_start) if state.is_on and state.latest_start else None,
        last_type=entries[-1].type,
        events=events,
    )


class Replay:
    """The state after applying entries in their order.

    A broadcaster has one stream at a time, so only the stream that started last can be on.
    `last_entries` has the last entry of each stream. `runs` are the groups of consecutive entries
    of one stream and one type, without a group whose event is older than the timeline.
    """

    def __init__(self, timeline: Timeline) -> None:
        self.latest_start = timeline.latest_start
        self.is_on = timeline.is_on
        self.last_entries = {entry.stream_id or "": entry for entry in timeline.last_entries}
        self.runs: list[list[TimelineEntry]] = []
        self._open_runs: dict[str, list[TimelineEntry]] = {}

    def apply(self, entries: Iterable[TimelineEntry]) -> None:
        last_entries, open_runs = self.last_entries, self._open_runs
        for entry in entries:
            stream_id = entry.stream_id or (self.latest_start.id if self.latest_start else "")
            before = last_entries.get(stream_id)
            last_entries[stream_id] = entry
            if self._switch(entry, stream_id) or before is None or _differs(before, entry):
                open_runs[stream_id] = [entry]
                self.runs.append(open_runs[stream_id])
            elif stream_id in open_runs:
                open_runs[stream_id].append(entry)

    def as_base(self) -> Timeline:
        """The state as the base of a timeline without entries."""
        stream_id = self.latest_start.id if self.latest_start else ""
        last = self.last_entries.get(stream_id)
        last_entries = (last._replace(stream_id=stream_id, suppressed_event=None),) if last else ()
        return Timeline(self.latest_start, self.is_on, last_entries)

    def _switch(self, entry: TimelineEntry, stream_id: str) -> bool:
        """Let `entry` switch the live stream on or off. Returns whether it did."""
        is_on = self.is_on and self.latest_start is not None and self.latest_start.id == stream_id
        if entry.type is _OFFLINE:
            self.is_on = self.is_on and not is_on
            return is_on
        if is_on:
            return False
        start = StreamStart(stream_id, entry.started_at or entry.at, entry.stream_type)
        if is_superseded(start, self.latest_start):
            return False
        self.latest_start, self.is_on = start, True
        return True


def replay(timeline: Timeline) -> Replay:
    """The state after all entries of `timeline`."""
    state = Replay(timeline)
    state.apply(timeline.entries)
    return state


def is_superseded(stream: Stream | StreamStart, latest: StreamStart | None) -> bool:
    """Whether another stream started later. The same stream never supersedes itself, although
    EventSub gives its start with fractions of a second and Helix without."""
    return latest is not None and latest.id != stream.id and stream.started_at < latest.started_at


def _differs(before: TimelineEntry, entry: TimelineEntry) -> bool:
    """Whether `entry` is another event than `before`, the entry before it of the same stream."""
    if before.type is not entry.type:
        return True
    if entry.type is not _OFFLINE or entry.stream_id is not None:
        return False
    return entry.at - before.at > SAME_OFFLINE


def _new_events(runs: Iterable[list[TimelineEntry]]) -> Iterable[StreamEvent]:
    """One event for each run that has none in the history yet."""
    for run in runs:
        first = run[0].suppressed_event
        if first is not None and all(entry.suppressed_event for entry in run):
            yield first


def _order(entry: TimelineEntry) -> tuple[datetime, bool, str]:
    return entry.at, entry.type is _OFFLINE, entry.message_id


def _settled(entries: Sequence[TimelineEntry]) -> int:
    """The number of first entries that are too old for a message to arrive before them."""
    oldest = entries[-1].at - TIMELINE_SPAN
    first = max(len(entries) - MAX_TIMELINE_ENTRIES, 0)
    return next(index for index in range(first, len(entries)) if entries[index].at >= oldest)
