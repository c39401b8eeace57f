"""The response cache of two web processes on one Redis: read after write, and lost messages."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient

from streamwatch.api import cache
from streamwatch.bootstrap import assemble
from streamwatch.dev.valkey import Valkey
from streamwatch.domain.models import User
from streamwatch.services import tags
from streamwatch.settings import Settings
from streamwatch.storage import open_storage
from streamwatch.storage.base import Topic
from streamwatch.storage.redis import RedisStorage
from streamwatch.storage.redis.connection import Connection
from tests import messages
from tests.api.world import FakeAnalytics
from tests.application import application
from tests.counting import CountingConnection
from tests.fakes import FakeTwitch
from tests.messages import SECRET
from tests.servers import Server, redis_sentinel, redis_server
from tests.storage.conftest import cluster_url, shared_cluster  # noqa: F401  fixtures
from tests.waiting import wait_for

pytestmark = pytest.mark.xdist_group("cache-servers")


class Processes:
    """Two applications, as two web processes have them, on the storage that `settings` name."""

    def __init__(self, stack: ExitStack, **settings: Any) -> None:
        self._stack = stack
        self._numbers = count(1)
        self._settings = Settings(
            webhook_secrets=(SECRET,), rate_limit=0, lookup_limit=0, **settings
        )
        self.writer, self.reader = self.open(), self.open()

    def open(self, **changes: Any) -> FlaskClient:
        """Another process, with these changes of the settings."""
        settings = replace(self._settings, **changes)
        services = assemble(settings, open_storage(settings), FakeTwitch(), FakeAnalytics())
        self._stack.callback(services.close)
        return application(services).test_client()

    def send(self) -> str:
        """Send the start of another streamer's stream to the writer; the id of its event."""
        number = next(self._numbers)
        message = messages.online(User(str(number), f"user_{number}", f"User_{number}"))
        response = self.writer.post(
            "/webhooks/eventsub", headers=message.headers, data=message.body
        )
        assert response.status_code == 204
        return message.headers["Twitch-Eventsub-Message-Id"]


def event_ids(client: FlaskClient) -> list[str]:
    response = client.get("/events")
    assert response.status_code == 200, response.text
    return [event["id"] for event in response.get_json()["events"]]


def response_cache(client: FlaskClient) -> cache.ResponseCache:
    found: cache.ResponseCache = client.application.extensions["streamwatch.cache"]
    return found


def fill_cache(client: FlaskClient) -> bool:
    """Request the events; whether the response is now in the cache."""
    client.get("/events")
    return response_cache(client).get(("/events", "", "False")) is not None


