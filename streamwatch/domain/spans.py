"""When each stream of a streamer was on. The result depends on the set of events, not on the order
in which they arrived.

That is decided by replaying the events as a timeline: by the same code that decides a streamer's
status (see `timeline`). A property test holds the two together.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from streamwatch.domain.channel import ChannelUpdate
from streamwatch.domain.models import EventType, TimelineEntry, Video
from streamwatch.domain.replay import Replay, StreamState
from streamwatch.domain.session_events import Kind, SessionEvent
from streamwatch.domain.timeline import in_order

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
            updates=updates_during(updates, started_at, ended_at or next_start),
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


def updates_during(
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
