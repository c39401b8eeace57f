"""One connection to EventSub's WebSocket, against the simulator."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from streamwatch.domain.eventsub import Unknown
from streamwatch.domain.websocket_messages import Keepalive, Reconnect
from streamwatch.simulator import Simulator
from streamwatch.twitch import websocket
from streamwatch.twitch.base import ConnectionLost
from streamwatch.twitch.websocket import TwitchSocket
from tests.servers import free_port
from tests.waiting import wait_for


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def twitch() -> Iterator[Simulator]:
    with Simulator() as simulator:
        simulator.sockets.keepalive = 0.1
        yield simulator


@pytest.fixture
def socket(twitch: Simulator) -> Iterator[TwitchSocket]:
    socket = TwitchSocket.open(twitch.eventsub_url, now)
    yield socket
    socket.close()


def test_the_welcome_names_the_session(twitch: Simulator, socket: TwitchSocket) -> None:
    assert [socket.session_id] == twitch.sockets.session_ids()


def test_the_shortest_keepalive_is_requested(twitch: Simulator) -> None:
    twitch.sockets.keepalive = None
    socket = TwitchSocket.open(f"{twitch.eventsub_url}?keepalive_timeout_seconds=600", now)
    assert socket._max_silence == websocket.KEEPALIVE_SECONDS + websocket.SILENCE_MARGIN
    socket.close()


def test_messages_are_received_in_order(twitch: Simulator, socket: TwitchSocket) -> None:
    assert socket.receive(5) == Keepalive()
    twitch.sockets.reconnect()
    message = socket.receive(5)
    while isinstance(message, Keepalive):
        message = socket.receive(5)
    assert isinstance(message, Reconnect)


def test_no_message_within_the_time_is_none(twitch: Simulator, socket: TwitchSocket) -> None:
    twitch.sockets.keep_silent(60)
    while socket.receive(0.3) is not None:
        pass


@pytest.mark.parametrize(
    ("code", "reason"), [(4000, "internal server error"), (4003, "unused"), (4999, "no known")]
)
def test_a_close_code_is_named(
    twitch: Simulator, socket: TwitchSocket, code: int, reason: str
) -> None:
    twitch.sockets.close(code)
    with pytest.raises(ConnectionLost, match=reason):
        read_until_lost(socket)


def test_a_broken_connection_is_lost(twitch: Simulator, socket: TwitchSocket) -> None:
    twitch.sockets.cut()
    with pytest.raises(ConnectionLost, match="broke"):
        read_until_lost(socket)


def test_a_silent_connection_is_lost(twitch: Simulator, socket: TwitchSocket) -> None:
    twitch.sockets.keep_silent(60)
    while socket.receive(0.3) is not None:
        pass
    socket._received_at -= 3600
    with pytest.raises(ConnectionLost, match="silent"):
        socket.receive(0.1)


def test_a_malformed_message_is_unknown(twitch: Simulator, socket: TwitchSocket) -> None:
    twitch.sockets.send(socket.session_id, {"metadata": {"message_type": "notification"}})
    message = socket.receive(5)
    while isinstance(message, Keepalive):
        message = socket.receive(5)
    assert isinstance(message, Unknown)
    assert message.description == "unreadable content: payload is not an object."


def test_no_welcome_in_time_is_a_lost_connection(
    twitch: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "CONNECT_SECONDS", 0.2)
    twitch.sockets.welcome_delay = 1.0
    with pytest.raises(ConnectionLost, match="no welcome"):
        TwitchSocket.open(twitch.eventsub_url, now)


def test_a_refused_connection_is_lost_without_the_url_in_its_text() -> None:
    url = f"ws://127.0.0.1:{free_port()}/ws?secret=s3cret"
    with pytest.raises(ConnectionLost) as caught:
        TwitchSocket.open(url, now, is_reconnect=True)
    assert "s3cret" not in str(caught.value)


def test_a_reconnect_url_is_not_logged(
    twitch: Simulator, socket: TwitchSocket, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    twitch.sockets.reconnect()
    message = socket.receive(5)
    while not isinstance(message, Reconnect):
        message = socket.receive(5)
    TwitchSocket.open(message.url, now, is_reconnect=True).close()
    token = message.url.partition("reconnect=")[2]
    assert token
    ours = [record for record in caplog.records if not record.name.startswith("websockets.server")]
    assert not [record for record in ours if token in record.getMessage()]


def read_until_lost(socket: TwitchSocket) -> None:
    while True:
        socket.receive(0.2)


def test_a_connection_whose_welcome_cannot_be_handled_is_closed(twitch: Simulator) -> None:
    def no_clock() -> datetime:
        raise ValueError("no time")

    with pytest.raises(ConnectionLost):
        TwitchSocket.open(twitch.eventsub_url, no_clock)
    wait_for(lambda: twitch.sockets.connections == 1 and not twitch.sockets.session_ids(), 10)
