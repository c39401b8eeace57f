"""Past streams of the cast, as StreamWatch would have observed them, so that the demo starts with
statistics."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import exp, sin
from random import Random

from streamwatch.domain.models import EventType, Source, Stream, StreamEvent, StreamSnapshot, User
from streamwatch.domain.observations import SeenLive
from streamwatch.domain.polls import snapshot
from streamwatch.domain.session_events import ProjectionInput, projection_input
from streamwatch.domain.times import format_time
from streamwatch.simulator.cast import CAST, CATEGORIES, TAGS, TITLES, Member
from streamwatch.simulator.world import World

DEMO_DAYS = 120
"""The length of the demo's past: long enough that 90 days differ from 30, and have days before."""

SAMPLED_EVERY = timedelta(minutes=10)
_HOURS = (8, 13, 16, 18, 19, 20, 21)
_LEFT_OUT = 0.12
"""The probability that a usual day has no stream."""

_LAST_END = timedelta(hours=8)
"""Past streams end at least so long before now, so that nobody who is live has just ended one."""

_HALF_WAY = 0.5
"""The part of a live stream that is assumed to be over."""


@dataclass(frozen=True, slots=True)
class Past:
    """Makes random streams of the last `days` before `now`."""

    random: Random
    now: datetime
    days: int = DEMO_DAYS

    def of(self, world: World) -> ProjectionInput:
        """The streams of the cast that have ended, and the live ones until now."""
        found = ProjectionInput()
        for member in CAST:
            user = world.user(member.login)
            if member.usual_viewers:
                found += self.streams(member, user)
            if stream := world.stream(user.login):
                found += self.so_far(user, stream)
        return found

    def streams(self, member: Member, user: User) -> ProjectionInput:
        """Ended streams, on the member's usual days and at the usual hour."""
        random, found = self.random, ProjectionInput()
        weekdays = set(random.sample(range(7), random.randint(3, 6)))
        hour, categories = random.choice(_HOURS), random.sample(list(CATEGORIES), 4)
        for ago in range(self.days, 0, -1):
            day = self.now - timedelta(days=ago)
            if day.weekday() not in weekdays or random.random() < _LEFT_OUT:
                continue
            start = day.replace(hour=hour, minute=random.choice([0, 2, 5, 14, 31]), second=7)
            end = start + timedelta(hours=random.uniform(1.8, 6.5))
            if end < self.now - _LAST_END:
                growth = 1.25 - 0.5 * ago / self.days
                peak = member.usual_viewers * growth * random.uniform(0.8, 1.2)
                stream = self._stream(member, f"{user.user_id}{start:%m%d}", start)
                played = random.sample(categories, random.randint(1, 3))
                found += self._observed(user, stream, end, played, peak)
                found += projection_input([offline(user, stream.id, end)], None)
        return found

    def so_far(self, user: User, stream: Stream) -> ProjectionInput:
        """A live stream until now, with the viewers that it has now."""
        peak = (stream.viewer_count or 0) / _viewers_part(_HALF_WAY)
        played = [*self.random.sample(list(CATEGORIES), 2), stream.game_name or ""]
        return self._observed(user, stream, self.now, played, peak, _HALF_WAY)

    def _stream(self, member: Member, stream_id: str, started_at: datetime) -> Stream:
        language = member.language
        title = self.random.choice(TITLES[language])
        return Stream(stream_id, started_at, title=title, language=language, tags=TAGS[language])

    def _observed(
        self,
        user: User,
        stream: Stream,
        until: datetime,
        played: Sequence[str],
        peak: float,
        progress: float = 1.0,
    ) -> ProjectionInput:
        """The start of a stream, and a sample every SAMPLED_EVERY with viewers who come, stay and
        leave. `progress` is the part of the stream that is over at `until`."""
        several = [projection_input([online(user, stream)], None)]
        for at in _moments(stream.started_at, until):
            part = (at - stream.started_at) / (until - stream.started_at)
            category = played[int(part * len(played))]
            viewers = peak * _viewers_part(progress * part) * self.random.uniform(0.96, 1.04)
            seen = replace(
                stream,
                viewer_count=max(1, round(viewers)),
                game_id=CATEGORIES[category],
                game_name=category,
            )
            several.append(projection_input([], sample(user, seen, at)))
        return sum(several, ProjectionInput())


def sample(user: User, stream: Stream, at: datetime) -> StreamSnapshot:
    """The sample of a poll at that time."""
    return snapshot(SeenLive(user.user_id, user.login, user.display_name, stream, at))


def online(user: User, stream: Stream) -> StreamEvent:
    """The event of a stream's start."""
    started_at = stream.started_at
    data = {"id": stream.id, "type": stream.type, "started_at": format_time(started_at)}
    return _event(user, EventType.ONLINE, started_at, data)


def offline(user: User, stream_id: str, at: datetime) -> StreamEvent:
    """The event of a stream's end."""
    return _event(user, EventType.OFFLINE, at, {"id": stream_id})


def _moments(start: datetime, until: datetime) -> Iterator[datetime]:
    at = start + SAMPLED_EVERY / 10
    while at < until:
        yield at
        at += SAMPLED_EVERY


def _viewers_part(part: float) -> float:
    """The viewers as a part of the peak, from the start (0) to the end (1) of a stream."""
    return (1 - exp(-6 * part)) * (1 - 0.35 * part) + 0.06 * sin(9 * part)


def _event(user: User, kind: EventType, at: datetime, data: dict[str, str]) -> StreamEvent:
    return StreamEvent(
        id=f"{kind}-{data['id']}-{at.timestamp()}",
        event_type=kind,
        broadcaster_id=user.user_id,
        broadcaster_login=user.login,
        broadcaster_name=user.display_name,
        timestamp=at,
        data=data,
        source=Source.EVENTSUB,
    )
