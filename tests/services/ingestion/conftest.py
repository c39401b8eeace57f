from collections.abc import Iterator
from contextlib import ExitStack

import fakeredis
import pytest

from streamwatch.storage.base import Storage
from streamwatch.storage.memory import MemoryStorage
from streamwatch.storage.redis import RedisStorage
from streamwatch.storage.redis.connection import Connection


@pytest.fixture(params=["memory", "fakeredis", "redis"])
def storage(request: pytest.FixtureRequest) -> Iterator[Storage]:
    with ExitStack() as stack:
        match request.param:
            case "memory":
                opened: Storage = MemoryStorage()
            case "fakeredis":
                opened = RedisStorage(Connection(lambda: fakeredis.FakeRedis(protocol=2)))
            case _:
                opened = RedisStorage(Connection.to(request.getfixturevalue("redis_url")))
        stack.callback(opened.close)
        yield opened
