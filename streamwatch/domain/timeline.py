"""A streamer's timeline: onlines and offlines in the order of their own times.

This is the one place that decides when a stream begins and ends. `transitions` inserts each online
and offline into the timeline of a status; `sessions` replays all of a streamer's events.

An entry comes from a message of Twitch, or is an estimate: what a poll found instead of a message.
Consecutive entries of the same stream and type are one event of the history. The first of them to
arrive becomes the event, the others are suppressed. Twitch's message takes the place of an
estimate. A suppressed entry becomes an event when an entry that arrives later separates it from the
others.
"""

from bisect import insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from streamwatch.domain.models import (
    EventReference,
    EventType,
    Stream,
    StreamEvent,
    StreamStart,
    Timeline,
    TimelineEntry,
)
from streamwatch.domain.updates import HELIX_LAG

_ONLINE, _OFFLINE = EventType.ONLINE, EventType.OFFLINE  # an enum's attributes are slow to read
_UNKNOWN_START = datetime.min.replace(tzinfo=UTC)

TIMELINE_SPAN = timedelta(hours=1)
"""The age up to which a late message is inserted at its own time: six times EventSub's replay
window."""

MAX_TIMELINE_ENTRIES = 80
"""The length of a timeline: both entries of a streamer who restarts every 30 s, for the 20 minutes
from the oldest message to the newest that EventSub's replay window accepts at a time."""

SAME_OFFLINE = timedelta(minutes=1)
"""Two offlines that name no stream, with no online between, are one event within this time."""

MAX_LATENESS = timedelta(minutes=5)
"""Up to this time after an estimated end, an offline that names no stream is the message about that
end. A later one is about a stream whose start was not observed."""

SAME_ONLINE = timedelta(minutes=5)
"""Two onlines of a stream, with only an estimated end between, are one event within this time:
Twitch may send an online again under another message id."""


@dataclass(slots=True)
class StreamState:
    """One stream during a replay.

    `started_at` is its earliest known start, `latest_start` the latest; both are None while only
    offlines name it. `online_at` is the time of the last online that began a run, `ended_at` that
    of the first offline after it. A run is a group of consecutive entries of one type.
    """

    stream_id: str
    started_at: datetime | None = None
    latest_start: datetime | None = None
    type: str = "live"
    has_online_message: bool = False
    online_at: datetime | None = None
    ended_at: datetime | None = None
    last: TimelineEntry | None = None
    online_run: list[TimelineEntry] = field(default_factory=list)
    offline_run: list[TimelineEntry] = field(default_factory=list)

    @property
    def is_on(self) -> bool:
        return self.online_at is not None and self.ended_at is None

    @property
    def key(self) -> tuple[datetime, str]:
        """Orders streams by their start, then by id. A stream without a known start comes first."""
        return self.latest_start or _UNKNOWN_START, self.stream_id


@dataclass(frozen=True, slots=True)
class MissingEnd:
    """A stream that was replaced by a later one without an offline. It ended between `online_at`
    and `next_start`."""

    stream_id: str
    online_at: datetime
    next_start: datetime


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


