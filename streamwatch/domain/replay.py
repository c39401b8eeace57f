"""What the entries of a timeline say of streams, applied in their order: which stream is on, since
when, and which were replaced by a later one without an end."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from streamwatch.domain.models import EventType, Stream, StreamStart, Timeline, TimelineEntry

_ONLINE, _OFFLINE = EventType.ONLINE, EventType.OFFLINE  # an enum's attributes are slow to read

UNKNOWN_START = datetime.min.replace(tzinfo=UTC)
"""Stands for the start of a stream that only offlines name: before all others."""

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
        return self.latest_start or UNKNOWN_START, self.stream_id


@dataclass(frozen=True, slots=True)
class MissingEnd:
    """A stream that was replaced by a later one without an offline. It ended between `online_at`
    and `next_start`."""

    stream_id: str
    online_at: datetime
    next_start: datetime


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
        start = start_of(entry)
        state.started_at = min(state.started_at or start, start)
        state.latest_start = max(state.latest_start or start, start)
        if not entry.is_estimate and not state.has_online_message:
            state.type, state.has_online_message = entry.stream_type, True
        elif state.online_at is None:
            state.type = entry.stream_type
        if self.latest is None or state.key > self.latest.key:
            self.latest = state


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


def start_of(online: TimelineEntry) -> datetime:
    """The start that an online gives: no later than the online itself."""
    return min(online.started_at or online.at, online.at)
