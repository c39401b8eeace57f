"""Computes sessions from events and samples. The result depends on the set of events and samples,
not on the order in which they arrived.

When a stream begins and ends is decided by replaying the events as a timeline: by the same code
that decides a streamer's status (see `timeline`). A property test holds the two together.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from streamwatch.domain.channel import Channel, ChannelUpdate, ShownInfo
from streamwatch.domain.models import (
    EventType,
    StreamSnapshot,
    TimelineEntry,
    Video,
)
from streamwatch.domain.positions import Position
from streamwatch.domain.session_events import Kind, ObservedName, SessionEvent
from streamwatch.domain.statistics import SampleTotals, compute_totals, milliseconds
from streamwatch.domain.timeline import Replay, StreamState, in_order

EXACT_END = timedelta(minutes=15)
"""The end of a video replaces an estimated end only if the estimate is less exact than this."""

MAX_STREAM_UPDATES = 1_000
"""The updates of a stream that count: the last one up to its start, and the first ones during it.
Bots may send one a minute for days; after these, the polls decide. Counting the newest instead
would change earlier results with each update."""

# An enum's attributes are slow to read.
_ONLINE, _OFFLINE, _SEEN = Kind.ONLINE, Kind.OFFLINE, Kind.SEEN


@dataclass(frozen=True, slots=True)
class Span:
    """When a stream was on, according to the events.

    `online_at` is the time of its last online, `ended_at` that of the offline after it.
    `next_start` is the start of the streamer's next stream, None where none is known.
    `monitoring_ended_at` is the time at which the streamer was removed during the stream. `updates`
    are the last update of the channel up to the start, and the first ones during the stream,
    MAX_STREAM_UPDATES at most. `video` is its archived video, if one is known; `is_observed` is
    False if nothing else is.
    """

    stream_id: str
    broadcaster_id: str
    started_at: datetime
    online_at: datetime
    ended_at: datetime | None
    next_start: datetime | None = None
    monitoring_ended_at: datetime | None = None
    updates: tuple[ChannelUpdate, ...] = ()
    video: Video | None = None
    is_observed: bool = True

    @property
    def updates_between(self) -> tuple[datetime, datetime | None]:
        """The times between which updates of the channel are those of the stream."""
        return self.started_at, self.ended_at or self.next_start


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
    monitoring_ends = _monitoring_ends(events)
    updates = _updates(events)
    videos = _videos(events)
    found: dict[str, Span] = {}
    for stream in state.streams.values():
        if stream.started_at is None or stream.online_at is None:
            continue
        video, seen = videos.get(stream.stream_id), first_seen.get(stream.stream_id)
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
            monitoring_ended_at=monitoring_ends.get(stream.stream_id),
            updates=_updates_during(updates, started_at, ended_at or next_start),
            video=video,
        )
    for stream_id, video in videos.items():
        if stream_id not in found:
            offline = state.streams.get(stream_id)
            found[stream_id] = _span_of_video(video, stream_id, events[0].broadcaster_id, offline)
    return found


def _monitoring_ends(events: Iterable[SessionEvent]) -> dict[str, datetime]:
    """When the streamer was last removed during each stream, by stream id."""
    found: dict[str, datetime] = {}
    for event in events:
        if event.kind is Kind.MONITORING_ENDED and event.stream_id:
            found[event.stream_id] = max(event.at, found.get(event.stream_id, event.at))
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
    """The end of an observed stream. An inexact estimate (polls had paused) is replaced by the end
    of the video, if that lies between the time it was last seen and that of the estimate."""
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
    """The last update up to `start`, and those between `start` and `end`, MAX_STREAM_UPDATES at
    most."""
    first = max(bisect_right(updates, start, key=_time) - 1, 0)
    last = len(updates) if end is None else bisect_left(updates, max(end, start), key=_time)
    return tuple(updates[first : min(last, first + MAX_STREAM_UPDATES)])


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
    """The onlines and offlines; of a stream without an online, the first time a poll saw it."""
    with_online = {event.stream_id for event in events if event.kind is _ONLINE}
    for event in events:
        is_first_seen = event.kind is _SEEN and event.stream_id not in with_online
        if is_first_seen or event.kind is _ONLINE or event.kind is _OFFLINE:
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

    `events` are its streamer's, `samples` its own. A stream without an offline ended with its
    video, else when it was last seen, if a later stream is known or the streamer was removed since
    then. `before` is the stored session: the totals of samples that have expired since are taken
    from it, and only samples after its last are added.
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
    """The end of a stream without an offline: that of its video, else when it was last seen; None
    while it is on. As in `_end`, the video counts only where the last sight is less exact."""
    video_end = max(seen_at, span.video.ended_at) if span.video else seen_at
    if span.next_start is not None:
        is_exact = span.next_start - seen_at <= EXACT_END
        return min(seen_at if is_exact else video_end, span.next_start)
    if span.monitoring_ended_at is not None and seen_at <= span.monitoring_ended_at:
        return video_end  # how long the stream went on after the removal is not known otherwise
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
    """The names of the stream's events and of its last sample. The names of a video are today's:
    they are used only if there are no others."""
    unused = {Kind.SEEN} if last is not None else set()
    if span.is_observed:
        unused.add(Kind.VIDEO)
    for event in events:
        if event.stream_id == span.stream_id and event.kind not in unused:
            yield ObservedName(event.at, event.broadcaster_login, event.broadcaster_name)
    if last is not None:
        yield ObservedName(last.captured_at, last.broadcaster_login, last.broadcaster_name)
