"""What a listener for changes makes of a connection that is lost, silent or refused."""

from typing import Any

import pytest

from streamwatch.storage.redis import RedisStorage, changes, keys
from streamwatch.storage.redis.connection import Connection
from streamwatch.storage.testing.build import change, event, status, store
from streamwatch.storage.testing.changes import Heard, listen
from tests.servers import free_port, redis_server
from tests.waiting import wait_for


def subscriber(client: Any) -> str:
    [found] = [known for known in client.client_list() if known["sub"] == "1"]
    return str(found["id"])


def count_losses(heard: Heard) -> int:
    return heard.topics.count(None)


def test_a_lost_connection_is_reported_and_made_again(storage: RedisStorage, client: Any) -> None:
    heard = listen(storage)

    client.client_kill_filter(_id=subscriber(client))

    wait_for(lambda: count_losses(heard) == 2)  # the loss, and the new connection
    wait_for(lambda: heard.listener.is_connected)
    client.publish(keys.CHANGES_CHANNEL, "live events")
    wait_for(lambda: heard.topics[-2:] == ["live", "events"])


def test_a_stopped_redis_is_not_connected_until_it_is_back() -> None:
    with redis_server() as server:
        storage = RedisStorage(Connection.to(server.url))
        heard = listen(storage)

        server.kill()
        wait_for(lambda: not heard.listener.is_connected)
        assert count_losses(heard) >= 1
        server.start()
        wait_for(lambda: heard.listener.is_connected)

        store(storage, change(status(), event("e1")))
        assert {"live", "events"} <= heard.named
        storage.close()


def test_a_frozen_redis_is_not_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "PING_SECONDS", 0.1)
    monkeypatch.setattr(changes, "SILENT_SECONDS", 0.5)
    with redis_server() as server:
        storage = RedisStorage(Connection.to(server.url))
        heard = listen(storage)

        server.freeze()
        wait_for(lambda: not heard.listener.is_connected)
        server.thaw()
        wait_for(lambda: heard.listener.is_connected)
        storage.close()


def test_a_quiet_redis_stays_connected(
    storage: RedisStorage, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "PING_SECONDS", 0.1)
    monkeypatch.setattr(changes, "POLL_SECONDS", 0.05)
    heard = listen(storage)
    pings = count_commands(client, "ping")

    wait_for(lambda: count_commands(client, "ping") > pings + 5)

    assert heard.listener.is_connected
    assert heard.topics == []


def test_listening_needs_no_redis_yet() -> None:
    storage = RedisStorage(Connection.to(f"redis://127.0.0.1:{free_port()}"))
    topics: list[str | None] = []
    listener = storage.coordination.listen_for_changes(topics.append)

    wait_for(lambda: None in topics)

    assert not listener.is_connected
    storage.close()


def test_all_listeners_of_a_process_share_a_connection(storage: RedisStorage, client: Any) -> None:
    one, two = listen(storage), listen(storage)

    client.publish(keys.CHANGES_CHANNEL, "live")

    wait_for(lambda: one.named == two.named == {"live"})
    assert subscriber(client)


def test_a_user_without_rights_to_the_channel_can_store_all_the_same(
    client: Any, redis_url: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "RECONNECT_SECONDS", 0.02)
    client.acl_setuser(
        "plain", enabled=True, nopass=True, keys="*", commands=["+@all"], reset_channels=True
    )
    storage = RedisStorage(Connection.to(redis_url.replace("redis://", "redis://plain:x@")))
    try:
        topics: list[str | None] = []
        listener = storage.coordination.listen_for_changes(topics.append)

        store(storage, change(status(), event("e1")))

        wait_for(lambda: topics.count(None) > 2)
        assert {"live", "events"} <= set(topics)  # within the process
        assert not listener.is_connected
        assert len(caplog.messages) == 1
    finally:
        storage.close()
        client.acl_deluser("plain")


def count_commands(client: Any, name: str) -> int:
    """How many commands of a name Redis has run."""
    return int(client.info("commandstats").get(f"cmdstat_{name}", {}).get("calls", 0))
