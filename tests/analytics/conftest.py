from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pymongo
import pytest
import redis
from pymongo.database import Database

from streamwatch.dev.valkey import Valkey
from streamwatch.embedded_socket import socket_url
from tests.storage.conftest import cluster_url, shared_cluster

__all__ = ["cluster_url", "shared_cluster"]


@pytest.fixture(scope="session")
def shared_valkey() -> Iterator[str]:
    """The URL of the socket of an embedded Valkey."""
    with TemporaryDirectory(prefix="streamwatch-valkey-") as folder:
        data_dir = Path(folder) / "data"
        data_dir.mkdir(mode=0o700)
        server = Valkey(data_dir)
        server.start()
        yield socket_url(data_dir)
        server.stop()


@pytest.fixture
def valkey_url(shared_valkey: str) -> str:
    """The URL of an empty embedded Valkey."""
    with redis.Redis.from_url(shared_valkey) as client:
        client.flushall()
    return shared_valkey


@pytest.fixture
def database(mongodb_url: str, mongodb_database: str) -> Iterator[Database[dict[str, Any]]]:
    """The empty database of a test, read and changed without the analytics."""
    with pymongo.MongoClient[dict[str, Any]](mongodb_url, tz_aware=True) as client:
        yield client[mongodb_database]
