"""Makes sessions of events and samples. The result depends on the set of events and samples, not on
the order in which they arrived.

When a stream begins and ends is decided by replaying the events as a timeline: by the same code
that decides a streamer's status (see `timeline`). A property test holds the two together.

Times are cut to milliseconds in `session_event` and `normalize_sample`, so that all databases store
the same values.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from streamwatch.domain.channel import Channel, ChannelUpdate, ShownInfo
from streamwatch.domain.models import (
    ChannelInfo,
    EventType,
    NameChange,
    Source,
    StreamEvent,
    StreamSnapshot,
    TimelineEntry,
    Video,
    WatchEnd,
)
from streamwatch.domain.positions import Position
from streamwatch.domain.statistics import SampleTotals, compute_totals, milliseconds
from streamwatch.domain.status_update import ended_by
from streamwatch.domain.timeline import Replay, StreamState, in_order
from streamwatch.domain.times import format_time, parse_time, to_milliseconds

MAX_VIEWERS = 2**31 - 1
"""Larger counts are invalid, and would overflow the sums."""

EXACT_END = timedelta(minutes=15)
"""An estimated end that is known to this duration is not replaced by that of a video."""


class InvalidObservation(Exception):
    """An event or sample that no session can be made of. The text says why."""


class Kind(StrEnum):
    """The kinds of session events."""

    ONLINE = "online"
    OFFLINE = "offline"
    SEEN = "seen"
    """A poll saw the stream on. A stream has at most one, of its first poll. It opens the session
    of a stream without an online event."""
    RENAMED = "renamed"
    """The streamer's names were read from Twitch, and had changed."""
    UPDATED = "updated"
    """Twitch pushed another title, category or language of the channel. It names no stream."""
    UNWATCHED = "unwatched"
    """The streamer was removed while the stream was on."""
    VIDEO = "video"
    """Twitch has an archived video of the stream. It opens the session of a stream that was not
    observed, and adds what was not observed to the others. It is not part of the timeline."""


# An enum's attributes are slow to read.
_ONLINE, _OFFLINE, _SEEN, _UNWATCHED = Kind.ONLINE, Kind.OFFLINE, Kind.SEEN, Kind.UNWATCHED


@dataclass(frozen=True, slots=True)
class SessionEvent:
    """An event that begins or ends sessions.

    `stream_id` is None for an offline that does not name its stream. `started_at` is the stream's
    start, None for offlines, and never after `at`. `estimated_at` is set for an estimate, something
    that a poll found: the timestamp of its event, while `at` is the time by which it had happened
    for sure. `replaces` is the id of the estimate whose place the event takes. `info` has the new
    values of an update, `video` the video, whose start is `at` and `started_at`.
    """

    id: str
    kind: Kind
    at: datetime
    broadcaster_id: str
    broadcaster_login: str
    broadcaster_name: str
    stream_id: str | None
    started_at: datetime | None = None
    estimated_at: datetime | None = None
    replaces: str | None = None
    info: ChannelInfo | None = None
    video: Video | None = None

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
    """A streamer: the names of the newest observation, and the time of the first. While only videos
    are known, `is_observed` is False and `first_seen_at` the start of the first video."""

    broadcaster_id: str
    latest_name: ObservedName
    first_seen_at: datetime
    is_observed: bool = True

    def merge(self, other: "Identity") -> "Identity":
        first = min(self, other, key=lambda each: (not each.is_observed, each.first_seen_at))
        return replace(first, latest_name=max(self.latest_name, other.latest_name))


@dataclass(frozen=True, slots=True)
class ProjectionInput:
    """Events and samples to store, of any streamers, in any order. Every sample comes with its
    SEEN event."""

    events: tuple[SessionEvent, ...] = ()
    samples: tuple[StreamSnapshot, ...] = ()

    def __add__(self, other: "ProjectionInput") -> "ProjectionInput":
        return ProjectionInput(self.events + other.events, self.samples + other.samples)


