"""Fixtures: a storage on the session's Redis server, and a Redis Cluster."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import redis

from streamwatch.storage.redis import RedisStorage
from streamwatch.storage.redis.connection import Connection
from tests.servers import free_port, redis_server
from tests.waiting import wait_for

CLUSTER_SLOTS = ((0, 5460), (5461, 10922), (10923, 16383))


@pytest.fixture
def storage(redis_url: str) -> Iterator[RedisStorage]:
    storage = RedisStorage(Connection.to(redis_url))
    yield storage
    storage.close()


@pytest.fixture
def client(redis_url: str) -> Iterator[Any]:
    """Direct access to the stored data. Not typed: redis-py's types do not fit the answers."""
    with redis.Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture(scope="session")
def shared_cluster() -> Iterator[list[Any]]:
    """Clients of the three nodes of a Redis Cluster."""
    with ExitStack() as stack:
        nodes: list[Any] = []
        for slots in CLUSTER_SLOTS:
            options = ("--cluster-enabled", "yes", "--cluster-port", str(free_port()))
            server = stack.enter_context(redis_server(*options))
            nodes.append(stack.enter_context(redis.Redis.from_url(server.url)))
            nodes[-1].execute_command("CLUSTER ADDSLOTSRANGE", *slots)
        for node in nodes[1:]:
            other = node.get_connection_kwargs()["port"]
            bus = node.config_get("cluster-port")["cluster-port"]
            nodes[0].execute_command("CLUSTER MEET", "127.0.0.1", other, bus)
        wait_for(lambda: all(_is_ready(node) for node in nodes))
        yield nodes


@pytest.fixture
def cluster_url(shared_cluster: list[Any]) -> str:
    """The URL of an empty Redis Cluster, with a node that does not hold the slot of our keys."""
    for node in shared_cluster:
        node.flushall()
    ours = shared_cluster[0].execute_command("CLUSTER KEYSLOT", "{streamwatch}:")
    other = shared_cluster[0 if ours > CLUSTER_SLOTS[0][1] else 1]
    return f"redis+cluster://127.0.0.1:{other.get_connection_kwargs()['port']}"


def _is_ready(node: Any) -> bool:
    info = node.execute_command("CLUSTER INFO")
    known = int(info["cluster_known_nodes"])
    return bool(info["cluster_state"] == "ok" and known == len(CLUSTER_SLOTS))
