"""The servers that tests share: one of each in a session (in a worker of xdist), emptied between
tests."""

from collections.abc import Iterator
from uuid import uuid4

import hypothesis
import pymongo
import pytest
import redis
from playwright.sync_api import Browser

from tests.browser import launched
from tests.servers import Server, mongo_server, redis_server

# A busy machine is slow without being wrong; what hangs meets pytest's own time limit.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")

# So that the contracts, which are no test modules, say what differs.
pytest.register_assert_rewrite("streamwatch.storage.testing", "streamwatch.analytics.testing")


@pytest.fixture(scope="session")
def shared_redis() -> Iterator[Server]:
    with redis_server() as server:
        yield server


@pytest.fixture
def redis_url(shared_redis: Server) -> str:
    """The URL of an empty Redis."""
    with redis.Redis.from_url(shared_redis.url) as client:
        client.flushall()
    return shared_redis.url


@pytest.fixture(scope="session")
def mongodb_url() -> Iterator[str]:
    with mongo_server() as server:
        yield server.url


@pytest.fixture
def mongodb_database(mongodb_url: str) -> Iterator[str]:
    """The name of a database that only this test uses."""
    name = f"test_{uuid4().hex}"
    yield name
    with pymongo.MongoClient[dict[str, object]](mongodb_url) as client:
        client.drop_database(name)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with launched() as browser:
        yield browser