@dataclass(frozen=True, slots=True)
class Span:
    """When a stream was on, according to the events.

    `online_at` is the time of its last online, `ended_at` that of the offline after it.
    `next_start` is the start of the streamer's next stream, None where none is known.
    `unwatched_at` is the time at which the streamer was removed during the stream. `updates` are
    the last update of the channel up to the start, and those during the stream. `video` is its
    archived video, if one is known; `is_observed` is False if nothing else is.
    """

    stream_id: str
    broadcaster_id: str
    started_at: datetime
    online_at: datetime
    ended_at: datetime | None
    next_start: datetime | None = None
    unwatched_at: datetime | None = None
    updates: tuple[ChannelUpdate, ...] = ()
    video: Video | None = None
    is_observed: bool = True


@dataclass(frozen=True, slots=True)
class StreamSession:
    """A stream from its start to its end. `ended_at` is None while it is on; `seen_at` is when it
    was last seen on, by a sample or an event. `updates` are those of its span. `is_observed` is
    False for a session that was made from the archived `video` alone."""

    stream_id: str
    broadcaster_id: str
    broadcaster_login: str
    broadcaster_name: str
    started_at: datetime
    ended_at: datetime | None
    seen_at: datetime
    sample_totals: SampleTotals = field(default_factory=SampleTotals)
    updates: tuple[ChannelUpdate, ...] = ()
    video: Video | None = None
    is_observed: bool = True

    @property
    def shown(self) -> ShownInfo | None:
        """The last title, category and language within the session, else those of the video."""
        last = self.sample_totals.last
        if self.updates and (last is None or last.captured_at <= self.updates[-1].at):
            return ShownInfo(*self.updates[-1].info)
        if last is not None:
            return Channel(self.updates).at_sample(last)
        video = self.video
        return ShownInfo(video.title, None, None, video.language) if video else None

    @property
    def title(self) -> str | None:
        """The last title that was observed, else that of the video."""
        observed = self.shown.title if self.shown else None
        return self.video.title if observed is None and self.video else observed

    @property
    def language(self) -> str | None:
        """The last language that was observed, else that of the video."""
        observed = self.shown.language if self.shown else None
        return self.video.language if observed is None and self.video else observed

    @property
    def position(self) -> Position:
        """The position in a list of sessions."""
        return Position(self.started_at, self.stream_id)

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
    events: Iterable[StreamEvent],
    snapshot: StreamSnapshot | None,
    name_change: NameChange | None = None,
    watch_end: WatchEnd | None = None,
) -> ProjectionInput:
    """The session events and the sample of one commit. Raises InvalidObservation.

    An update that a poll found is not needed: the sample of the same poll has its values.
    """
    session_events = [
        session_event(event)
        for event in events
        if event.event_type is not EventType.UPDATE or event.source is Source.EVENTSUB
    ]
    if name_change is not None:
        session_events.append(_renamed(name_change))
    if watch_end is not None:
        session_events.append(_unwatched(watch_end))
    if snapshot is None:
        return ProjectionInput(tuple(session_events))
    sample = normalize_sample(snapshot)
    return ProjectionInput((*session_events, _seen(sample)), (sample,))


def session_event(event: StreamEvent) -> SessionEvent:
    """The session event of `event`. Raises InvalidObservation where an online lacks id or start."""
    if event.event_type is EventType.UPDATE:
        return _updated(event)
    is_estimate = event.source is not Source.EVENTSUB
    at = to_milliseconds(ended_by(event) if is_estimate else event.timestamp)
    started_at = None
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
        at=at,
        broadcaster_id=event.broadcaster_id,
        broadcaster_login=event.broadcaster_login,
        broadcaster_name=event.broadcaster_name,
        stream_id=event.stream_id or None,
        started_at=min(started_at, at) if started_at else None,
        estimated_at=to_milliseconds(event.timestamp) if is_estimate else None,
        replaces=event.replaces,
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
        is_observed = event.kind is not Kind.VIDEO
        identity = Identity(event.broadcaster_id, name, event.at, is_observed)
        found[event.broadcaster_id] = identity.merge(found.get(event.broadcaster_id, identity))
    return found


