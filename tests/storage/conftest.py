"""A Redis storage on the Redis that the session shares."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis

from streamwatch.storage.redis import RedisStorage
from streamwatch.storage.redis.connection import Connection


@pytest.fixture
def storage(redis_url: str) -> Iterator[RedisStorage]:
    storage = RedisStorage(Connection.to(redis_url))
    yield storage
    storage.close()


@pytest.fixture
def client(redis_url: str) -> Iterator[Any]:
    """A way around the storage, to what is stored. redis-py's types are not of use."""
    with redis.Redis.from_url(redis_url) as client:
        yield client
