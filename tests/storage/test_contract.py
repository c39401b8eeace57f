"""Each of StreamWatch's own storages passes the contract tests."""

from collections.abc import Iterator
from contextlib import contextmanager

import fakeredis
import pytest

from streamwatch.storage.memory import MemoryStorage
from streamwatch.storage.redis import RedisStorage
from streamwatch.storage.redis.connection import Connection
from streamwatch.storage.testing import ChangesContract, OpenStorage, StorageContract


@contextmanager
def opening(url: str) -> Iterator[OpenStorage]:
    """A function that opens Redis storages; all of them are closed at the end."""
    opened: list[RedisStorage] = []

    def open_storage(events_kept: int = 1000) -> RedisStorage:
        opened.append(RedisStorage(Connection.to(url), events_kept))
        return opened[-1]

    yield open_storage
    for storage in opened:
        storage.close()


class TestMemoryStorage(StorageContract, ChangesContract):
    @pytest.fixture
    def open_storage(self) -> OpenStorage:
        return MemoryStorage


class TestRedisStorage(StorageContract, ChangesContract):
    @pytest.fixture
    def open_storage(self, redis_url: str) -> Iterator[OpenStorage]:
        with opening(redis_url) as open_storage:
            yield open_storage


@pytest.mark.xdist_group("cluster")  # one start for all
class TestRedisStorageOnACluster(StorageContract, ChangesContract):
    @pytest.fixture
    def open_storage(self, cluster_url: str) -> Iterator[OpenStorage]:
        with opening(cluster_url) as open_storage:
            yield open_storage


class TestRedisStorageOnFakeredis(StorageContract, ChangesContract):
    """fakeredis, which plug-ins and quick tests may use, behaves as Redis does."""

    @pytest.fixture
    def open_storage(self) -> OpenStorage:
        server = fakeredis.FakeServer()

        def open_storage(events_kept: int = 1000) -> RedisStorage:
            connection = Connection(lambda: fakeredis.FakeRedis(server=server, protocol=2))
            return RedisStorage(connection, events_kept)

        return open_storage