class Replay:
    """The state after applying entries in their order.

    A broadcaster has one stream at a time, so only the stream that started last, `latest`, can be
    on. An offline without a stream id belongs to the latest stream of its time.
    """

    def __init__(self, timeline: Timeline | None = None) -> None:
        self.streams: dict[str, StreamState] = {}
        self.latest: StreamState | None = None
        self.runs: list[list[TimelineEntry]] = []
        if timeline is not None:
            self._restore(timeline)

    @property
    def live(self) -> Stream | None:
        """The stream that is on, as its online describes it."""
        latest = self.latest
        if latest is None or not latest.is_on or latest.started_at is None:
            return None
        return Stream(latest.stream_id, latest.started_at, latest.type)

    def apply(self, entries: Iterable[TimelineEntry]) -> None:
        for entry in entries:
            stream_id = entry.stream_id or (self.latest.stream_id if self.latest else "")
            state = self.streams.get(stream_id)
            if state is None:
                state = self.streams[stream_id] = StreamState(stream_id)
            if entry.type is _OFFLINE:
                self._apply_offline(state, entry)
            else:
                self._apply_online(state, entry)

    def missing_ends(self) -> Iterator[MissingEnd]:
        """The streams that are replaced by a later one, but have no offline."""
        for state in self.streams.values():
            if state.is_on and state is not self.latest and state.online_at is not None:
                next_start = self.next_start(state)
                if next_start is not None:
                    yield MissingEnd(state.stream_id, state.online_at, next_start)

    def next_start(self, state: StreamState) -> datetime | None:
        """The start of the stream after this one; None for the latest."""
        later = [
            other.started_at
            for other in self.streams.values()
            if other.started_at is not None and other.key > state.key
        ]
        return min(later, default=None)

    def as_base(self) -> Timeline:
        """The state as the base of a timeline without entries."""
        latest = self.latest
        state = latest or self.streams.get("")
        last = state.last if state else None
        if last is None or state is None:
            return Timeline()
        entry = last._replace(stream_id=state.stream_id, suppressed_event=None)
        if latest is None or latest.latest_start is None:
            return Timeline(last_entries=(entry,))
        start = StreamStart(latest.stream_id, latest.latest_start, latest.type)
        return Timeline(start, latest.is_on, (entry,))

    def _restore(self, timeline: Timeline) -> None:
        """Continue from the state before the timeline's first entry."""
        for entry in timeline.last_entries:
            state = StreamState(entry.stream_id or "", last=entry)
            run = state.offline_run if entry.type is _OFFLINE else state.online_run
            run.append(entry)
            self.runs.append(run)
            self.streams[state.stream_id] = state
        start = timeline.latest_start
        if start is None:
            return
        state = self.streams.setdefault(start.id, StreamState(start.id))
        state.started_at = state.latest_start = start.started_at
        # "live" may be the type that polls show, which a message still replaces.
        state.type, state.has_online_message = start.type, start.type != "live"
        last = state.last
        state.online_at = last.at if last and last.type is _ONLINE else start.started_at
        if not timeline.is_on:
            state.ended_at = last.time if last and last.type is _OFFLINE else state.online_at
        self.latest = state

    def _apply_offline(self, state: StreamState, entry: TimelineEntry) -> None:
        before = state.last
        if before is None or before.type is not _OFFLINE or not _is_same_offline(before, entry):
            if state.ended_at is None:
                state.ended_at = entry.time
            state.offline_run = [entry]
            self.runs.append(state.offline_run)
            state.last = entry
            return
        state.offline_run.append(entry)
        if before.is_estimate and not entry.is_estimate and state.online_at is not None:
            state.ended_at = entry.time
        if before.is_estimate or not entry.is_estimate:
            state.last = entry

    def _apply_online(self, state: StreamState, entry: TimelineEntry) -> None:
        self._record_start(state, entry)
        before = state.last
        if before is not None and before.type is _OFFLINE and _is_same_online(state, entry):
            state.online_run.append(entry)
            return
        if before is not None and before.type is _ONLINE:
            state.online_run.append(entry)
        else:
            state.ended_at = None
            state.online_run = [entry]
            self.runs.append(state.online_run)
        state.online_at = entry.at
        state.last = entry

    def _record_start(self, state: StreamState, entry: TimelineEntry) -> None:
        """Take the start that an online gives: no later than the online itself."""
        start = _start_of(entry)
        state.started_at = min(state.started_at or start, start)
        state.latest_start = max(state.latest_start or start, start)
        if not entry.is_estimate and not state.has_online_message:
            state.type, state.has_online_message = entry.stream_type, True
        elif state.online_at is None:
            state.type = entry.stream_type
        if self.latest is None or state.key > self.latest.key:
            self.latest = state


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


def replay(timeline: Timeline) -> Replay:
    """The state after all entries of `timeline`."""
    state = Replay(timeline)
    state.apply(timeline.entries)
    return state


def is_superseded(stream: Stream, latest: StreamState | None) -> bool:
    """Whether another stream started later. The same stream never supersedes itself, although
    EventSub gives its start with fractions of a second and Helix without."""
    return (
        latest is not None
        and latest.stream_id != stream.id
        and (stream.started_at, stream.id) < latest.key
    )


def _is_same_offline(before: TimelineEntry, entry: TimelineEntry) -> bool:
    """Whether two offlines of a stream, with no online between, are one event."""
    if entry.stream_id is not None or entry.is_estimate:
        return True
    return entry.at - before.at <= (MAX_LATENESS if before.is_estimate else SAME_OFFLINE)


def _is_same_online(state: StreamState, entry: TimelineEntry) -> bool:
    """Whether an online after an estimated end repeats the online before it."""
    before = state.last
    return (
        before is not None
        and before.is_estimate
        and not entry.is_estimate
        and state.online_at is not None
        and bool(state.online_run)
        and entry.at - state.online_at <= SAME_ONLINE
    )


def _own_entries(
    stream_id: str | None, entries: Iterable[TimelineEntry], base: Timeline
) -> list[TimelineEntry]:
    """The last entry of `base` and those of `entries` that are about the stream, as `Replay` finds:
    an offline that names no stream is about the one that started last.

    No other entry may matter: sessions are computed without those of older streams.
    """
    start = base.latest_start
    latest = (start.started_at, start.id) if start else (_UNKNOWN_START, "")
    own = []
    for entry in (*base.last_entries[-1:], *entries):
        if entry.type is _ONLINE:
            latest = max(latest, (_start_of(entry), entry.stream_id or ""))
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


def _start_of(online: TimelineEntry) -> datetime:
    """The start that an online gives: no later than the online itself."""
    return min(online.started_at or online.at, online.at)


def _order(entry: TimelineEntry) -> tuple[datetime, bool, str]:
    return entry.at, entry.type is _OFFLINE, entry.message_id


def _settled(entries: Sequence[TimelineEntry]) -> int:
    """The number of leading entries that are too old for a message to arrive before them."""
    oldest = entries[-1].at - TIMELINE_SPAN
    first = max(len(entries) - MAX_TIMELINE_ENTRIES, 0)
    return next(index for index in range(first, len(entries)) if entries[index].at >= oldest)
