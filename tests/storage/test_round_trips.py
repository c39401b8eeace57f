"""A refresh of many streamers takes few round trips, and tags do not add to them."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import redis

from streamwatch.domain.tags import MAX_TAGS
from streamwatch.storage.redis import RedisStorage
from streamwatch.storage.redis.connection import Connection
from streamwatch.storage.testing.build import change, event, snapshot, status, store, streamer
from tests.counting import CountingConnection

STREAMERS = 1000
ALLOWED = 30
"""300 for 10,000 streamers."""

TAGS = tuple(sorted(f"tag{number}" for number in range(MAX_TAGS)))
IDS = [str(number) for number in range(STREAMERS)]


@pytest.fixture
def counted(redis_url: str) -> Iterator[RedisStorage]:
    """A storage whose round trips are counted."""
    pool = redis.ConnectionPool.from_url(
        redis_url, connection_class=CountingConnection, protocol=2, driver_info=None
    )
    storage = RedisStorage(Connection(lambda: redis.Redis(connection_pool=pool)))
    storage.ping()
    yield storage
    storage.close()
    pool.disconnect()


def add(storage: RedisStorage, tags: tuple[str, ...] = ()) -> None:
    storage.add_streamers([replace(streamer(key, f"login{key}"), tags=tags) for key in IDS])
    store(storage, *(change(status(key, f"login{key}")) for key in IDS))


def test_refreshing_a_thousand_streamers_takes_few_round_trips(
    storage: RedisStorage, counted: RedisStorage
) -> None:
    add(storage)
    CountingConnection.sent = 0

    counted.streamers()
    counted.live()
    known = counted.statuses(IDS)
    seen = [status(key, f"login{key}", version=2, viewers=5) for key in known]
    store(
        counted,
        *(
            change(after, event(f"e{after.user_id}"), snapshot=snapshot(after.user_id))
            for after in seen
        ),
    )

    assert STREAMERS / 100 <= CountingConnection.sent <= ALLOWED


@pytest.mark.parametrize("tags", [(), TAGS], ids=["without tags", "with 20 tags each"])
def test_a_thousand_streamers_are_read_in_one_round_trip(
    storage: RedisStorage, counted: RedisStorage, tags: tuple[str, ...]
) -> None:
    add(storage, tags)
    CountingConnection.sent = 0

    assert {found.tags for found in counted.streamers()} == {tags}

    assert CountingConnection.sent == 1
