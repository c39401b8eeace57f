"""A Redis that does not answer: how soon that is reported, and what works meanwhile; retention."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import fakeredis
import pytest

from streamwatch.analytics.base import AnalyticsError, AnalyticsUnavailable
from streamwatch.analytics.redis import RedisAnalytics, keys
from streamwatch.analytics.redis.connection import Connection
from streamwatch.analytics.testing import CAP
from streamwatch.analytics.testing.build import as_input, at, online, snapshot, together
from streamwatch.bootstrap import assemble
from streamwatch.redis_urls import client_maker
from streamwatch.settings import Settings, SettingsError
from streamwatch.storage.memory import MemoryStorage
from tests import messages
from tests.analytics.calls import CALLS, READS, answers, check_unavailable, history
from tests.application import application
from tests.fakes import FakeTwitch
from tests.servers import free_port, redis_server
from tests.waiting import wait_for

pytestmark = pytest.mark.xdist_group("redis")


def connected(url: str) -> RedisAnalytics:
    return RedisAnalytics(Connection(client_maker(url)), CAP)


def test_a_frozen_redis_is_reported_by_every_call_and_holds_up_nothing_else() -> None:
    with redis_server() as server:
        analytics = connected(server.url)
        analytics.project(as_input(*history("user-0", 8)))
        settings = Settings(webhook_secrets=(messages.SECRET,), webhook_url=messages.CALLBACK)
        services = assemble(settings, MemoryStorage(), FakeTwitch(), analytics)
        client = application(services).test_client()
        server.freeze()
        together(*(partial(check_unavailable, call, analytics) for call in CALLS.values()))
        message = messages.online()
        answer = client.post("/webhooks/eventsub", headers=message.headers, data=message.body)
        assert answer.status_code == 204
        assert client.get("/events").get_json()["count"] == 1
        assert client.get("/analytics/summary").status_code == 503
        health = client.get("/health").get_json()
        assert (health["status"], health["analytics"]) == ("degraded", "disconnected")
        server.thaw()
        wait_for(partial(answers, analytics))
        together(*(partial(read, analytics) for read in READS.values()))
        services.broadcaster.close()
        analytics.close()


@pytest.mark.parametrize("scheme", ["redis", "redis+cluster"])
def test_an_absent_redis_is_reported_within_three_seconds(scheme: str) -> None:
    analytics = connected(f"{scheme}://127.0.0.1:{free_port()}")
    start = time.monotonic()
    together(*(partial(check_unavailable, call, analytics) for call in CALLS.values()))
    assert time.monotonic() - start < 3
    analytics.close()


@pytest.fixture
def make_client() -> Callable[[], fakeredis.FakeRedis]:
    server = fakeredis.FakeServer()
    return lambda: fakeredis.FakeRedis(server=server, protocol=2)


def test_a_sample_that_redis_cannot_store_is_an_error_of_the_sample(
    make_client: Callable[[], fakeredis.FakeRedis],
) -> None:
    analytics = RedisAnalytics(Connection(make_client), CAP)
    with pytest.raises(AnalyticsError) as caught:
        analytics.project(as_input(replace(snapshot("s1", 0), title="\ud800")))
    assert not isinstance(caught.value, AnalyticsUnavailable)
    assert analytics.sessions("1337", 10) == []


def test_retention_is_an_expiry_of_samples_that_follows_the_setting(
    make_client: Callable[[], fakeredis.FakeRedis],
) -> None:
    def seconds_left(days: int) -> int:
        retention = timedelta(days=days) if days else None
        analytics = RedisAnalytics(Connection(make_client), CAP, retention, lambda: at(0))
        analytics.prepare()
        analytics.project(as_input(snapshot("s1", 60)))
        return int(make_client().ttl(keys.samples("s1")))

    day = 86_400
    assert 7 * day - 60 < seconds_left(7) <= 7 * day + 60
    assert 30 * day - 60 < seconds_left(30) <= 30 * day + 60
    assert seconds_left(0) == -1
    assert 400 * day - 60 < seconds_left(400) <= 400 * day + 60


def test_streams_whose_samples_have_expired_leave_the_indexes(
    make_client: Callable[[], fakeredis.FakeRedis],
) -> None:
    now = [at(0)]
    analytics = RedisAnalytics(Connection(make_client), CAP, timedelta(days=1), lambda: now[-1])
    analytics.project(as_input(snapshot("s1", 0)))
    now.append(at(10 * 86_400))
    analytics.project(as_input(snapshot("s2", 10 * 86_400, started=10 * 86_400)))
    for index in (keys.SAMPLED, keys.sampled_of("1337"), keys.FIRST_SAMPLED):
        assert make_client().zrange(index, 0, -1) == [b"s2"]
    assert [session.stream_id for session in analytics.sessions("1337", 5)] == ["s2", "s1"]


def test_a_url_without_the_name_of_the_master_is_a_fault_of_the_settings() -> None:
    settings = Settings(analytics_type="redis", redis_url="redis+sentinel://host")
    with pytest.raises(SettingsError, match="REDIS_URL: the value cannot be used"):
        RedisAnalytics.from_settings(settings)


def test_a_long_read_of_weeks_shows_each_sample_once_while_streams_go_on(
    make_client: Callable[[], fakeredis.FakeRedis],
) -> None:
    """Streams of the last days are listed at once, older ones are read in pages."""
    analytics = RedisAnalytics(Connection(make_client), CAP)
    before = [
        snapshot(f"s{number}", 6 * 3600 * number, started=6 * 3600 * number, user_id=f"{number}")
        for number in range(120)
    ]
    analytics.project(as_input(*before))
    read = analytics.each_snapshot(None)
    shown = [next(read)]
    later = [replace(sample, captured_at=at(30 * 86_400 + 60)) for sample in before[-16:]]
    analytics.project(as_input(*later, snapshot("new", 30 * 86_400, started=30 * 86_400)))
    shown += read
    assert shown == before[::-1]
    assert analytics.snapshots(None, 200, before[-20].position) == before[:-20][::-1]


def test_a_page_lacks_no_stream_that_gets_a_sample_while_it_is_read(
    make_client: Callable[[], fakeredis.FakeRedis], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page begins in the midst of a poll that has shown s0 and s1 so far, but not s2."""
    analytics = RedisAnalytics(Connection(make_client), CAP)

    def poll(seconds: float, *streams: int) -> None:
        samples = [snapshot(f"s{n}", seconds, user_id=f"{n}", login=f"login{n}") for n in streams]
        analytics.project(as_input(*samples))

    poll(300, 0, 1, 2)
    poll(900, 0, 1)
    before = analytics.snapshots(None, 10)
    [first] = analytics.snapshots(None, 1)
    read = analytics.sampled_at

    def sampled_at(user_id: str | None, time: datetime) -> list[str]:
        found = read(user_id, time)
        poll(901, 2)
        return found

    monkeypatch.setattr(analytics, "sampled_at", sampled_at)
    assert [first, *analytics.snapshots(None, 10, first.position)] == before


class CountingConnection(Connection):
    """Records the commands."""

    def __init__(self, make_client: Callable[[], fakeredis.FakeRedis]) -> None:
        super().__init__(make_client)
        self.commands: list[tuple[Any, ...]] = []

    def call(self, *command: Any) -> Any:
        self.commands.append(command)
        return super().call(*command)


def test_a_year_of_sessions_is_read_with_few_commands_and_the_newest_with_small_ones(
    make_client: Callable[[], fakeredis.FakeRedis],
) -> None:
    connection, day = CountingConnection(make_client), 86_400
    analytics = RedisAnalytics(connection, CAP)
    analytics.project(as_input(*(online(f"s{number}", day * number) for number in range(365))))
    connection.commands.clear()
    assert len(list(analytics.each_session("1337"))) == 365
    assert len(connection.commands) <= 16
    connection.commands.clear()
    assert len(analytics.sessions("1337", 5)) == 5
    assert [len(command) for command in connection.commands] == [5, 2 + 10]