@pytest.fixture
def long_age(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing expires while `wait_for` waits: only a change ends the use of what is cached."""
    monkeypatch.setattr(cache, "MAX_AGE_SECONDS", 60.0)
    monkeypatch.setattr(tags, "MAX_AGE_SECONDS", 60.0)


@pytest.fixture(params=["redis", "sentinel", "cluster", "valkey"])
def processes(request: pytest.FixtureRequest) -> Iterator[Processes]:
    with ExitStack() as stack:
        if request.param == "valkey":
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="streamwatch-")))
            valkey = Valkey(folder)
            valkey.start()
            stack.callback(valkey.stop)
            yield Processes(stack, storage_type="embedded", data_dir=folder)
            return
        if request.param == "cluster":
            url = request.getfixturevalue("cluster_url")
        elif request.param == "sentinel":
            master = stack.enter_context(redis_server())
            sentinel = stack.enter_context(redis_sentinel(master, "streamwatch"))
            url = f"redis+sentinel://127.0.0.1:{sentinel.port}/streamwatch"
        else:
            url = request.getfixturevalue("redis_url")
        yield Processes(stack, storage_type="redis", redis_url=url)


@pytest.mark.usefixtures("long_age")
def test_a_read_after_a_204_is_current_in_both_processes(processes: Processes) -> None:
    wait_for(lambda: fill_cache(processes.reader) and fill_cache(processes.writer))
    expected: list[str] = []
    for _ in range(5):
        wait_for(lambda: fill_cache(processes.reader))
        expected.insert(0, processes.send())
        assert event_ids(processes.writer) == expected
        wait_for(lambda: event_ids(processes.reader) == expected)


@pytest.fixture
def server() -> Iterator[Server]:
    with redis_server() as server:
        yield server


@pytest.fixture
def on_server(server: Server) -> Iterator[Processes]:
    with ExitStack() as stack:
        processes = Processes(stack, storage_type="redis", redis_url=server.url)
        wait_for(lambda: fill_cache(processes.reader))
        yield processes


@pytest.mark.usefixtures("long_age")
def test_a_lost_subscription_causes_no_stale_answer(on_server: Processes, server: Server) -> None:
    with redis.Redis.from_url(server.url) as client:
        client.client_kill_filter(_type="pubsub")
        event_id = on_server.send()
    wait_for(lambda: event_ids(on_server.reader) == [event_id])
    wait_for(lambda: fill_cache(on_server.reader))
    assert event_ids(on_server.reader) == [event_id]


def test_after_a_lost_message_the_cached_answer_expires(
    on_server: Processes, server: Server
) -> None:
    with redis.Redis.from_url(server.url) as client:
        # A user who may not publish, so that the messages of the writer's commits are lost.
        client.acl_setuser(
            "silent",
            enabled=True,
            passwords=["+a-password"],
            keys=["*"],
            commands=["+@all"],
            reset_channels=True,
        )
    on_server.writer = on_server.open(
        redis_url=f"redis://silent:a-password@127.0.0.1:{server.port}"
    )
    changes = response_cache(on_server.reader).version((Topic.EVENTS,))
    event_id = on_server.send()
    wait_for(lambda: event_ids(on_server.reader) == [event_id], 2)
    assert response_cache(on_server.reader).version((Topic.EVENTS,)) == changes


def test_after_flushall_cached_answers_expire(on_server: Processes, server: Server) -> None:
    event_id = on_server.send()
    wait_for(lambda: event_ids(on_server.reader) == [event_id])
    with redis.Redis.from_url(server.url) as client:
        client.flushall()
    wait_for(lambda: event_ids(on_server.reader) == [], 2)


@pytest.mark.usefixtures("long_age")
def test_a_restarted_redis_is_read_again(on_server: Processes, server: Server) -> None:
    event_id = on_server.send()
    wait_for(lambda: event_ids(on_server.reader) == [event_id])
    wait_for(lambda: fill_cache(on_server.reader))
    server.kill()
    wait_for(lambda: on_server.reader.get("/events").status_code == 503)
    server.start()
    wait_for(lambda: on_server.reader.get("/events").status_code == 200)
    assert event_ids(on_server.reader) == []  # this Redis keeps nothing on disk
    wait_for(lambda: fill_cache(on_server.reader))
    event_id = on_server.send()
    wait_for(lambda: event_ids(on_server.reader) == [event_id])


@pytest.mark.usefixtures("long_age")
def test_tags_and_badges_follow_another_process(processes: Processes) -> None:
    writer, reader = processes.writer, processes.reader
    ann = writer.application.extensions["streamwatch"].twitch.add_user("ann", "1")
    assert writer.post("/streamers/ann").status_code == 201

    def live(client: FlaskClient) -> int:
        found: int = client.get("/streams/live?tag=fps").get_json()["count"]
        return found

    for message in (messages.online(ann), messages.offline(ann)):
        badge = reader.get("/badges/ann.svg").data
        writer.post("/webhooks/eventsub", headers=message.headers, data=message.body)
        wait_for(lambda old=badge: reader.get("/badges/ann.svg").data != old)  # type: ignore[misc]
    message = messages.online(ann, "9002")
    writer.post("/webhooks/eventsub", headers=message.headers, data=message.body)
    assert live(writer) == 0
    assert live(reader) == 0
    assert writer.patch("/streamers/ann", json={"tags": ["fps"]}).status_code == 200
    assert live(writer) == 1
    wait_for(lambda: live(reader) == 1)


def test_a_304_from_the_cache_costs_no_round_trip(redis_url: str) -> None:
    pool = redis.ConnectionPool.from_url(
        redis_url, connection_class=CountingConnection, protocol=2, driver_info=None
    )
    storage = RedisStorage(Connection(lambda: redis.Redis(connection_pool=pool)))
    settings = Settings(storage_type="redis", redis_url=redis_url, webhook_secrets=(SECRET,))
    services = assemble(settings, storage, FakeTwitch(), FakeAnalytics())
    client = application(services).test_client()

    def round_trips() -> int:
        etag = client.get("/events").headers["ETag"]
        CountingConnection.sent = 0
        assert client.get("/events", headers={"If-None-Match": etag}).status_code == 304
        return CountingConnection.sent

    wait_for(lambda: round_trips() == 0)  # not while the listener connects or pings
    services.close()
    pool.disconnect()
