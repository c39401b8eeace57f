"""Change listeners when the connection to Redis is lost, frozen or refused."""

from collections.abc import Iterator
from typing import Any

import pytest

from streamwatch.storage.redis import RedisStorage, changes, keys
from streamwatch.storage.redis.connection import Connection
from streamwatch.storage.testing.build import change, event, status, store
from streamwatch.storage.testing.changes import ListenerCalls, listen
from tests.servers import free_port, redis_server
from tests.waiting import wait_for


def subscriber(client: Any) -> str:
    [found] = [known for known in client.client_list() if known["sub"] == "1"]
    return str(found["id"])


def count_losses(calls: ListenerCalls) -> int:
    return calls.topics.count(None)


def test_a_lost_connection_is_reported_and_restored(storage: RedisStorage, client: Any) -> None:
    calls = listen(storage)

    client.client_kill_filter(_id=subscriber(client))

    wait_for(lambda: count_losses(calls) == 2)  # the loss, and the new connection
    wait_for(lambda: calls.listener.is_connected)
    client.publish(keys.CHANGES_CHANNEL, "live events")
    wait_for(lambda: calls.topics[-2:] == ["live", "events"])


def test_the_listener_is_disconnected_until_a_stopped_redis_restarts() -> None:
    with redis_server() as server:
        storage = RedisStorage(Connection.to(server.url))
        calls = listen(storage)

        server.kill()
        wait_for(lambda: not calls.listener.is_connected)
        assert count_losses(calls) >= 1
        server.start()
        wait_for(lambda: calls.listener.is_connected)

        store(storage, change(status(), event("e1")))
        assert {"live", "events"} <= calls.named
        storage.close()


def test_the_listener_is_disconnected_while_redis_is_frozen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(changes, "PING_SECONDS", 0.1)
    monkeypatch.setattr(changes, "SILENT_SECONDS", 0.5)
    with redis_server() as server:
        storage = RedisStorage(Connection.to(server.url))
        calls = listen(storage)

        server.freeze()
        wait_for(lambda: not calls.listener.is_connected)
        server.thaw()
        wait_for(lambda: calls.listener.is_connected)
        storage.close()


def test_the_listener_stays_connected_while_nothing_is_published(
    storage: RedisStorage, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "PING_SECONDS", 0.1)
    monkeypatch.setattr(changes, "POLL_SECONDS", 0.05)
    calls = listen(storage)
    pings = count_commands(client, "ping")

    wait_for(lambda: count_commands(client, "ping") > pings + 5)

    assert calls.listener.is_connected
    assert calls.topics == []


def test_a_listener_can_be_created_while_redis_is_down() -> None:
    storage = RedisStorage(Connection.to(f"redis://127.0.0.1:{free_port()}"))
    topics: list[str | None] = []
    listener = storage.coordination.listen_for_changes(topics.append)

    wait_for(lambda: None in topics)

    assert not listener.is_connected
    storage.close()


def test_all_listeners_of_a_process_share_a_connection(storage: RedisStorage, client: Any) -> None:
    first, second = listen(storage), listen(storage)

    client.publish(keys.CHANGES_CHANNEL, "live")

    wait_for(lambda: first.named == second.named == {"live"})
    assert subscriber(client)


@pytest.fixture
def without_channels(client: Any, redis_url: str) -> Iterator[RedisStorage]:
    """The storage of a Redis user without permissions for channels."""
    client.acl_setuser(
        "plain", enabled=True, nopass=True, keys="*", commands=["+@all"], reset_channels=True
    )
    storage = RedisStorage(Connection.to(redis_url.replace("redis://", "redis://plain:x@")))
    yield storage
    storage.close()
    client.acl_deluser("plain")


def test_a_user_without_channel_permissions_can_store_changes(
    without_channels: RedisStorage,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(changes, "RECONNECT_SECONDS", 0.02)
    topics: list[str | None] = []
    listener = without_channels.coordination.listen_for_changes(topics.append)

    store(without_channels, change(status(), event("e1")))

    wait_for(lambda: topics.count(None) > 2)
    assert {"live", "events"} <= set(topics)  # within the process
    assert not listener.is_connected
    assert len(caplog.messages) == 1


def count_commands(client: Any, name: str) -> int:
    """How many commands with this name Redis has run."""
    return int(client.info("commandstats").get(f"cmdstat_{name}", {}).get("calls", 0))


def test_a_user_without_channel_permissions_can_publish_changes_within_the_process(
    without_channels: RedisStorage,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(changes, "RECONNECT_SECONDS", 60)
    topics: list[str | None] = []
    without_channels.coordination.listen_for_changes(topics.append)

    without_channels.coordination.publish_change("analytics")
    without_channels.coordination.publish_change("analytics")

    assert topics.count("analytics") == 2
    warnings = [text for text in caplog.messages if "not published" in text]
    assert len(warnings) == 1
