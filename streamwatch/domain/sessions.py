"""Makes sessions of events and samples. The result depends on the set of events and samples, not on
the order in which they arrived.

The rule is that of `transitions`, applied per stream: every event counts at its own time; an
offline ends the stream that it names, or else the stream that, of those known at that time, started
last; only the stream that started last can be on. A property test ties the two together.

Times are cut to milliseconds in `session_event` and `normalize_sample`, so that all databases store
the same values.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from streamwatch.domain.models import EventType, StreamEvent, StreamSnapshot
from streamwatch.domain.statistics import SampleTotals, compute_totals, milliseconds
from streamwatch.domain.times import parse_time, to_milliseconds

MAX_VIEWERS = 2**31 - 1
"""Larger counts are invalid, and would overflow the sums."""


class InvalidObservation(Exception):
    """An event or sample that no session can be made of. The text says why."""


class Kind(StrEnum):
    """The kinds of session events."""

    ONLINE = "online"
    OFFLINE = "offline"
    SEEN = "seen"
    """A poll saw the stream on. A stream has at most one, of its first poll. It opens the session
    of a stream without an online event."""


@dataclass(frozen=True, slots=True)
class SessionEvent:
    """An event that begins or ends sessions.

    `stream_id` is None for an offline that does not name its stream. `started_at` is the stream's
    start, None for offlines. The `at` of an online is never before its `started_at`.
    """

    id: str
    kind: Kind
    at: datetime
    broadcaster_id: str
    broadcaster_login: str
    broadcaster_name: str
    stream_id: str | None
    started_at: datetime | None = None

    @property
    def key(self) -> tuple[datetime, str]:
        """Orders streams by their start, then by id."""
        return self.started_at or self.at, self.stream_id or ""


@dataclass(frozen=True, slots=True, order=True)
class ObservedName:
    """The names of a streamer as observed at a time. The greatest is the newest."""

    at: datetime
    login: str
    name: str


@dataclass(frozen=True, slots=True)
class Identity:
    """A streamer: the names of the newest observation, and the time of the first."""

    broadcaster_id: str
    latest_name: ObservedName
    first_seen_at: datetime

    def merge(self, other: "Identity") -> "Identity":
        return Identity(
            self.broadcaster_id,
            max(self.latest_name, other.latest_name),
            min(self.first_seen_at, other.first_seen_at),
        )


@dataclass(frozen=True, slots=True)
class ProjectionInput:
    """Events and samples to store, of any streamers, in any order. Every sample comes with its SEEN
    event."""

    events: tuple[SessionEvent, ...] = ()
    samples: tuple[StreamSnapshot, ...] = ()

    def __add__(self, other: "ProjectionInput") -> "ProjectionInput":
        return ProjectionInput(self.events + other.events, self.samples + other.samples)


@dataclass(frozen=True, slots=True)
class Span:
    """When a stream was on, according to the events.

    `online_at` is the time of its last online, `ended_at` that of the offline after it.
    `superseded` says whether a stream that started later is known.
    """

    stream_id: str
    broadcaster_id: str
    started_at: datetime
    online_at: datetime
    ended_at: datetime | None
    superseded: bool


@dataclass(frozen=True, slots=True)
class StreamSession:
    """A stream from its start to its end. `ended_at` is None while it is on; `seen_at` is when it
    was last seen on, by a sample or an event."""

    stream_id: str
    broadcaster_id: str
    broadcaster_login: str
    broadcaster_name: str
    started_at: datetime
    ended_at: datetime | None
    seen_at: datetime
    sample_totals: SampleTotals = field(default_factory=SampleTotals)

    @property
    def is_ongoing(self) -> bool:
        return self.ended_at is None

    @property
    def airtime_ms(self) -> int:
        """From start to end; of an ongoing stream, to when it was last seen."""
        return milliseconds((self.ended_at or self.seen_at) - self.started_at)

    @property
    def coverage(self) -> float:
        """The fraction of the airtime that samples cover, between 0 and 1."""
        observed = self.sample_totals.sums.observed_ms
        return min(observed / self.airtime_ms, 1.0) if self.airtime_ms else 0.0


def projection_input(
    events: Iterable[StreamEvent], snapshot: StreamSnapshot | None
) -> ProjectionInput:
    """The session events and the sample of one commit. Raises InvalidObservation."""
    session_events = tuple(session_event(event) for event in events)
    if snapshot is None:
        return ProjectionInput(session_events)
    sample = normalize_sample(snapshot)
    return ProjectionInput((*session_events, _seen(sample)), (sample,))


def session_event(event: StreamEvent) -> SessionEvent:
    """The session event of `event`. Raises InvalidObservation where an online lacks id or start."""
    at, started_at = to_milliseconds(event.timestamp), None
    if event.event_type is EventType.ONLINE:
        try:
            started_at = to_milliseconds(parse_time(event.data["started_at"]))
        except (KeyError, TypeError, ValueError):
            raise InvalidObservation(f"The online {event.id!r} has no start time.") from None
        if not event.stream_id:
            raise InvalidObservation(f"The online {event.id!r} names no stream.")
    return SessionEvent(
        id=event.id,
        kind=Kind.OFFLINE if started_at is None else Kind.ONLINE,
        at=at if started_at is None else max(at, started_at),
        broadcaster_id=event.broadcaster_id,
        broadcaster_login=event.broadcaster_login,
        broadcaster_name=event.broadcaster_name,
        stream_id=event.stream_id or None,
        started_at=started_at,
    )


def normalize_sample(snapshot: StreamSnapshot) -> StreamSnapshot:
    """A snapshot as it is stored, with times in whole milliseconds. Raises InvalidObservation."""
    if not 0 <= snapshot.viewer_count <= MAX_VIEWERS:
        raise InvalidObservation(f"{snapshot.viewer_count} is not a valid number of viewers.")
    return replace(
        snapshot,
        captured_at=to_milliseconds(snapshot.captured_at),
        started_at=to_milliseconds(snapshot.started_at),
    )


def identities(events: Iterable[SessionEvent]) -> dict[str, Identity]:
    """The observed streamers, by user id."""
    found: dict[str, Identity] = {}
    for event in events:
        name = ObservedName(event.at, event.broadcaster_login, event.broadcaster_name)
        identity = Identity(event.broadcaster_id, name, event.at)
        found[event.broadcaster_id] = identity.merge(found.get(event.broadcaster_id, identity))
    return found


def _seen(sample: StreamSnapshot) -> SessionEvent:
    return SessionEvent(
        id=f"seen:{sample.stream_id}",
        kind=Kind.SEEN,
        at=max(sample.captured_at, sample.started_at),
        broadcaster_id=sample.broadcaster_id,
        broadcaster_login=sample.broadcaster_login,
        broadcaster_name=sample.broadcaster_name,
        stream_id=sample.stream_id,
        started_at=sample.started_at,
    )


def merge_events(known: SessionEvent | None, new: SessionEvent) -> SessionEvent:
    """The event to store where `known` has the same id: the earlier of two SEEN, else the known."""
    if known is None or known.kind is not Kind.SEEN:
        return known or new
    return replace(
        known,
        at=min(known.at, new.at),
        started_at=min(known.key, new.key)[0],
    )


@dataclass(slots=True)
class _Stream:
    """The state of one stream during a replay of the events."""

    broadcaster_id: str
    started_at: datetime
    latest_start: datetime
    online_at: datetime | None = None
    ended_at: datetime | None = None


def spans(events: Iterable[SessionEvent]) -> dict[str, Span]:
    """The span of each stream whose start is known. `events` are all of one streamer."""
    events = sorted(events, key=_order)
    with_online = {event.stream_id for event in events if event.kind is Kind.ONLINE}
    streams: dict[str, _Stream] = {}
    latest: tuple[datetime, str] | None = None
    for event in events:
        if event.kind is Kind.OFFLINE:
            stream_id = event.stream_id or (latest[1] if latest else "")
            if stream_id in streams and streams[stream_id].ended_at is None:
                streams[stream_id].ended_at = event.at
            continue
        stream = _started(streams, event)
        latest = max(latest or event.key, event.key)
        if event.kind is Kind.ONLINE or event.stream_id not in with_online:
            stream.online_at, stream.ended_at = event.at, None
    return {
        stream_id: Span(
            stream_id=stream_id,
            broadcaster_id=stream.broadcaster_id,
            started_at=stream.started_at,
            online_at=stream.online_at,
            ended_at=stream.ended_at,
            superseded=(stream.latest_start, stream_id) != latest,
        )
        for stream_id, stream in streams.items()
        if stream.online_at
    }


def session(
    span: Span,
    events: Iterable[SessionEvent],
    samples: Sequence[StreamSnapshot],
    cap: timedelta,
    before: StreamSession | None = None,
) -> StreamSession:
    """The session of the stream with this span.

    `events` are its streamer's, `samples` its own. A stream without an offline ended when it was
    last seen, once a later stream is known. `before` is the stored session: the totals of samples
    that have expired since are taken from it, and only samples after its last are added.
    """
    samples = sorted(samples, key=lambda sample: sample.captured_at)
    carried = before.sample_totals if before and _has_lost(before.sample_totals, samples) else None
    newest = [*samples[-1:], *([carried.last] if carried and carried.last else [])]
    last = max(newest, key=lambda sample: sample.captured_at, default=None)
    seen_at = max(span.online_at, last.captured_at) if last else span.online_at
    ended_at = span.ended_at or (seen_at if span.superseded else None)
    name = max(_names(span.stream_id, events, last))
    return StreamSession(
        stream_id=span.stream_id,
        broadcaster_id=span.broadcaster_id,
        broadcaster_login=name.login,
        broadcaster_name=name.name,
        started_at=span.started_at,
        ended_at=ended_at,
        seen_at=seen_at,
        sample_totals=compute_totals(samples, ended_at, cap, carried),
    )


def _has_lost(before: SampleTotals, samples: Sequence[StreamSnapshot]) -> bool:
    """Whether samples that were counted have expired. The oldest expire first."""
    if before.first_at is None:
        return False
    retained = {sample.captured_at for sample in samples}
    return before.first_at not in retained or len(retained) < before.sums.samples


def _names(
    stream_id: str, events: Iterable[SessionEvent], last: StreamSnapshot | None
) -> Iterator[ObservedName]:
    """The names of the stream's events and of its last sample."""
    for event in events:
        if event.stream_id == stream_id and (event.kind is not Kind.SEEN or last is None):
            yield ObservedName(event.at, event.broadcaster_login, event.broadcaster_name)
    if last is not None:
        yield ObservedName(last.captured_at, last.broadcaster_login, last.broadcaster_name)


def _started(streams: dict[str, _Stream], event: SessionEvent) -> _Stream:
    """The stream of an ONLINE or SEEN event, with the start that the event gives."""
    started_at, stream_id = event.key
    stream = streams.setdefault(stream_id, _Stream(event.broadcaster_id, started_at, started_at))
    stream.started_at = min(stream.started_at, started_at)
    stream.latest_start = max(stream.latest_start, started_at)
    return stream


def _order(event: SessionEvent) -> tuple[datetime, bool, str]:
    return event.at, event.kind is Kind.OFFLINE, event.id