def _seen(sample: StreamSnapshot) -> SessionEvent:
    return SessionEvent(
        id=f"seen:{sample.stream_id}",
        kind=Kind.SEEN,
        at=sample.captured_at,
        broadcaster_id=sample.broadcaster_id,
        broadcaster_login=sample.broadcaster_login,
        broadcaster_name=sample.broadcaster_name,
        stream_id=sample.stream_id,
        started_at=min(sample.started_at, sample.captured_at),
    )


def _updated(event: StreamEvent) -> SessionEvent:
    values = [event.data.get(name) for name in ChannelInfo._fields]
    texts = [value for value in values if isinstance(value, str)]
    if len(texts) < len(values):
        raise InvalidObservation(f"The update {event.id!r} lacks title, category or language.")
    return SessionEvent(
        id=event.id,
        kind=Kind.UPDATED,
        at=to_milliseconds(event.timestamp),
        broadcaster_id=event.broadcaster_id,
        broadcaster_login=event.broadcaster_login,
        broadcaster_name=event.broadcaster_name,
        stream_id=None,
        info=ChannelInfo(*texts),
    )


def _renamed(change: NameChange) -> SessionEvent:
    return SessionEvent(
        id=f"renamed:{change.user_id}:{format_time(change.at)}",
        kind=Kind.RENAMED,
        at=to_milliseconds(change.at),
        broadcaster_id=change.user_id,
        broadcaster_login=change.login,
        broadcaster_name=change.display_name,
        stream_id=None,
    )


def video_event(video: Video, user_id: str, login: str, display_name: str) -> SessionEvent:
    """The session event of a streamer's video. A video that has grown is another event. Raises
    InvalidObservation where the video names no stream."""
    if video.stream_id is None:
        raise InvalidObservation(f"The video {video.id!r} names no stream.")
    started_at, ended_at = to_milliseconds(video.started_at), to_milliseconds(video.ended_at)
    return SessionEvent(
        id=f"video:{video.id}:{milliseconds(ended_at - started_at)}",
        kind=Kind.VIDEO,
        at=started_at,
        broadcaster_id=user_id,
        broadcaster_login=login,
        broadcaster_name=display_name,
        stream_id=video.stream_id,
        started_at=started_at,
        video=replace(video, started_at=started_at, ended_at=ended_at),
    )


def _unwatched(end: WatchEnd) -> SessionEvent:
    return SessionEvent(
        id=f"unwatched:{end.stream_id}:{format_time(end.at)}",
        kind=Kind.UNWATCHED,
        at=to_milliseconds(end.at),
        broadcaster_id=end.user_id,
        broadcaster_login=end.login,
        broadcaster_name=end.display_name,
        stream_id=end.stream_id,
    )


def merge_events(known: SessionEvent | None, new: SessionEvent) -> SessionEvent:
    """The event to store where `known` has the same id: the earlier of two SEEN, else the known."""
    if known is None or known.kind is not _SEEN:
        return known or new
    if known.at <= new.at and known.key <= new.key:
        return known  # as for all polls but the first
    return replace(
        known,
        at=min(known.at, new.at),
        started_at=min(known.key, new.key)[0],
    )


