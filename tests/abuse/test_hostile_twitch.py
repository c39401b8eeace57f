"""After any answer of Twitch what is stored is readable, and everyone else is refreshed."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import pytest
import redis
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, note, settings

from streamwatch.analytics.memory import MemoryAnalytics
from streamwatch.bootstrap import Services, assemble
from streamwatch.domain.models import Streamer
from streamwatch.services.clock import CorrectedClock
from streamwatch.services.errors import UnknownUser
from streamwatch.settings import Settings
from streamwatch.storage.redis import RedisStorage
from streamwatch.storage.redis.connection import Connection
from streamwatch.twitch.base import TwitchError
from streamwatch.twitch.client import Helix
from streamwatch.twitch.transport import CallLimits
from tests.abuse.hostile_twitch import (
    GOOD,
    ODD,
    ODD_ANSWERS,
    ODD_ITEMS,
    HostileTwitch,
    Odd,
    ReplaceAll,
    ReplaceField,
    hostile_twitch,
)
from tests.application import application
from tests.clocks import ManualClock
from tests.messages import CALLBACK, SECRET
from tests.servers import Server

pytestmark = pytest.mark.xdist_group("hostile")

PAGES = (
    "/health",
    "/streamers",
    "/streams/live",
    "/events",
    "/analytics/summary",
    "/feeds/live.rss",
    "/metrics",
    "/dashboard/",
    "/dashboard/streamers",
)

_LIMITS = CallLimits(connect=1, read=0.3, exchange=0.5, session_wait=1, reset=0)


@dataclass
class World:
    """The application on a hostile Twitch and a real Redis."""

    twitch: HostileTwitch
    clock: ManualClock
    services: Services
    client: FlaskClient

    def answer_malformed(self, odd: Odd) -> None:
        """Make the calls that `odd` answers."""
        self.twitch.answer_with(odd)
        try:
            for job in self._jobs(odd.route):
                with suppress(TwitchError, UnknownUser):
                    job()
            for method, path in (
                ("GET", "/streamers/somebody_else/status"),
                ("POST", "/streamers/somebody_else"),
                ("DELETE", "/streamers/somebody_else"),
            ):
                status = self.client.open(path, method=method).status_code
                assert status in {200, 201, 404, 502, 503}, (path, status)
        finally:
            self.twitch.answer_with(None)

    def _jobs(self, route: str) -> list[Callable[[], object]]:
        services = self.services
        if "conduits" in route:
            conduit = services.conduit
            return [
                conduit.ensure,
                conduit.shards,
                lambda: conduit.attach("conduit", "session"),
                conduit.delete,
            ]
        if "subscriptions" in route:
            return [services.subscriptions.reconcile, services.subscriptions.listing]
        if "videos" in route:
            return [lambda: services.backfills.queue([ODD]), services.backfills.run_next]
        return [self.poll, services.poller.fetch_details, services.streamers.update_names]

    def poll(self) -> None:
        self.clock.advance(60)
        self.twitch.viewers += 1
        self.services.poller.poll_all()

    def check_readable(self) -> None:
        storage = self.services.storage
        assert {streamer.user_id for streamer in storage.streamers()} >= {GOOD, ODD}
        storage.live()
        storage.events(100)
        storage.statuses([GOOD, ODD])

    def check_pages(self) -> None:
        for path in PAGES:
            assert self.client.get(path).status_code == 200, path

    def check_refreshed(self) -> None:
        status = self.services.storage.status(GOOD)
        assert status is not None
        assert status.stream is not None
        assert status.stream.viewer_count == self.twitch.viewers


@pytest.fixture(scope="module")
def world(shared_redis: Server) -> Iterator[World]:
    with redis.Redis.from_url(shared_redis.url) as client:
        client.flushall()
    clock = ManualClock()
    with hostile_twitch(clock) as twitch:
        corrected = CorrectedClock(clock)
        storage = RedisStorage(Connection.to(shared_redis.url))
        helix = Helix(
            "client-id",
            "client-secret",
            storage.coordination,
            api_url=twitch.url,
            auth_url=twitch.url,
            limits=_LIMITS,
            clock=corrected,
            sleep=lambda _: None,
            observe_date=corrected.observe_answer,
        )
        options = Settings(
            webhook_url=CALLBACK, webhook_secrets=(SECRET,), rate_limit=0, lookup_limit=0
        )
        analytics = MemoryAnalytics(timedelta(minutes=10))
        services = assemble(options, storage, helix, analytics, corrected)
        storage.add_streamers(
            [Streamer(each, f"user_{each}", f"User_{each}", clock.now) for each in (GOOD, ODD)]
        )
        world = World(twitch, clock, services, application(services).test_client())
        world.poll()
        world.check_refreshed()
        yield world
        world.check_pages()
        services.close()


def check(world: World, odd: Odd) -> None:
    world.answer_malformed(odd)
    if odd.spares_others and not odd.endless:
        world.twitch.answer_with(odd)
        world.poll()
        world.twitch.answer_with(None)
        world.check_refreshed()
    world.poll()
    world.check_refreshed()
    while world.services.projector.run_once():
        pass
    world.check_readable()
    if world.twitch.viewers % 10 == 0:  # now and then, since pages are slow
        world.check_pages()


def check_example(world: World, odd: Odd) -> None:
    note(repr(odd)[:2000])
    check(world, odd)


# The world is the same for all examples: what an odd answer has left behind stays.
EXAMPLES = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
MANY_EXAMPLES = settings(EXAMPLES, max_examples=5000, derandomize=False)


@pytest.mark.parametrize(
    ("name", "value"), [("id", 8), ("id", "*} {x"), ("login", "a\nb"), ("login", "somebody_else")]
)
def test_a_user_whose_item_is_odd_is_not_reported_as_not_found(
    world: World, name: str, value: object
) -> None:
    fields = ["display_name", "id", "login"]
    world.twitch.answer_with(Odd("GET /users", ReplaceField(fields.index(name), value)))
    response = world.client.post("/streamers", json={"usernames": ["user_7", "user_8"]})
    world.twitch.answer_with(None)
    world.client.delete("/streamers/user_7")
    result = response.get_json()
    assert (result["added"], result["failed"], result["not_found"]) == (["user_7"], ["user_8"], [])


@given(odd=ODD_ITEMS)
@EXAMPLES
def test_an_odd_item_affects_no_other(world: World, odd: Odd) -> None:
    check_example(world, odd)


@given(odd=ODD_ANSWERS)
@EXAMPLES
def test_an_odd_answer_changes_nothing_for_others(world: World, odd: Odd) -> None:
    check_example(world, odd)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@given(odd=ODD_ITEMS)
@MANY_EXAMPLES
def test_thousands_of_odd_items_affect_no_other(world: World, odd: Odd) -> None:
    check_example(world, odd)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@given(odd=ODD_ANSWERS)
@MANY_EXAMPLES
def test_thousands_of_odd_answers_change_nothing_for_others(world: World, odd: Odd) -> None:
    check_example(world, odd)


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "route", ["POST /token", "GET /users", "GET /streams", "GET /eventsub/subscriptions"]
)
@pytest.mark.parametrize("encoding", ["space", "open", "text"])
def test_an_endless_answer_ends_after_the_time_of_an_exchange(
    world: World, route: str, encoding: str
) -> None:
    check(world, Odd(route, ReplaceAll(None), encoding, endless=True))
