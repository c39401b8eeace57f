"""Servers that tests share: one of each for every xdist worker, emptied between tests."""

from collections.abc import Iterator
from uuid import uuid4

import hypothesis
import pymongo
import pytest
import redis
from playwright.sync_api import Browser

from tests.browser import launched
from tests.servers import Server, mongo_server, redis_server

# A busy machine is slow, which is no failure; pytest's timeout ends a test that hangs.
hypothesis.settings.register_profile("quick", deadline=None, max_examples=60)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=1000)
hypothesis.settings.load_profile("quick")

# The contracts are no test modules: without this their assertions do not show what differs.
pytest.register_assert_rewrite("streamwatch.storage.testing", "streamwatch.analytics.testing")


def pytest_configure(config: pytest.Config) -> None:
    """The long tests play many examples. Test modules read the profile when they are imported."""
    if config.option.markexpr == "soak":
        hypothesis.settings.load_profile("thorough")


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
