"""The rule that makes sessions of what was observed: a function of the set of observations, not of
their order of arrival.

It is the rule of `transitions`, seen from the streams' side: every event has its place by its own
time; an offline ends the stream that it names, or else the one that had started last by then; the
stream that is on is the one that started last, unless it ended. A test holds the two together.

Times are cut to milliseconds on entry, in `fact` and `sample`, so that all databases agree.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from streamwatch.domain.models import EventType, StreamEvent, StreamSnapshot
from streamwatch.domain.statistics import Sampled, milliseconds, sampled
from streamwatch.domain.times import parse_time, to_milliseconds

MAX_VIEWERS = 2**31 - 1
"""More is no number of viewers, and would overflow the sums."""


class Unusable(Exception):
    """An observation of which no session can be made; the text says why."""


class Kind(StrEnum):
    """What a fact says of a stream."""

    ONLINE = "online"
    OFFLINE = "offline"
    SEEN = "seen"
    """A poll saw it on. There is one such fact a stream, of the first poll: it opens the session
    of a stream whose online was never heard of."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that was observed of a streamer. `stream_id` is None for an offline that does not
    name its stream; `started_at` is None for all offlines. An online is no earlier than the start
    it tells."""

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
        """What orders streams by a fact that tells their start: the greater started later."""
        return self.started_at or self.at, self.stream_id or ""


@dataclass(frozen=True, slots=True, order=True)
class Named:
    """A streamer's names as they were observed at a time; the greatest is the newest."""

    at: datetime
    login: str
    name: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who was observed: the names of the newest observation, and when the first was made."""

    broadcaster_id: str
    named: Named
    first_seen_at: datetime

    def merged(self, other: "Identity") -> "Identity":
        return Identity(
            self.broadcaster_id,
            max(self.named, other.named),
            min(self.first_seen_at, other.first_seen_at),
        )


@dataclass(frozen=True, slots=True)
class Observed:
    """Facts and samples to be kept, of any streamers, in no order. With every sample goes its
    SEEN."""

    facts: tuple[Fact, ...] = ()
    samples: tuple[StreamSnapshot, ...] = ()

    def __add__(self, other: "Observed") -> "Observed":
        return Observed(self.facts + other.facts, self.samples + other.samples)


@dataclass(frozen=True, slots=True)
class Span:
    """When a stream was on, as far as facts tell. `heard_at` is when it last went on; `ended_at`
    the offline after that; `superseded`, whether a stream that started later is known."""

    stream_id: str
    broadcaster_id: str
    started_at: datetime
    heard_at: datetime
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
    sampled: Sampled = field(default_factory=Sampled)

    @property
    def is_ongoing(self) -> bool:
        return self.ended_at is None

    @property
    def airtime_ms(self) -> int:
        """From start to end; of an ongoing stream, to when it was last seen."""
        return milliseconds((self.ended_at or self.seen_at) - self.started_at)

    @property
    def coverage(self) -> float:
        """The part of the airtime that samples stand for, between 0 and 1."""
        observed = self.sampled.sums.observed_ms
        return min(observed / self.airtime_ms, 1.0) if self.airtime_ms else 0.0


def observed(events: Iterable[StreamEvent], snapshot: StreamSnapshot | None) -> Observed:
    """What one commit told. Raises Unusable."""
    facts = tuple(fact(event) for event in events)
    if snapshot is None:
        return Observed(facts)
    taken = sample(snapshot)
    return Observed((*facts, _seen(taken)), (taken,))


def fact(event: StreamEvent) -> Fact:
    """The fact that an event tells. Raises Unusable where an online lacks what it must have."""
    at, started_at = to_milliseconds(event.timestamp), None
    if event.event_type is EventType.ONLINE:
        try:
            started_at = to_milliseconds(parse_time(event.data["started_at"]))
        except (KeyError, TypeError, ValueError):
            raise Unusable(f"The online {event.id!r} has no time of start.") from None
        if not event.stream_id:
            raise Unusable(f"The online {event.id!r} names no stream.")
    return Fact(
        id=event.id,
        kind=Kind.OFFLINE if started_at is None else Kind.ONLINE,
        at=at if started_at is None else max(at, started_at),
        broadcaster_id=event.broadcaster_id,
        broadcaster_login=event.broadcaster_login,
        broadcaster_name=event.broadcaster_name,
        stream_id=event.stream_id or None,
        started_at=started_at,
    )


def sample(snapshot: StreamSnapshot) -> StreamSnapshot:
    """A snapshot in the form in which it is kept. Raises Unusable."""
    if not 0 <= snapshot.viewer_count <= MAX_VIEWERS:
        raise Unusable(f"{snapshot.viewer_count} is no number of viewers.")
    return replace(
        snapshot,
        captured_at=to_milliseconds(snapshot.captured_at),
        started_at=to_milliseconds(snapshot.started_at),
    )


def identities(facts: Iterable[Fact]) -> dict[str, Identity]:
    """Who was observed, by user id."""
    found: dict[str, Identity] = {}
    for one in facts:
        named = Named(one.at, one.broadcaster_login, one.broadcaster_name)
        identity = Identity(one.broadcaster_id, named, one.at)
        found[one.broadcaster_id] = identity.merged(found.get(one.broadcaster_id, identity))
    return found


def _seen(taken: StreamSnapshot) -> Fact:
    return Fact(
        id=f"seen:{taken.stream_id}",
        kind=Kind.SEEN,
        at=max(taken.captured_at, taken.started_at),
        broadcaster_id=taken.broadcaster_id,
        broadcaster_login=taken.broadcaster_login,
        broadcaster_name=taken.broadcaster_name,
        stream_id=taken.stream_id,
        started_at=taken.started_at,
    )


def merged(known: Fact | None, new: Fact) -> Fact:
    """What is kept of two facts with one id: of SEEN, the earlier one; else they are the same."""
    if known is None or known.kind is not Kind.SEEN:
        return known or new
    return replace(
        known,
        at=min(known.at, new.at),
        started_at=min(known.key, new.key)[0],
    )


@dataclass(slots=True)
class _Stream:
    """What replaying the facts has told of a stream so far."""

    broadcaster_id: str
    started_at: datetime
    latest_start: datetime
    heard_at: datetime | None = None
    ended_at: datetime | None = None


def spans(facts: Iterable[Fact]) -> dict[str, Span]:
    """When each stream was on that `facts`, all of one streamer, know the start of."""
    facts = sorted(facts, key=_order)
    heard = {fact.stream_id for fact in facts if fact.kind is Kind.ONLINE}
    streams: dict[str, _Stream] = {}
    latest: tuple[datetime, str] | None = None
    for one in facts:
        if one.kind is Kind.OFFLINE:
            subject = one.stream_id or (latest[1] if latest else "")
            if subject in streams and streams[subject].ended_at is None:
                streams[subject].ended_at = one.at
            continue
        stream = _started(streams, one)
        latest = max(latest or one.key, one.key)
        if one.kind is Kind.ONLINE or one.stream_id not in heard:
            stream.heard_at, stream.ended_at = one.at, None
    return {
        stream_id: Span(
            stream_id=stream_id,
            broadcaster_id=stream.broadcaster_id,
            started_at=stream.started_at,
            heard_at=stream.heard_at,
            ended_at=stream.ended_at,
            superseded=(stream.latest_start, stream_id) != latest,
        )
        for stream_id, stream in streams.items()
        if stream.heard_at
    }


def session(
    span: Span,
    facts: Iterable[Fact],
    samples: Sequence[StreamSnapshot],
    cap: timedelta,
    before: StreamSession | None = None,
) -> StreamSession:
    """The session of the stream with this span. `facts` are its streamer's, `samples` its own.

    A stream whose offline was missed ended when it was last seen on. `before` is the session as it
    was: needed only where samples of it are no longer kept, whose figures are then carried on.
    Such a session takes no samples from before the last that it had.
    """
    samples = sorted(samples, key=lambda one: one.captured_at)
    carried = before.sampled if before and _has_lost(before.sampled, samples) else None
    newest = [*samples[-1:], *([carried.last] if carried and carried.last else [])]
    last = max(newest, key=lambda one: one.captured_at, default=None)
    seen_at = max(span.heard_at, last.captured_at) if last else span.heard_at
    ended_at = span.ended_at or (seen_at if span.superseded else None)
    named = max(_names(span.stream_id, facts, last))
    return StreamSession(
        stream_id=span.stream_id,
        broadcaster_id=span.broadcaster_id,
        broadcaster_login=named.login,
        broadcaster_name=named.name,
        started_at=span.started_at,
        ended_at=ended_at,
        seen_at=seen_at,
        sampled=sampled(samples, ended_at, cap, carried),
    )


def _has_lost(before: Sampled, samples: Sequence[StreamSnapshot]) -> bool:
    """Whether samples that were counted are no longer kept: the oldest go first."""
    if before.first_at is None:
        return False
    kept = {one.captured_at for one in samples}
    return before.first_at not in kept or len(kept) < before.sums.samples


def _names(stream_id: str, facts: Iterable[Fact], last: StreamSnapshot | None) -> Iterator[Named]:
    """The names under which a stream was observed, but for those of polls before the last."""
    for one in facts:
        if one.stream_id == stream_id and (one.kind is not Kind.SEEN or last is None):
            yield Named(one.at, one.broadcaster_login, one.broadcaster_name)
    if last is not None:
        yield Named(last.captured_at, last.broadcaster_login, last.broadcaster_name)


def _started(streams: dict[str, _Stream], one: Fact) -> _Stream:
    """The stream that an ONLINE or SEEN is about, with the start that it tells."""
    started_at, stream_id = one.key
    stream = streams.setdefault(stream_id, _Stream(one.broadcaster_id, started_at, started_at))
    stream.started_at = min(stream.started_at, started_at)
    stream.latest_start = max(stream.latest_start, started_at)
    return stream


def _order(one: Fact) -> tuple[datetime, bool, str]:
    return one.at, one.kind is Kind.OFFLINE, one.id
