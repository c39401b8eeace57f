"""The dashboard with data: the simulator's cast over four months, some of them live now."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from random import Random

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from streamwatch.analytics.memory import MemoryAnalytics
from streamwatch.bootstrap import Services, assemble
from streamwatch.domain.models import ChannelInfo, EventType, Stream, Streamer, User
from streamwatch.domain.notifications.models import MAX_NOTIFICATIONS, TargetKind, WatchedStreamer
from streamwatch.domain.observations import Observation, SeenLive, Updated, WentOffline, WentOnline
from streamwatch.domain.polls import snapshot
from streamwatch.domain.session_events import ProjectionInput, projection_input
from streamwatch.services.ingestion.recorder import ObservationRecorder
from streamwatch.services.locks import LEADER_LEASE
from streamwatch.services.monitoring.counters import MESSAGES, with_kind
from streamwatch.settings import Origin, Settings
from streamwatch.simulator.cast import CAST, CATEGORIES, TAGS, TITLES, Member
from streamwatch.simulator.past import SAMPLED_EVERY, Past, offline, online, sample
from streamwatch.simulator.pictures import avatar_url, preview_url
from streamwatch.storage.base import JobRun
from streamwatch.storage.memory import MemoryStorage
from tests.application import application
from tests.browser import PICTURES
from tests.fakes import FakeTwitch
from tests.messages import CALLBACK, SECRET
from tests.notifications.build import notification

API_KEY = "a-key-for-the-dashboard"
PAST_DAYS = 120
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
            rate_limit=0,  # browsers without a cache load every file for every page
            image_origins=(PICTURES,),
            notifications_allow_private=True,  # a target that resolves without a network
            origins={
                "TWITCH_CLIENT_ID": Origin.STORED,
                "TWITCH_CLIENT_SECRET": Origin.STORED,
                "WEBHOOK_SECRET": Origin.STORED,
                "WEBHOOK_URL": Origin.DOTENV,
                "API_KEY": Origin.STORED,
                "IMAGE_ORIGINS": Origin.ENVIRONMENT,
                "WEB_THREADS": Origin.ENVIRONMENT,
            },
        )
    )
    storage: MemoryStorage = field(default_factory=MemoryStorage)
    twitch: FakeTwitch = field(default_factory=FakeTwitch)
    analytics: MemoryAnalytics = field(default_factory=lambda: MemoryAnalytics(SAMPLED_EVERY))
    random: Random = field(default_factory=lambda: Random(7))  # noqa: S311  a game's dice
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    told_at: datetime = START

    @cached_property
    def services(self) -> Services:
        return assemble(self.settings, self.storage, self.twitch, self.analytics)

    @cached_property
    def _past(self) -> Past:
        return Past(self.random, self.now, PAST_DAYS)

    @contextmanager
    def served(self) -> Iterator[str]:
        """Serve the dashboard; yields its URL."""
        server = make_server(
            "127.0.0.1",
            0,
            application(self.services),
            threaded=True,
            request_handler=_Quiet,
        )
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            self.services.broadcaster.close()
            self._end(server)
            thread.join()

    @staticmethod
    def _end(server: BaseWSGIServer) -> None:
        server.shutdown()
        server.server_close()

    # Events

    def monitor(self, *names: str) -> None:
        """Monitor users of these display names."""
        users = [self.twitch.add_user(name.lower(), f"id-{name.lower()}", name) for name in names]
        self.storage.add_streamers(
            [
                Streamer(
                    user.user_id,
                    user.login,
                    user.display_name,
                    self.now,
                    "on",
                    "off",
                    profile_image_url=avatar_url(PICTURES, user.login),
                )
                for user in users
            ]
        )

    def go_online(self, name: str, stream_id: str, *, minutes_ago: float = 0) -> None:
        at = self._now() - timedelta(minutes=minutes_ago)
        user = self._user(name)
        stream = Stream(stream_id, at)
        event = online(user, stream)
        self._observe(WentOnline(event, stream))
        self.analytics.project(projection_input((event,), None))

    def go_offline(self, name: str, stream_id: str) -> None:
        event = offline(self._user(name), stream_id, self._now())
        self._observe(WentOffline(event))
        self.analytics.project(projection_input((event,), None))

    def update(self, name: str, title: str, category: str) -> None:
        """Push another title and category of a channel."""
        user, at = self._user(name), self._now()
        info = ChannelInfo(title, CATEGORIES[category], category, "en")
        event = replace(
            offline(user, "", at),
            id=f"update-{at.timestamp()}",
            event_type=EventType.UPDATE,
            data=info._asdict(),
        )
        self._observe(Updated(event, info))
        self.analytics.project(projection_input((event,), None))

    def poll(self, name: str, **details: object) -> None:
        """Record a poll that finds the stream on, with these details."""
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
        self._see(user, stream)

    def _see(self, user: User, stream: Stream) -> None:
        seen = SeenLive(user.user_id, user.login, user.display_name, stream, self._now())
        self._observe(seen)
        self.analytics.project(projection_input((), snapshot(seen)))

    def past_stream(
        self,
        user: User,
        stream_id: str,
        start: datetime,
        length: timedelta,
        viewers: int,
        observed: timedelta | None = None,
    ) -> None:
        """Record a past stream with a constant number of viewers, in the analytics alone. With
        `observed`, there are samples of this time from the start on, else of the whole stream."""
        begin, end = (
            online(user, Stream(stream_id, start)),
            offline(user, stream_id, start + length),
        )
        found = projection_input((begin, end), None)
        for number in range((observed or length) // SAMPLED_EVERY):
            at = start + number * SAMPLED_EVERY
            found += self._past_sample(user, stream_id, at, viewers, start)
        self.analytics.project(found)

    def past_sample(
        self,
        user: User,
        stream_id: str,
        at: datetime,
        viewers: int,
        start: datetime | None = None,
    ) -> None:
        """Record one sample of a stream, in the analytics alone."""
        self.analytics.project(self._past_sample(user, stream_id, at, viewers, start or at))

    @staticmethod
    def _past_sample(
        user: User, stream_id: str, at: datetime, viewers: int, start: datetime
    ) -> ProjectionInput:
        stream = Stream(stream_id, start, viewer_count=viewers, game_id="1", game_name="Chess")
        return projection_input((), sample(user, stream, at))

    def _observe(self, observation: Observation) -> None:
        ObservationRecorder(self.storage).record([observation])

    def _user(self, name: str) -> User:
        return self.twitch.known[f"id-{name.lower()}"]

    def _now(self) -> datetime:
        """The present time, later by some milliseconds with each call: samples of one stream need
        different times."""
        self.told_at = max(datetime.now(UTC), self.told_at + timedelta(milliseconds=5))
        return self.told_at

    # The cast

    def fill(self) -> None:
        """Monitor the whole cast and record their past. About half of them are live. The worker's
        heartbeat is valid for a day."""
        self.storage.coordination.heartbeat(self.now, seconds=24 * 3600)
        self.monitor(*(member.display_name for member in reversed(CAST)))
        for number, member in enumerate(CAST):
            if member.usual_viewers:
                user = self._user(member.display_name)
                self.analytics.project(self._past.streams(member, user))
                if number % 5 not in {2, 4}:
                    self._live(member)
        for name in ("Waldkauzig", "ElFaroRoto", "TeaCosyTyrant"):
            status = self.storage.status(f"id-{name.lower()}")
            if status and status.stream:
                self.go_offline(name, status.stream.id)

    def operate(self) -> None:
        """Record what a worker leaves behind, and add three notifications."""
        coordination, feed = self.storage.coordination, self.storage.feed
        for number, name in enumerate(("reconcile", "refresh", "details", "names", "trim-feed")):
            coordination.record_job(JobRun(name, self.now - timedelta(seconds=number), 0.12))
        coordination.acquire_lease(LEADER_LEASE, "living-room:4711", 24 * 3600)
        coordination.add_counts(
            with_kind(MESSAGES, {"accepted": 1234, "duplicate": 17, "verified": 90})
        )
        for reader in ("analytics", "notifications"):
            feed.register(reader)
        for name, port in (("Living room", 8123), ("Lights", 8124)):
            url = f"http://127.0.0.1:{port}/hooks/a-secret"
            self.services.notifications.management.create(
                {"kind": "webhook", "name": name, "url": url}
            )
        discord = notification(
            TargetKind.DISCORD,
            id="ntf_discord",
            name="Our server",
            url="https://discord.com/api/webhooks/1/a-secret",
            streamers=(WatchedStreamer("id-shroud", "shroud"),),
            categories=("Papers, Please", "Chess"),
            template="$streamer is live: $title",
        )
        assert self.storage.notifications.add(discord, MAX_NOTIFICATIONS)

    def _live(self, member: Member) -> None:
        """A stream that began a while ago and is still on."""
        user, random = self._user(member.display_name), self.random
        game = random.choice(list(CATEGORIES))
        stream = Stream(
            id=f"live-{user.login}",
            started_at=self.now - timedelta(minutes=random.uniform(12, 400)),
            viewer_count=round(member.usual_viewers * random.uniform(0.7, 1.2)),
            game_id=CATEGORIES[game],
            game_name=game,
            title=random.choice(TITLES[member.language]),
            language=member.language,
            tags=TAGS[member.language],
            thumbnail_url=preview_url(PICTURES, user.login),
        )
        self._observe(WentOnline(online(user, stream), stream))
        self.analytics.project(self._past.so_far(user, stream))
        self._see(user, stream)
