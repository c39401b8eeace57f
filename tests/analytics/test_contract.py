"""Every analytics of ours keeps the contract."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import fakeredis
import pymongo
import pytest

from streamwatch.analytics.memory import MemoryAnalytics
from streamwatch.analytics.mongo import MongoAnalytics
from streamwatch.analytics.redis import RedisAnalytics
from streamwatch.analytics.redis.connection import Connection
from streamwatch.analytics.testing import CAP, AnalyticsContract, OpenAnalytics
from streamwatch.analytics.testing.build import START
from streamwatch.domain.session_events import ProjectionInput
from streamwatch.redis_urls import Client, client_maker
from tests.analytics.doubles import mongomock_client
from tests.servers import mongo_server
from tests.waiting import wait_for

DAY = timedelta(days=1)

MakeClient = Callable[[], Client]


class TestMemoryAnalytics(AnalyticsContract):
    @pytest.fixture
    def now(self) -> list[datetime]:
        return [START]

    @pytest.fixture
    def memory(self, now: list[datetime]) -> MemoryAnalytics:
        return MemoryAnalytics(CAP, DAY, lambda: now[-1])

    @pytest.fixture
    def open_analytics(self, memory: MemoryAnalytics) -> OpenAnalytics:
        return lambda: memory

    @pytest.fixture
    def forget(self, memory: MemoryAnalytics, now: list[datetime]) -> Callable[[datetime], None]:
        def forget(before: datetime) -> None:
            now.append(before + DAY)
            memory.project(ProjectionInput())

        return forget


class RedisContract(AnalyticsContract):
    """What the Redis of `make_client` has, by a clock that `forget` sets."""

    @pytest.fixture
    def now(self) -> list[datetime]:
        return [START]

    @pytest.fixture
    def make_client(self) -> MakeClient:
        raise NotImplementedError

    @pytest.fixture
    def open_analytics(
        self, make_client: MakeClient, now: list[datetime]
    ) -> Iterator[OpenAnalytics]:
        opened: list[RedisAnalytics] = []

        def open_analytics() -> RedisAnalytics:
            opened.append(RedisAnalytics(Connection(make_client), CAP, DAY, lambda: now[-1]))
            opened[-1].prepare()
            return opened[-1]

        yield open_analytics
        for analytics in opened:
            analytics.close()

    @pytest.fixture
    def forget(self, now: list[datetime]) -> Callable[[datetime], None]:
        return lambda before: now.append(before + DAY)


class TestRedisAnalytics(RedisContract):
    @pytest.fixture
    def make_client(self, redis_url: str) -> MakeClient:
        return client_maker(redis_url)


@pytest.mark.xdist_group("cluster")  # one start for all
class TestRedisAnalyticsOnACluster(RedisContract):
    @pytest.fixture
    def make_client(self, cluster_url: str) -> MakeClient:
        return client_maker(cluster_url)


class TestRedisAnalyticsOnValkey(RedisContract):
    @pytest.fixture
    def make_client(self, valkey_url: str) -> MakeClient:
        return client_maker(valkey_url)


class TestRedisAnalyticsOnFakeredis(RedisContract):
    """The double that plug-ins and quick tests may use answers as Redis does."""

    @pytest.fixture
    def make_client(self) -> MakeClient:
        server = fakeredis.FakeServer()
        return lambda: fakeredis.FakeRedis(server=server, protocol=2)


@pytest.mark.xdist_group("mongo")  # one start for all
class TestMongoAnalytics(AnalyticsContract):
    """A MongoDB without a replica set."""

    @pytest.fixture
    def open_analytics(self, mongodb_url: str, mongodb_database: str) -> Iterator[OpenAnalytics]:
        opened: list[MongoAnalytics] = []

        def open_analytics() -> MongoAnalytics:
            opened.append(MongoAnalytics(mongodb_url, mongodb_database, CAP))
            opened[-1].prepare()
            return opened[-1]

        yield open_analytics
        for analytics in opened:
            analytics.close()

    @pytest.fixture
    def forget(self, mongodb_url: str, mongodb_database: str) -> Callable[[datetime], None]:
        """As MongoDB does once a minute, by the index that `prepare` makes."""

        def forget(before: datetime) -> None:
            with pymongo.MongoClient[dict[str, object]](mongodb_url) as client:
                snapshots = client[mongodb_database]["stream_snapshots"]
                snapshots.delete_many({"captured_at": {"$lt": before}})

        return forget


class TestMongoAnalyticsOnMongomock(AnalyticsContract):
    """The double that plug-ins and quick tests may use answers as MongoDB does."""

    # Not on mongomock: it replaces a document in two steps, and a reader may see it half written.
    test_several_processes_at_once_make_no_difference = None  # type: ignore[assignment]

    @pytest.fixture
    def client(self) -> Iterator[Any]:
        with mongomock_client() as client:
            yield client

    @pytest.fixture
    def open_analytics(self, client: Any) -> OpenAnalytics:
        return lambda: MongoAnalytics("", "streamwatch", CAP, make_client=lambda: client)

    @pytest.fixture
    def forget(self, client: Any) -> Callable[[datetime], None]:
        def forget(before: datetime) -> None:
            snapshots = client["streamwatch"]["stream_snapshots"]
            snapshots.delete_many({"captured_at": {"$lt": before}})

        return forget


@pytest.mark.soak
class TestRedisAnalyticsThoroughly(TestRedisAnalytics):
    """The same with the full number of examples."""


@pytest.mark.soak
class TestMongoAnalyticsThoroughly(TestMongoAnalytics):
    """The same with the full number of examples."""


@pytest.fixture(scope="module")
def replica_set_url() -> Iterator[str]:
    """The URL of a replica set of one."""
    with mongo_server("--replSet", "streamwatch") as server:
        client: pymongo.MongoClient[dict[str, Any]]
        with pymongo.MongoClient(server.url, directConnection=True) as client:
            member = {"_id": 0, "host": f"127.0.0.1:{server.port}"}
            client.admin.command("replSetInitiate", {"_id": "streamwatch", "members": [member]})
            wait_for(lambda: bool(client.admin.command("hello")["isWritablePrimary"]), 30)
        yield f"{server.url}/?replicaSet=streamwatch"


@pytest.mark.soak
class TestMongoAnalyticsOnAReplicaSet(TestMongoAnalytics):
    """The same where a majority has to have what was written."""

    @pytest.fixture
    def mongodb_url(self, replica_set_url: str) -> str:
        return replica_set_url

    @pytest.fixture
    def mongodb_database(self, replica_set_url: str) -> Iterator[str]:
        name = f"test_{uuid4().hex}"
        yield name
        with pymongo.MongoClient[dict[str, object]](replica_set_url) as client:
            client.drop_database(name)
