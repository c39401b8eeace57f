"""A streamer's timeline: onlines and offlines in the order of their own times.

With `replay`, this is the one place that decides when a stream begins and ends. `transitions`
inserts each online and offline into the timeline of a status; `spans` replays all of a streamer's
events.

An entry comes from a message of Twitch, or is an estimate: what a poll found instead of a message.
Consecutive entries of the same stream and type are one event of the history. The first of them to
arrive becomes the event, the others are suppressed. Twitch's message takes the place of an
estimate. A suppressed entry becomes an event when an entry that arrives later separates it from the
others.
"""

from bisect import insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from streamwatch.domain.models import (
    EventReference,
    EventType,
    Stream,
    StreamEvent,
    Timeline,
    TimelineEntry,
)
from streamwatch.domain.replay import SAME_OFFLINE, UNKNOWN_START, MissingEnd, Replay, start_of
from streamwatch.domain.updates import HELIX_LAG

_ONLINE, _OFFLINE = EventType.ONLINE, EventType.OFFLINE  # an enum's attributes are slow to read

TIMELINE_SPAN = timedelta(hours=1)
"""The age up to which a late message is inserted at its own time: six times EventSub's replay
window."""

MAX_TIMELINE_ENTRIES = 80
"""The length of a timeline: both entries of a streamer who restarts every 30 s, for the 20 minutes
from the oldest message to the newest that EventSub's replay window accepts at a time."""


@dataclass(frozen=True, slots=True)
class Insertion:
    """The result of inserting an entry into a timeline.

    `live` is the stream that is on, `last_type` the type of the last entry. `events` are to be
    added to the history, `replaced_events` to be replaced by those of `events` that name them.
    """

    timeline: Timeline
    live: Stream | None
    last_type: EventType | None
    events: tuple[StreamEvent, ...]
    replaced_events: tuple[EventReference, ...]
    missing_ends: tuple[MissingEnd, ...]


def insert(timeline: Timeline, entry: TimelineEntry) -> Insertion | None:
    """Insert `entry`, whose event is suppressed, at its own time. None if the timeline has it."""
    if entry.message_id in [known.message_id for known in timeline.entries]:
        return None
    entries = in_order([*timeline.entries, entry], timeline)
    settled = _settled(entries)
    state = Replay(timeline)
    state.apply(entries[:settled])
    base = state.as_base() if settled else timeline
    state.apply(entries[settled:])
    outcome = _Outcome(state.runs)
    remaining = tuple(outcome.updated(entries[settled:]))
    return Insertion(
        timeline=Timeline(base.latest_start, base.is_on, base.last_entries, remaining),
        live=state.live,
        last_type=remaining[-1].type if remaining else None,
        events=tuple(outcome.events),
        replaced_events=tuple(outcome.replaced_events),
        missing_ends=tuple(state.missing_ends()),
    )


def in_order(entries: Iterable[TimelineEntry], base: Timeline | None = None) -> list[TimelineEntry]:
    """Sort entries by their times, an online before an offline of the same time. `base` is the
    timeline whose state they follow.

    A poll can find an online too late, after the offline that follows it: Twitch can name the start
    of a short stream later than its end, and Helix lags behind. Such an online is placed at that
    offline, so that it does not count as the stream's return.
    """
    ordered = sorted(entries, key=_order)
    base = base or Timeline()
    for online in [entry for entry in ordered if entry.is_estimate and entry.type is _ONLINE]:
        earlier = [entry for entry in ordered if entry.at < online.at]
        end = _end_of(online, _own_entries(online.stream_id, earlier, base))
        if end is not None:
            ordered.remove(online)
            insort(ordered, online._replace(at=end.at), key=_order)
    return ordered


class _Outcome:
    """The events of the runs that the history does not have yet, and the entries that change."""

    def __init__(self, runs: Iterable[Sequence[TimelineEntry]]) -> None:
        self.events: list[StreamEvent] = []
        self.replaced_events: list[EventReference] = []
        self._reported: set[str] = set()
        self._dropped: set[str] = set()
        for run in runs:
            self._add(run)

    def updated(self, entries: Iterable[TimelineEntry]) -> Iterator[TimelineEntry]:
        """`entries` without the estimates that messages have replaced."""
        for entry in entries:
            if entry.message_id in self._reported:
                yield entry._replace(suppressed_event=None)
            elif entry.message_id not in self._dropped:
                yield entry

    def _add(self, run: Sequence[TimelineEntry]) -> None:
        if len(run) == 1 and run[0].suppressed_event is None:
            return  # the usual run: its event is in the history
        messages = [entry for entry in run if not entry.is_estimate]
        reported = [entry for entry in run if entry.suppressed_event is None]
        if messages:
            self._dropped |= {entry.message_id for entry in run if entry.is_estimate}
        if any(not entry.is_estimate for entry in reported):
            return
        first = messages[0] if messages else run[0]
        event = first.suppressed_event
        if event is None or (reported and not messages):
            return
        if reported:
            estimate = reported[0]
            event = replace(event, replaces=estimate.message_id)
            self.replaced_events.append(
                EventReference(estimate.message_id, estimate.type, estimate.time)
            )
        self.events.append(event)
        self._reported.add(first.message_id)


def _own_entries(
    stream_id: str | None, entries: Iterable[TimelineEntry], base: Timeline
) -> list[TimelineEntry]:
    """The last entry of `base` and those of `entries` that are about the stream, as `Replay` finds:
    an offline that names no stream is about the one that started last.

    No other entry may matter: sessions are computed without those of older streams.
    """
    start = base.latest_start
    latest = (start.started_at, start.id) if start else (UNKNOWN_START, "")
    own = []
    for entry in (*base.last_entries[-1:], *entries):
        if entry.type is _ONLINE:
            latest = max(latest, (start_of(entry), entry.stream_id or ""))
        if (entry.stream_id or latest[1]) == stream_id:
            own.append(entry)
    return own


def _end_of(online: TimelineEntry, earlier: Sequence[TimelineEntry]) -> TimelineEntry | None:
    """Of its stream's entries before `online`, which a poll found, the message about the end after
    it."""
    if online.started_at is not None and online.started_at >= online.at:  # the stream's first
        ends = (entry for entry in earlier if entry.stream_id == online.stream_id)
    else:
        ends = (
            entry
            for previous, entry in pairwise(earlier)
            if _is_second_end(previous, entry) and online.at < entry.at + HELIX_LAG
        )
    return next((end for end in ends if end.type is _OFFLINE and not end.is_estimate), None)


def _is_second_end(previous: TimelineEntry, end: TimelineEntry) -> bool:
    """Whether two entries in succession are offlines that prove an online between them."""
    return (
        previous.type is end.type is _OFFLINE
        and not previous.is_estimate
        and end.at - previous.at > SAME_OFFLINE
    )


def _order(entry: TimelineEntry) -> tuple[datetime, bool, str]:
    return entry.at, entry.type is _OFFLINE, entry.message_id


def _settled(entries: Sequence[TimelineEntry]) -> int:
    """The number of leading entries that are too old for a message to arrive before them."""
    oldest = entries[-1].at - TIMELINE_SPAN
    first = max(len(entries) - MAX_TIMELINE_ENTRIES, 0)
    return next(index for index in range(first, len(entries)) if entries[index].at >= oldest)