def spans(events: Iterable[SessionEvent]) -> dict[str, Span]:
    """The span of each stream whose start is known. `events` are all of one streamer."""
    events = list(events)
    replaced = {event.replaces for event in events}
    state = Replay()
    state.apply(
        in_order(
            _timeline_entry(event) for event in _starts_and_ends(events) if event.id not in replaced
        )
    )
    first_seen = {event.stream_id: event for event in events if event.kind is _SEEN}
    unwatched_at: dict[str, datetime] = {}
    for event in events:
        if event.kind is _UNWATCHED and event.stream_id:
            known = unwatched_at.get(event.stream_id, event.at)
            unwatched_at[event.stream_id] = max(known, event.at)
    updates = _updates(events)
    found: dict[str, Span] = {}
    videos = _videos(events)
    for stream in state.streams.values():
        video = videos.get(stream.stream_id)
        if stream.started_at is None or stream.online_at is None:
            continue
        seen = first_seen.get(stream.stream_id)
        next_start, ended_at = state.next_start(stream), _end(stream, video)
        if ended_at is not None and next_start is not None:
            ended_at = min(ended_at, next_start)  # the sessions of a streamer do not overlap
        started_at = min(stream.started_at, seen.key[0]) if seen else stream.started_at
        found[stream.stream_id] = Span(
            stream_id=stream.stream_id,
            broadcaster_id=events[0].broadcaster_id,
            started_at=started_at,
            online_at=stream.online_at,
            ended_at=ended_at,
            next_start=next_start,
            unwatched_at=unwatched_at.get(stream.stream_id),
            updates=_updates_during(updates, started_at, ended_at or next_start),
            video=video,
        )
    for stream_id, video in videos.items():
        if stream_id not in found:
            offline = state.streams.get(stream_id)
            found[stream_id] = _span_of_video(video, stream_id, events[0].broadcaster_id, offline)
    return found


def _videos(events: Iterable[SessionEvent]) -> dict[str, Video]:
    """The video of each stream, by stream id. Of several it is the first, up to the last end."""
    found: dict[str, Video] = {}
    with_video = (event for event in events if event.video is not None)
    for event in sorted(with_video, key=lambda event: (event.at, event.id)):
        video, stream_id = event.video, event.stream_id
        if video is not None and stream_id is not None:
            known = found.get(stream_id, video)
            found[stream_id] = replace(known, ended_at=max(known.ended_at, video.ended_at))
    return found


def _end(stream: StreamState, video: Video | None) -> datetime | None:
    """The end of an observed stream. Where it is an estimate, because nobody watched for a while,
    it is the end of the video if that is within this while."""
    last = stream.last
    if (
        video is not None
        and last is not None
        and last.type is EventType.OFFLINE
        and last.estimated_at is not None
        and last.at - last.estimated_at > EXACT_END
        and last.estimated_at < video.ended_at <= last.at
    ):
        return video.ended_at
    return stream.ended_at


def _span_of_video(
    video: Video, stream_id: str, broadcaster_id: str, offline: StreamState | None
) -> Span:
    """The span of a stream whose start was not observed. `offline` has its offlines, if any."""
    ended_at = offline.ended_at if offline else None
    return Span(
        stream_id=stream_id,
        broadcaster_id=broadcaster_id,
        started_at=video.started_at,
        online_at=video.started_at,
        ended_at=video.ended_at if ended_at is None else max(ended_at, video.started_at),
        video=video,
        is_observed=ended_at is not None,
    )


def _updates(events: Iterable[SessionEvent]) -> list[ChannelUpdate]:
    """The updates in the order of their times."""
    updated = sorted((event.at, event.id, event.info) for event in events if event.info)
    return [ChannelUpdate(at, info) for at, _, info in updated]


def _updates_during(
    updates: Sequence[ChannelUpdate], start: datetime, end: datetime | None
) -> tuple[ChannelUpdate, ...]:
    """The last update up to `start`, and those between `start` and `end`."""
    first = max(bisect_right(updates, start, key=_time) - 1, 0)
    last = len(updates) if end is None else bisect_left(updates, max(end, start), key=_time)
    return tuple(updates[first:last])


def _time(update: ChannelUpdate) -> datetime:
    return update.at


