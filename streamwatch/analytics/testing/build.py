"""What the contract's tests are made of: events and samples of a streamer, at times counted in
seconds from START, and random histories of such."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TypedDict, Unpack

import pytest

from streamwatch.analytics.base import AnalyticsStore
from streamwatch.domain.models import (
    EventType,
    MonitoringEnd,
    NameChange,
    Source,
    StreamEvent,
    StreamSnapshot,
    Video,
)
from streamwatch.domain.session_events import (
    ProjectionInput,
    SessionEvent,
    merge_events,
    projection_input,
    video_event,
)
from streamwatch.domain.sessions import StreamSession, session
from streamwatch.domain.spans import spans
from streamwatch.domain.times import format_time

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
NEXT_MONTH = (datetime(2026, 7, 1, tzinfo=UTC) - START).total_seconds()
"""Seconds from START to where another month begins."""

CAP = timedelta(minutes=10)

CHESS, GO, NOTHING = ("1", "Chess"), ("2", "Go"), ("", "")

Piece = StreamEvent | StreamSnapshot | SessionEvent | NameChange | MonitoringEnd

OpenAnalytics = Callable[[], AnalyticsStore]


class ContractBase:
    """The fixtures of every part of the contract."""

    @pytest.fixture
    def open_analytics(self) -> OpenAnalytics:
        raise NotImplementedError("override `open_analytics` with your backend")

    @pytest.fixture
    def forget(self) -> Callable[[datetime], None]:
        raise NotImplementedError("override `forget` with your backend's retention")

    @pytest.fixture
    def analytics(self, open_analytics: OpenAnalytics) -> AnalyticsStore:
        return open_analytics()


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


class Sender(TypedDict, total=False):
    """The fields of an event: its broadcaster, and the id of its message."""

    user_id: str
    login: str
    message_id: str | None


def online(
    stream_id: str, seconds: float, *, started: float | None = None, **sender: Unpack[Sender]
) -> StreamEvent:
    started_at = format_time(at(seconds if started is None else started))
    data = {"id": stream_id, "type": "live", "started_at": started_at}
    return _event(EventType.ONLINE, seconds, data, **sender)


def offline(stream_id: str | None, seconds: float, **sender: Unpack[Sender]) -> StreamEvent:
    return _event(EventType.OFFLINE, seconds, {"id": stream_id} if stream_id else {}, **sender)


def update(
    title: str, seconds: float, *, category: tuple[str, str] = CHESS, **sender: Unpack[Sender]
) -> StreamEvent:
    data = {
        "title": title,
        "category_id": category[0],
        "category_name": category[1],
        "language": "en",
    }
    return _event(EventType.UPDATE, seconds, data, **sender)


def estimate(event: StreamEvent) -> StreamEvent:
    """What a poll found instead of `event`."""
    return replace(event, id=f"poll:{event.id}", source=Source.POLL)


def snapshot(
    stream_id: str,
    seconds: float,
    viewers: int = 10,
    *,
    started: float = 0,
    user_id: str = "1337",
    login: str = "cool_user",
    category: tuple[str, str] = CHESS,
    title: str | None = None,
) -> StreamSnapshot:
    return StreamSnapshot(
        stream_id=stream_id,
        broadcaster_id=user_id,
        broadcaster_login=login,
        broadcaster_name=login.title(),
        captured_at=at(seconds),
        started_at=at(started),
        viewer_count=viewers,
        category_id=category[0],
        category_name=category[1],
        title=title or f"At {seconds}",
        language="en",
        tags=("English",),
    )


def video(
    stream_id: str,
    start: float,
    end: float,
    *,
    user_id: str = "1337",
    login: str = "cool_user",
    video_id: str | None = None,
) -> SessionEvent:
    """The archived video of a stream."""
    video_id = video_id or f"v-{stream_id}"
    found = Video(
        id=video_id,
        stream_id=stream_id,
        started_at=at(start),
        ended_at=at(end),
        title=f"Video {video_id}",
        language="en",
        url=f"https://www.twitch.tv/videos/{video_id}",
    )
    return video_event(found, user_id, login, login.title())


def as_input(*pieces: Piece) -> ProjectionInput:
    """These events and samples, as the projector hands them over."""
    return sum((_as_input(piece) for piece in pieces), ProjectionInput())


def _as_input(piece: Piece) -> ProjectionInput:
    match piece:
        case SessionEvent():
            return ProjectionInput((piece,))
        case StreamEvent():
            return projection_input((piece,), None)
        case StreamSnapshot():
            return projection_input((), piece)
        case NameChange():
            return projection_input((), None, name_change=piece)
        case MonitoringEnd():
            return projection_input((), None, monitoring_end=piece)


def expected_sessions(pieces: Sequence[Piece]) -> dict[str, StreamSession]:
    """The sessions of one streamer that the rules make of all of this at once."""
    everything = as_input(*pieces)
    events: dict[str, SessionEvent] = {}
    for event in everything.events:
        events[event.id] = merge_events(events.get(event.id), event)
    samples = {(sample.stream_id, sample.captured_at): sample for sample in everything.samples}
    return {
        stream_id: session(
            span,
            events.values(),
            [sample for sample in samples.values() if sample.stream_id == stream_id],
            CAP,
        )
        for stream_id, span in spans(events.values()).items()
    }


def by_id(sessions: Iterable[StreamSession]) -> dict[str, StreamSession]:
    return {session.stream_id: session for session in sessions}


def together(*actions: Callable[[], object]) -> None:
    """Do these at the same time; raises what any of them raised."""
    with ThreadPoolExecutor(len(actions)) as pool:
        for future in [pool.submit(action) for action in actions]:
            future.result()


def _event(
    event_type: EventType,
    seconds: float,
    data: dict[str, str],
    user_id: str = "1337",
    login: str = "cool_user",
    message_id: str | None = None,
) -> StreamEvent:
    values = ":".join(data.values())
    return StreamEvent(
        id=message_id or f"{user_id}:{event_type}:{values}:{seconds}",
        event_type=event_type,
        broadcaster_id=user_id,
        broadcaster_login=login,
        broadcaster_name=login.title(),
        timestamp=at(seconds),
        data=data,
        source=Source.EVENTSUB,
    )


def history(random: Random, user_id: str = "1337") -> list[Piece]:
    """What was observed of a streamer, in no order: at least one thing. Logins are made of the
    user id."""
    pieces: list[Piece] = []
    start = random.choice((0.0, NEXT_MONTH - 900))
    for number in range(random.randint(1, 5)):
        start += random.choice((0.001, 5, 300, 4000, 90_000)) * random.random()
        pieces += _stream(random, f"{user_id}-s{number}", round(start, 3), user_id)
        if random.random() < 0.3:
            pieces.append(_rename(random, start, user_id))
    pieces += _updates(random, start, user_id)
    random.shuffle(pieces)
    return pieces or [offline(None, start, user_id=user_id, login=user_id)]


def _stream(random: Random, stream_id: str, start: float, user_id: str) -> Iterator[Piece]:
    names = {"user_id": user_id, "login": random.choice((user_id, f"{user_id}_renamed"))}
    helix_start = float(int(start))  # Helix tells whole seconds, EventSub may tell more
    delays = (0, 2, 300, 4000)
    for _ in range(random.choice((0, 1, 1, 1, 2, 3))):
        delay = round(random.choice(delays) * random.random(), 3)
        yield from _found(random, online(stream_id, start + delay, started=start, **names))
    for _ in range(random.choice((0, 1, 1, 2))):
        named = random.choice((stream_id, None))
        end = start + round(random.choice(delays) * random.random(), 3)
        yield from _found(random, offline(named, end, **names))
    if random.random() < 0.2:
        end = start + round(random.choice(delays) * random.random(), 3)
        yield MonitoringEnd(at(end), stream_id, user_id, user_id, user_id.title())
    time = start
    for _ in range(random.choice((0, 1, 2, 8))):
        time += round(random.choice((1, 60, 300, 2000)) * (random.random() + 0.001), 3)
        category, viewers = random.choice((CHESS, GO, NOTHING)), random.choice((0, 1, 7, 12_345))
        yield snapshot(stream_id, time, viewers, started=helix_start, category=category, **names)
    for number in range(random.choice((0, 0, 1, 2))):
        begin = float(int(start) + 3000 * number)
        video_id = f"{stream_id}-v{number}"
        for length in random.choice(((60,), (2000,), (600, 5000))):
            yield video(stream_id, begin, begin + length, video_id=video_id, **names)


def _found(random: Random, event: StreamEvent) -> Iterator[StreamEvent]:
    """The message, or what a poll found instead of it, or both: the message then replaces it."""
    found = estimate(event)
    match random.choice(("message", "message", "estimate", "both")):
        case "message":
            yield event
        case "estimate":
            yield found
        case "both":
            yield found
            yield replace(event, id=f"{event.id}:late", replaces=found.id)


def _rename(random: Random, seconds: float, user_id: str) -> NameChange:
    login = random.choice((user_id, f"{user_id}_renamed"))
    return NameChange(at(seconds + 600 * random.random()), user_id, login, login.title())


def _updates(random: Random, last_start: float, user_id: str) -> Iterator[StreamEvent]:
    """Updates before, during and between the streams, the last of which began at `last_start`."""
    for _ in range(random.choice((0, 1, 3, 6))):
        seconds = random.choice((0.0, last_start, last_start * random.random()))
        seconds += random.choice((10, 400, 4000)) * (random.random() - 0.2)
        category = random.choice((CHESS, GO, NOTHING))
        title = random.choice(("A", "B"))
        yield update(title, round(seconds, 3), category=category, user_id=user_id, login=user_id)
