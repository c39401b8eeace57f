"""A refresh of many streamers takes few round trips."""

import redis

from streamwatch.storage.redis import RedisStorage
from streamwatch.storage.redis.connection import Connection
from streamwatch.storage.testing.build import change, event, snapshot, status, store, streamer
from tests.counting import CountingConnection

STREAMERS = 1000
ALLOWED = 30
"""300 for 10,000 streamers."""


def test_refreshing_a_thousand_streamers_takes_few_round_trips(
    redis_url: str, storage: RedisStorage
) -> None:
    ids = [str(n) for n in range(STREAMERS)]
    storage.add_streamers([streamer(key, f"login{key}") for key in ids])
    store(storage, *(change(status(key, f"login{key}")) for key in ids))
    pool = redis.ConnectionPool.from_url(
        redis_url, connection_class=CountingConnection, protocol=2, driver_info=None
    )
    counted = RedisStorage(Connection(lambda: redis.Redis(connection_pool=pool)))
    counted.ping()
    CountingConnection.sent = 0

    counted.streamers()
    counted.live()
    known = counted.statuses(ids)
    seen = [status(key, f"login{key}", version=2, viewers=5) for key in known]
    store(
        counted,
        *(
            change(after, event(f"e{after.user_id}"), snapshot=snapshot(after.user_id))
            for after in seen
        ),
    )

    assert STREAMERS / 100 <= CountingConnection.sent <= ALLOWED
    pool.disconnect()
