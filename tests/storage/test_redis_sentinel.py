"""The Redis storage behind Sentinel: the contract tests, and a failover."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import redis

from streamwatch.storage.base import Committed, Storage, StorageUnavailable
from streamwatch.storage.testing import ChangesContract, OpenStorage, StorageContract
from streamwatch.storage.testing.build import change, event, status, store
from tests.servers import Server, redis_sentinel, redis_server
from tests.storage.test_contract import opening
from tests.waiting import wait_for

MASTER = "streamwatch"


def _url(sentinel: Server) -> str:
    return f"redis+sentinel://127.0.0.1:{sentinel.port}/{MASTER}"


@pytest.fixture(scope="module")
def shared_sentinel() -> Iterator[tuple[Server, Server]]:
    """A Sentinel and the master that it knows."""
    with redis_server() as master, redis_sentinel(master, MASTER) as sentinel:
        yield sentinel, master


@pytest.mark.xdist_group("sentinel")  # one start for all
class TestRedisStorageBehindSentinel(StorageContract, ChangesContract):
    @pytest.fixture
    def open_storage(self, shared_sentinel: tuple[Server, Server]) -> Iterator[OpenStorage]:
        sentinel, master = shared_sentinel
        with redis.Redis.from_url(master.url) as client:
            client.flushall()
        with opening(_url(sentinel)) as open_storage:
            yield open_storage


@pytest.fixture
def replicated() -> Iterator[tuple[Server, Server]]:
    """A Sentinel and a master that has a replica."""
    with ExitStack() as stack:
        master = stack.enter_context(redis_server("--repl-diskless-sync-delay", "0"))
        stack.enter_context(redis_server("--replicaof", "127.0.0.1", str(master.port)))
        sentinel = stack.enter_context(redis_sentinel(master, MASTER))
        wait_for(lambda: _replicas(sentinel) == 1, 30)
        yield sentinel, master


def test_a_new_master_has_the_stored_data_and_accepts_changes(
    replicated: tuple[Server, Server],
) -> None:
    sentinel, master = replicated
    with opening(_url(sentinel)) as open_storage:
        storage = open_storage()
        store(storage, change(status(), event("e1"), message_id="m1"))
        with redis.Redis.from_url(master.url, socket_timeout=20) as client:
            assert client.wait(1, 10_000) == 1

        master.kill()
        wait_for(lambda: _is_available(storage), 30)

        again = change(status(version=2), event("e1"), message_id="m1")
        assert storage.commit([again]) == [Committed.DUPLICATE]
        store(storage, change(status(version=2), event("e2", 1)))
        assert [found.id for found in storage.events(10)] == ["e2", "e1"]


def _replicas(sentinel: Server) -> int:
    """How many replicas the Sentinel knows."""
    with redis.Redis.from_url(sentinel.url) as client:
        known: Any = client.execute_command("SENTINEL REPLICAS", MASTER)
        return len(known)


def _is_available(storage: Storage) -> bool:
    try:
        storage.ping()
    except StorageUnavailable:
        return False
    return True
