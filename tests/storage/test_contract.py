"""Every storage of ours keeps the contract."""

from collections.abc import Iterator

import fakeredis
import pytest

from streamwatch.storage.memory import MemoryStorage
from streamwatch.storage.redis import RedisStorage
from streamwatch.storage.redis.connection import Connection
from streamwatch.storage.testing import OpenStorage, StorageContract


class TestMemoryStorage(StorageContract):
    @pytest.fixture
    def open_storage(self) -> OpenStorage:
        return MemoryStorage


class TestRedisStorage(StorageContract):
    @pytest.fixture
    def open_storage(self, redis_url: str) -> Iterator[OpenStorage]:
        opened: list[RedisStorage] = []

        def open_storage(events_kept: int = 1000) -> RedisStorage:
            opened.append(RedisStorage(Connection.to(redis_url), events_kept))
            return opened[-1]

        yield open_storage
        for storage in opened:
            storage.close()


class TestRedisStorageOnFakeredis(StorageContract):
    """The double that plug-ins and quick tests may use answers as Redis does."""

    @pytest.fixture
    def open_storage(self) -> OpenStorage:
        server = fakeredis.FakeServer()

        def open_storage(events_kept: int = 1000) -> RedisStorage:
            connection = Connection(lambda: fakeredis.FakeRedis(server=server, protocol=2))
            return RedisStorage(connection, events_kept)

        return open_storage
