"""The dashboard with a past: the simulator's cast over four months, some of them live now."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from math import exp, sin
from random import Random

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from streamwatch.analytics.memory import MemoryAnalytics
from streamwatch.app import create_app
from streamwatch.bootstrap import Services, assemble
from streamwatch.domain.models import (
    EventType,
    Source,
    Stream,
    Streamer,
    StreamEvent,
    StreamSnapshot,
    User,
)
from streamwatch.domain.observations import Observation, SeenLive, WentOffline, WentOnline
from streamwatch.domain.sessions import Observed, observed
from streamwatch.domain.times import format_time
from streamwatch.services.observer import Observer
from streamwatch.settings import Settings
from streamwatch.simulator.cast import CAST, CATEGORIES, TAGS, TITLES, Member
from streamwatch.storage.memory import MemoryStorage
from tests.fakes import FakeTwitch
from tests.messages import CALLBACK, SECRET

API_KEY = "a-key-for-the-dashboard"
SAMPLE = timedelta(minutes=10)
PAST_DAYS = 120
GAME = timedelta(minutes=140)
"""After so long another category comes."""
START = datetime(2026, 1, 1, tzinfo=UTC)


class _Quiet(WSGIRequestHandler):
    def log(self, *_: object) -> None:
        """Requests are not logged."""


@dataclass
class Showcase:
    """Services in memory, and a server for them."""

    settings: Settings = field(
        default_factory=lambda: Settings(
            twitch_client_id="id",
            twitch_client_secret="secret",
            webhook_url=CALLBACK,
            webhook_secrets=(SECRET,),
            api_keys=(API_KEY,),
            web_threads=32,
        )
    )
    storage: MemoryStorage = field(default_factory=MemoryStorage)
    twitch: FakeTwitch = field(default_factory=FakeTwitch)
    analytics: MemoryAnalytics = field(default_factory=lambda: MemoryAnalytics(SAMPLE))
    random: Random = field(default_factory=lambda: Random(7))  # noqa: S311  a game's dice
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    told_at: datetime = START

    @cached_property
    def services(self) -> Services:
        return assemble(self.settings, self.storage, self.twitch, self.analytics)

    @contextmanager
    def served(self) -> Iterator[str]:
        """The URL at which it is served meanwhile."""
        server = make_server(
            "127.0.0.1",
            0,
            create_app(services=self.services),
            threaded=True,
            request_handler=_Quiet,
        )
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            self.services.live_push.close()
            self._end(server)
            thread.join()

    @staticmethod
    def _end(server: BaseWSGIServer) -> None:
        server.shutdown()
        server.server_close()

    # What happens

    def monitor(self, *names: str) -> None:
        """Monitor users of these display names."""
        users = [self.twitch.add_user(name.lower(), f"id-{name.lower()}", name) for name in names]
        self.storage.add_streamers(
            [
                Streamer(user.user_id, user.login, user.display_name, self.now, "on", "off")
                for user in users
            ]
        )

    def go_online(self, name: str, stream_id: str, *, minutes_ago: float = 0) -> None:
        at = self._now() - timedelta(minutes=minutes_ago)
        user = self._user(name)
        event = online(user, stream_id, at)
        self._observe(WentOnline(event, Stream(stream_id, at)))
        self.analytics.project(observed((event,), None))

    def go_offline(self, name: str, stream_id: str) -> None:
        event = offline(self._user(name), stream_id, self._now())
        self._observe(WentOffline(event))
        self.analytics.project(observed((event,), None))

    def poll(self, name: str, **details: object) -> None:
        """Helix shows the stream that is on, with these details."""
        user = self._user(name)
        status = self.storage.status(user.user_id)
        assert status
        assert status.stream
        values = {
            "viewer_count": 10,
            "game_id": "509658",
            "game_name": "Just Chatting",
            "title": "Hello",
            "language": "en",
            "tags": ("English",),
        }
        stream = Stream(status.stream.id, status.stream.started_at, **values | details)  # type: ignore[arg-type]  # a test names them right
        seen = SeenLive(user.user_id, user.login, user.display_name, stream, self._now())
        self._observe(seen)
        self.analytics.project(observed((), snapshot(user, stream, seen.at)))

    def past_stream(
        self, user: User, stream_id: str, start: datetime, length: timedelta, viewers: int
    ) -> None:
        """A stream that was on and watched by as many all the time; the analytics alone know it."""
        self.analytics.project(observed((online(user, stream_id, start),), None))
        for number in range(length // SAMPLE):
            self.past_sample(user, stream_id, start + number * SAMPLE, viewers, start)
        self.analytics.project(observed((offline(user, stream_id, start + length),), None))

    def past_sample(
        self,
        user: User,
        stream_id: str,
        at: datetime,
        viewers: int,
        start: datetime | None = None,
    ) -> None:
        stream = Stream(
            stream_id, start or at, viewer_count=viewers, game_id="1", game_name="Chess"
        )
        self.analytics.project(observed((), snapshot(user, stream, at)))

    def _observe(self, observation: Observation) -> None:
        Observer(self.storage).observe([observation])

    def _user(self, name: str) -> User:
        return self.twitch.known[f"id-{name.lower()}"]

    def _now(self) -> datetime:
        """Each time some milliseconds later than before: samples of one have different times."""
        self.told_at = max(datetime.now(UTC), self.told_at + timedelta(milliseconds=5))
        return self.told_at

    # The past

    def fill(self) -> None:
        """The whole cast, monitored, with a past; about half of them are live. The worker is well
        for a day."""
        self.storage.coordination.heartbeat(self.now + timedelta(days=1))
        self.monitor(*(member.display_name for member in reversed(CAST)))
        for number, member in enumerate(CAST):
            if member.usual_viewers:
                self.analytics.project(self._past(member))
                if number % 5 not in {2, 4}:
                    self._live(member)
        for name in ("Waldkauzig", "ElFaroRoto", "TeaCosyTyrant"):
            status = self.storage.status(f"id-{name.lower()}")
            if status and status.stream:
                self.go_offline(name, status.stream.id)

    def _past(self, member: Member) -> Observed:
        """Streams on the member's usual days and hours."""
        user, random = self._user(member.display_name), self.random
        days = set(random.sample(range(7), random.randint(3, 6)))
        hour = random.choice([8, 13, 16, 18, 19, 20, 21])
        games = random.sample(list(CATEGORIES), 4)
        found = Observed()
        for ago in range(PAST_DAYS, 0, -1):
            day = self.now - timedelta(days=ago)
            if day.weekday() not in days or random.random() < 0.12:
                continue
            start = day.replace(hour=hour, minute=random.choice([0, 2, 5, 14, 31]), second=7)
            hours = random.uniform(1.8, 6.5)
            growth = 0.75 + 0.5 * (1 - ago / PAST_DAYS)
            if start + timedelta(hours=hours) < self.now - timedelta(hours=8):
                found += self._stream(user, member, games, start, hours, growth)
        return found

    def _live(self, member: Member) -> None:
        """A stream that began a while ago and is still on."""
        user, minutes = self._user(member.display_name), self.random.uniform(12, 400)
        stream_id = f"live-{user.login}"
        games = self.random.sample(list(CATEGORIES), 3)
        start = self.now - timedelta(minutes=minutes)
        event = online(user, stream_id, start)
        self._observe(WentOnline(event, Stream(stream_id, start)))
        found = self._stream(user, member, games, start, minutes / 60, 1.2, stream_id, is_on=True)
        self.analytics.project(found)
        last = found.samples[-1]
        self.poll(
            member.display_name,
            viewer_count=last.viewer_count,
            game_id=last.category_id,
            game_name=last.category_name,
            title=last.title,
            language=member.language,
            tags=last.tags,
        )

    def _stream(
        self,
        user: User,
        member: Member,
        games: list[str],
        start: datetime,
        hours: float,
        growth: float,
        stream_id: str | None = None,
        *,
        is_on: bool = False,
    ) -> Observed:
        """A stream whose audience comes, stays and goes."""
        random, stream_id = self.random, stream_id or f"{user.login}-{start:%Y%m%d}"
        length = timedelta(hours=hours)
        title = random.choice(TITLES[member.language])
        found = observed((online(user, stream_id, start),), None)
        games = random.sample(games, len(games))
        at, mood = start + timedelta(seconds=40), random.uniform(0.8, 1.2)
        while at < start + length:
            part = (at - start) / length if not is_on else 0.5 * (at - start) / length
            shape = (1 - exp(-6 * part)) * (1 - 0.35 * part) + 0.06 * sin(9 * part + mood)
            game = games[int((at - start) / GAME) % len(games)]
            viewers = member.usual_viewers * growth * mood * shape * random.uniform(0.96, 1.04)
            stream = Stream(
                stream_id,
                start,
                viewer_count=max(1, round(viewers)),
                game_id=CATEGORIES[game],
                game_name=game,
                title=title,
                language=member.language,
                tags=TAGS[member.language],
            )
            found += observed((), snapshot(user, stream, at))
            at += SAMPLE if at < self.now - timedelta(hours=1) else SAMPLE / 4
        if not is_on:
            found += observed((offline(user, stream_id, start + length),), None)
        return found


