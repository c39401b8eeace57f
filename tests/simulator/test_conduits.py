"""Conduits and the WebSocket of the simulator behave as Twitch documents them."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from streamwatch.simulator import MessageFault, Simulator
from tests.simulator.conftest import Client
from tests.waiting import wait_for


def read(connection: ClientConnection) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(connection.recv(timeout=2))
    return message


def kind(message: dict[str, Any]) -> str:
    text: str = message["metadata"]["message_type"]
    return text


@contextmanager
def connected(url: str) -> Iterator[tuple[ClientConnection, str]]:
    """A connection after its welcome, and its session id."""
    with connect(url, ping_interval=None) as connection:
        welcome = read(connection)
        assert kind(welcome) == "session_welcome"
        yield connection, welcome["payload"]["session"]["id"]


def events(connection: ClientConnection, number: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while len(found) < number:
        message = read(connection)
        if kind(message) != "session_keepalive":
            found.append(message)
    return found


@pytest.fixture
def conduit(client: Client) -> str:
    response = client.send("POST", "eventsub/conduits", json={"shard_count": 1})
    conduit_id: str = response.json()["data"][0]["id"]
    return conduit_id


@pytest.fixture
def watched(client: Client, conduit: str, shroud: str) -> str:
    """The conduit, with subscriptions to all events of shroud."""
    for event_type in ("stream.online", "stream.offline", "channel.update"):
        response = client.subscribe_conduit(shroud, conduit, event_type)
        assert response.json()["data"][0]["status"] == "enabled"
    return conduit


def test_an_application_has_at_most_five_conduits(client: Client) -> None:
    statuses = [
        client.send("POST", "eventsub/conduits", json={"shard_count": 1}).status_code
        for _ in range(6)
    ]
    assert statuses == [200] * 5 + [429]
    listed = client.get("eventsub/conduits").json()["data"]
    assert client.send("DELETE", f"eventsub/conduits?id={listed[0]['id']}").status_code == 204
    assert client.send("DELETE", f"eventsub/conduits?id={listed[0]['id']}").status_code == 404
    assert len(client.get("eventsub/conduits").json()["data"]) == 4


def test_deleting_a_conduit_deletes_its_subscriptions(
    twitch: Simulator, client: Client, watched: str, shroud: str
) -> None:
    assert len(twitch.subscriptions.all()) == 3
    twitch.conduits.delete(watched)
    assert twitch.subscriptions.all() == []
    assert client.subscribe_conduit(shroud, watched).status_code == 400
    assert client.get("eventsub/conduits/shards", conduit_id=watched).status_code == 404


def test_a_shard_that_cannot_be_attached_is_an_error_inside_a_202(
    twitch: Simulator, client: Client, conduit: str
) -> None:
    assert client.attach(conduit, "no-such-session")["errors"][0]["id"] == "0"
    with connected(twitch.eventsub_url) as (_, session_id):
        assert client.attach(conduit, session_id, "7")["errors"][0]["id"] == "7"
        twitch.conduits.attach_errors.append("internal_error")
        assert client.attach(conduit, session_id)["errors"][0]["code"] == "internal_error"
        assert client.attach(conduit, session_id)["errors"] == []
        shards = client.get("eventsub/conduits/shards", conduit_id=conduit).json()["data"]
        assert [shard["status"] for shard in shards] == ["enabled"]
    wait_for(lambda: twitch.conduits.shards(conduit, "websocket_disconnected") != [])


def test_events_arrive_over_the_attached_session(
    twitch: Simulator, client: Client, watched: str
) -> None:
    twitch.world.go_online("shroud")  # without an enabled shard this is lost
    with connected(twitch.eventsub_url) as (connection, session_id):
        client.attach(watched, session_id)
        twitch.world.go_offline("shroud")
        twitch.world.update_channel("shroud", title="Back soon")
        offline, update = events(connection, 2)
    assert offline["metadata"]["subscription_type"] == "stream.offline"
    assert offline["payload"]["subscription"]["transport"]["method"] == "conduit"
    assert update["metadata"]["subscription_version"] == "2"
    assert update["payload"]["event"]["title"] == "Back soon"


def test_messages_are_doubled_echoed_and_late_on_command(
    twitch: Simulator, client: Client, watched: str
) -> None:
    twitch.faults.late_by = 0.1
    with connected(twitch.eventsub_url) as (connection, session_id):
        client.attach(watched, session_id)
        for fault in (MessageFault.DOUBLED, MessageFault.ECHOED, MessageFault.LATE):
            twitch.faults.on_message(fault)
            twitch.world.update_channel("shroud")
        twitch.world.update_channel("shroud")
        ids = [message["metadata"]["message_id"] for message in events(connection, 6)]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 5


def test_an_idle_connection_gets_keepalives(twitch: Simulator) -> None:
    twitch.sockets.keepalive = 0.05
    with connected(twitch.eventsub_url) as (connection, _):
        assert kind(read(connection)) == "session_keepalive"


def test_a_session_without_a_shard_is_closed(twitch: Simulator) -> None:
    twitch.sockets.attach_seconds = 0.05
    with connected(twitch.eventsub_url) as (connection, _):
        with pytest.raises(ConnectionClosed):
            connection.recv(timeout=5)
        assert connection.close_code == 4003


def test_a_client_that_sends_anything_is_closed(twitch: Simulator) -> None:
    with connected(twitch.eventsub_url) as (connection, _):
        connection.send("hello")
        with pytest.raises(ConnectionClosed):
            connection.recv(timeout=5)
        assert connection.close_code == 4001


def test_a_reconnected_session_takes_over_the_shard(
    twitch: Simulator, client: Client, watched: str
) -> None:
    with connected(twitch.eventsub_url) as (old, session_id):
        client.attach(watched, session_id)
        twitch.sockets.reconnect()
        (message,) = events(old, 1)
        assert kind(message) == "session_reconnect"
        with connected(message["payload"]["session"]["reconnect_url"]) as (new, _):
            twitch.world.go_online("shroud")
            assert len(events(new, 1)) == 1


def test_an_unknown_reconnect_url_is_refused(twitch: Simulator) -> None:
    with connect(f"{twitch.eventsub_url}?reconnect=unknown") as connection:
        with pytest.raises(ConnectionClosed):
            connection.recv(timeout=5)
        assert connection.close_code == 4007


def test_an_old_connection_is_closed_when_the_client_does_not_reconnect(twitch: Simulator) -> None:
    twitch.sockets.grace_seconds = 0.05
    with connected(twitch.eventsub_url) as (connection, _):
        twitch.sockets.reconnect()
        events(connection, 1)
        with pytest.raises(ConnectionClosed):
            connection.recv(timeout=5)
        assert connection.close_code == 4004


def test_a_connection_can_break_in_the_midst_of_a_burst(
    twitch: Simulator, client: Client, watched: str
) -> None:
    with connected(twitch.eventsub_url) as (connection, session_id):
        client.attach(watched, session_id)
        twitch.sockets.cut(after=2)
        for _ in range(5):
            twitch.world.update_channel("shroud")
        with pytest.raises(ConnectionClosed):
            events(connection, 5)
        assert len(twitch.sockets.deliveries) == 2
        assert connection.close_code == 1006


def test_a_silent_connection_sends_no_keepalives(twitch: Simulator) -> None:
    twitch.sockets.keepalive = 0.02
    with connected(twitch.eventsub_url) as (connection, _):
        read(connection)
        twitch.sockets.keep_silent(60)
        with pytest.raises(TimeoutError):
            events(connection, 1)


def test_a_welcome_can_be_late(twitch: Simulator) -> None:
    twitch.sockets.welcome_delay = 0.3
    start = time.monotonic()
    with connected(twitch.eventsub_url):
        assert time.monotonic() - start >= 0.3