def starts(events: Iterable[SessionEvent]) -> list[SessionEvent]:
    """The events that give the starts of streams on the timeline, as `spans` counts them."""
    events = list(events)
    replaced = {event.replaces for event in events}
    return [
        event
        for event in _starts_and_ends(events)
        if event.kind is not _OFFLINE and event.id not in replaced
    ]


def _starts_and_ends(events: Sequence[SessionEvent]) -> Iterator[SessionEvent]:
    """The onlines and offlines, and the first sight of each stream that has no online."""
    with_online = {event.stream_id for event in events if event.kind is _ONLINE}
    for event in events:
        is_first_sight = event.kind is _SEEN and event.stream_id not in with_online
        if is_first_sight or event.kind is _ONLINE or event.kind is _OFFLINE:
            yield event


def _timeline_entry(event: SessionEvent) -> TimelineEntry:
    return TimelineEntry(
        at=event.at,
        type=EventType.OFFLINE if event.kind is _OFFLINE else EventType.ONLINE,
        message_id=event.id,
        stream_id=event.stream_id,
        started_at=event.started_at,
        estimated_at=event.at if event.kind is _SEEN else event.estimated_at,
    )


def session(
    span: Span,
    events: Iterable[SessionEvent],
    samples: Sequence[StreamSnapshot],
    cap: timedelta,
    before: StreamSession | None = None,
) -> StreamSession:
    """The session of the stream with this span.

    `events` are its streamer's, `samples` its own. A stream without an offline ended when it was
    last seen, if a later stream is known or nobody has watched it since then. `before` is the
    stored session: the totals of samples that have expired since are taken from it, and only
    samples after its last are added.
    """
    samples = sorted(samples, key=lambda sample: sample.captured_at)
    carried = before.sample_totals if before and _has_lost(before.sample_totals, samples) else None
    newest = [*samples[-1:], *([carried.last] if carried and carried.last else [])]
    last = max(newest, key=lambda sample: sample.captured_at, default=None)
    seen_at = max(span.online_at, last.captured_at) if last else span.online_at
    ended_at = span.ended_at or _last_known(span, seen_at)
    updates = _updates_during(span.updates, span.started_at, ended_at)
    name = max(_names(span, events, last))
    return StreamSession(
        stream_id=span.stream_id,
        broadcaster_id=span.broadcaster_id,
        broadcaster_login=name.login,
        broadcaster_name=name.name,
        started_at=span.started_at,
        ended_at=ended_at,
        seen_at=seen_at,
        sample_totals=compute_totals(samples, ended_at, cap, carried, updates),
        updates=updates,
        video=span.video,
        is_observed=span.is_observed,
    )


def _last_known(span: Span, seen_at: datetime) -> datetime | None:
    """The end of a stream without an offline; None while it is on."""
    if span.next_start is not None:
        return min(seen_at, span.next_start)
    if span.unwatched_at is not None and seen_at <= span.unwatched_at:
        return seen_at
    return None


def _has_lost(before: SampleTotals, samples: Sequence[StreamSnapshot]) -> bool:
    """Whether samples that were counted have expired. The oldest expire first."""
    if before.first_at is None:
        return False
    retained = {sample.captured_at for sample in samples}
    return before.first_at not in retained or len(retained) < before.sums.samples


def _names(
    span: Span, events: Iterable[SessionEvent], last: StreamSnapshot | None
) -> Iterator[ObservedName]:
    """The names of the stream's events and of its last sample. Those of a video are of today: they
    count where there are no others."""
    unused = {Kind.SEEN} if last is not None else set()
    if span.is_observed:
        unused.add(Kind.VIDEO)
    for event in events:
        if event.stream_id == span.stream_id and event.kind not in unused:
            yield ObservedName(event.at, event.broadcaster_login, event.broadcaster_name)
    if last is not None:
        yield ObservedName(last.captured_at, last.broadcaster_login, last.broadcaster_name)
