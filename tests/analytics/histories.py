"""Random histories of one streamer: streams that overlap and flap, offlines that are missed, late
or unnamed, samples with gaps, a changed name."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

from streamwatch.domain.models import EventType, Source, StreamEvent, StreamSnapshot
from streamwatch.domain.sessions import Observed, observed
from streamwatch.domain.times import format_time

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
CAP = timedelta(minutes=10)

_CATEGORIES = (("1", "Chess"), ("2", "Go"), ("", ""))


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def online(
    stream_id: str,
    seconds: float,
    *,
    started: float | None = None,
    user_id: str = "1337",
    login: str = "cool_user",
    message_id: str | None = None,
) -> StreamEvent:
    started_at = at(seconds if started is None else started)
    data = {"id": stream_id, "type": "live", "started_at": format_time(started_at)}
    return _event(EventType.ONLINE, seconds, data, user_id, login, message_id)


def offline(
    stream_id: str | None,
    seconds: float,
    *,
    user_id: str = "1337",
    login: str = "cool_user",
    message_id: str | None = None,
) -> StreamEvent:
    data = {"id": stream_id} if stream_id else {}
    return _event(EventType.OFFLINE, seconds, data, user_id, login, message_id)


def snapshot(
    stream_id: str,
    seconds: float,
    viewers: int = 10,
    *,
    started: float = 0,
    user_id: str = "1337",
    login: str = "cool_user",
    category: tuple[str, str] = _CATEGORIES[0],
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
        title=f"At {seconds}",
        language="en",
        tags=("English",),
    )


def told(*what: StreamEvent | StreamSnapshot) -> Observed:
    """These events and snapshots, as the projector hands them over."""
    return sum((told_alone(one) for one in what), Observed())


def told_alone(one: StreamEvent | StreamSnapshot) -> Observed:
    return observed((one,), None) if isinstance(one, StreamEvent) else observed((), one)


def _event(
    event_type: EventType,
    seconds: float,
    data: dict[str, str],
    user_id: str,
    login: str,
    message_id: str | None,
) -> StreamEvent:
    return StreamEvent(
        id=message_id or f"{user_id}:{event_type}:{data.get('id')}:{seconds}",
        event_type=event_type,
        broadcaster_id=user_id,
        broadcaster_login=login,
        broadcaster_name=login.title(),
        timestamp=at(seconds),
        data=data,
        source=Source.EVENTSUB,
    )


def history(random: Random, user_id: str = "1337") -> list[StreamEvent | StreamSnapshot]:
    """What was observed of a streamer, in no order."""
    pieces: list[StreamEvent | StreamSnapshot] = []
    start = 0.0
    for number in range(random.randint(1, 5)):
        start += random.choice((0.001, 5, 300, 4000, 90_000)) * random.random()
        pieces += _stream(random, f"{user_id}-s{number}", round(start, 3), user_id)
    random.shuffle(pieces)
    return pieces


def _stream(
    random: Random, stream_id: str, start: float, user_id: str
) -> Iterator[StreamEvent | StreamSnapshot]:
    names = {"user_id": user_id, "login": random.choice(("cool_user", "renamed"))}
    helix_start = float(int(start))  # Helix tells whole seconds, EventSub may tell more
    delays = (0, 2, 300, 4000)
    for _ in range(random.choice((0, 1, 1, 1, 2, 3))):
        delay = round(random.choice(delays) * random.random(), 3)
        yield online(stream_id, start + delay, started=start, **names)
    for _ in range(random.choice((0, 1, 1, 2))):
        named = random.choice((stream_id, None))
        yield offline(named, start + round(random.choice(delays) * random.random(), 3), **names)
    time = start
    for _ in range(random.choice((0, 1, 2, 8))):
        time += round(random.choice((1, 60, 300, 2000)) * (random.random() + 0.001), 3)
        category, viewers = random.choice(_CATEGORIES), random.choice((0, 1, 7, 12_345))
        yield snapshot(stream_id, time, viewers, started=helix_start, category=category, **names)
