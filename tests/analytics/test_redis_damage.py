"""Damaged values in Redis: they are logged and left out, and recalculated from the others."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis

from streamwatch.analytics.redis import RedisAnalytics, keys
from streamwatch.analytics.redis.connection import Connection
from streamwatch.analytics.testing import CAP
from streamwatch.analytics.testing.build import START, as_input, offline, online, snapshot
from streamwatch.bootstrap import assemble
from streamwatch.domain.totals import Ranking
from streamwatch.redis_urls import client_maker
from streamwatch.settings import Settings
from streamwatch.storage.memory import MemoryStorage
from tests.analytics.calls import HOUR, history
from tests.analytics.recomputation import check_recomputation
from tests.application import application
from tests.fakes import FakeTwitch

pytestmark = pytest.mark.xdist_group("redis")

STREAMS = 4
HASHES = {
    "session": (keys.SESSIONS, "bad-3"),
    "statistics": (keys.STATS, "bad"),
    "state": (keys.STATES, "bad"),
    "event": (keys.events("bad"), None),
}
"""The hash and the field of each kind of value; None for the first field."""

DAMAGE = [b"", b"\xff", b'{"_id": "x"', b"null", b"7", b"{}", b'{"_id": 7, "started_at": {}}']

PAGES = (
    "/analytics/summary",
    "/analytics/top-streamers/hours",
    "/analytics/snapshots",
    "/analytics/streamer/good/stats",
    "/analytics/streamer/good/sessions",
    "/dashboard/top",
    "/dashboard/streamer/good",
)


@pytest.fixture
def client(redis_url: str) -> Iterator[Any]:
    with redis.Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def analytics(redis_url: str) -> Iterator[RedisAnalytics]:
    """With two streamers, `good` and `bad`."""
    analytics = RedisAnalytics(Connection(client_maker(redis_url)), CAP)
    for user_id in ("good", "bad"):
        analytics.project(as_input(*history(user_id, STREAMS)))
    yield analytics
    analytics.close()


def damage(client: Any, kind: str, value: bytes) -> None:
    name, field = HASHES[kind]
    client.hset(name, field or client.hkeys(name)[0], value)


@pytest.mark.parametrize("value", DAMAGE)
@pytest.mark.parametrize("kind", HASHES)
def test_a_damaged_value_is_logged_and_affects_no_other(
    client: Any,
    analytics: RedisAnalytics,
    caplog: pytest.LogCaptureFixture,
    kind: str,
    value: bytes,
) -> None:
    good = analytics.find("good")
    before = analytics.find("bad"), analytics.sessions("bad", 10)
    damage(client, kind, value)
    assert analytics.find("good") == good
    assert good in analytics.top(Ranking.HOURS, 10)
    assert "good" in {session.broadcaster_id for session in analytics.sessions("good", 10)}
    analytics.summary()
    analytics.top_categories(10)
    analytics.watched_since(START)
    analytics.sessions("bad", 10)
    analytics.recalculate("bad")
    assert "damaged" in caplog.text
    if kind != "event":
        assert (analytics.find("bad"), analytics.sessions("bad", 10)) == before


@pytest.mark.parametrize("kind", HASHES)
def test_a_streamer_with_a_damaged_value_is_projected_further(
    client: Any, analytics: RedisAnalytics, kind: str
) -> None:
    damage(client, kind, b"{}")
    start = 100 * HOUR * STREAMS
    analytics.project(as_input(online("new", start, user_id="bad", login="bad")))
    analytics.project(
        as_input(snapshot("new", start + 60, started=start, user_id="bad", login="bad"))
    )
    analytics.project(as_input(offline("new", start + 90, user_id="bad", login="bad")))
    projected = analytics.find("bad"), analytics.session("new")
    analytics.recalculate("bad")
    session = analytics.session("new")
    assert session is not None
    assert session.ended_at is not None
    assert session.sample_totals.sums.samples == 1
    if kind in {"statistics", "state"}:  # another damaged value is missed only now
        assert (analytics.find("bad"), session) == projected


def test_damaged_lines_of_samples_are_left_out(
    client: Any, analytics: RedisAnalytics, caplog: pytest.LogCaptureFixture
) -> None:
    before = analytics.samples("bad-3")
    client.append(keys.samples("bad-3"), b'[17, \n{"a": 1}\n[]\nnull\n[1, 2, 3]\n\xff\n')
    assert analytics.samples("bad-3") == before
    assert len(analytics.snapshots(None, 1000)) == 2 * STREAMS * len(before)
    assert "damaged" in caplog.text


def test_pages_are_shown_in_spite_of_damaged_values(client: Any, analytics: RedisAnalytics) -> None:
    for kind in HASHES:
        damage(client, kind, b"garbage")
    client.set(keys.samples("bad-3"), b"garbage")
    services = assemble(Settings(), MemoryStorage(), FakeTwitch(), analytics)
    pages = application(services).test_client()
    for path in PAGES:
        assert pages.get(path).status_code == 200, path


@pytest.mark.parametrize("is_missing", [True, False])
def test_a_damaged_session_of_the_latest_stream_is_computed_from_its_samples_at_the_next_event(
    client: Any, analytics: RedisAnalytics, *, is_missing: bool
) -> None:
    def damage_session() -> None:
        if is_missing:
            client.hdel(keys.SESSIONS, "new")
        else:
            client.hset(keys.SESSIONS, "new", b"{}")

    check_recomputation(analytics, 100 * HOUR * STREAMS, damage_session)