def online(user: User, stream_id: str, at: datetime) -> StreamEvent:
    data = {"id": stream_id, "type": "live", "started_at": format_time(at)}
    return _event(user, EventType.ONLINE, stream_id, at, data)


def offline(user: User, stream_id: str, at: datetime) -> StreamEvent:
    return _event(user, EventType.OFFLINE, stream_id, at, {"id": stream_id})


def snapshot(user: User, stream: Stream, at: datetime) -> StreamSnapshot:
    return StreamSnapshot(
        stream_id=stream.id,
        broadcaster_id=user.user_id,
        broadcaster_login=user.login,
        broadcaster_name=user.display_name,
        captured_at=at,
        started_at=stream.started_at,
        viewer_count=stream.viewer_count or 0,
        category_id=stream.game_id,
        category_name=stream.game_name,
        title=stream.title,
        language=stream.language,
        tags=stream.tags or (),
    )


def _event(
    user: User, event_type: EventType, stream_id: str, at: datetime, data: dict[str, str]
) -> StreamEvent:
    return StreamEvent(
        id=f"{event_type}-{stream_id}-{at.timestamp()}",
        event_type=event_type,
        broadcaster_id=user.user_id,
        broadcaster_login=user.login,
        broadcaster_name=user.display_name,
        timestamp=at,
        data=data,
        source=Source.EVENTSUB,
    )
