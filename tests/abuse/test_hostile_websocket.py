"""Any message over EventSub's WebSocket is stored, ignored, or ends the connection."""

import json
import queue
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from streamwatch.bootstrap import Services, assemble
from streamwatch.domain.times import format_time
from streamwatch.domain.websocket_messages import Keepalive, Reconnect, Welcome
from streamwatch.services.clock import CorrectedClock
from streamwatch.settings import Settings
from streamwatch.storage.memory import MemoryStorage
from streamwatch.twitch.base import ConnectionLost
from streamwatch.twitch.websocket import TwitchSocket
from tests import messages
from tests.abuse.hostile_twitch import TEXTS, VALUES
from tests.abuse.inputs import FIELDS, TEMPLATES
from tests.api.world import FakeAnalytics
from tests.application import application
from tests.clocks import START, ManualClock
from tests.fakes import FakeTwitch

Frame = str | bytes

PAGES = ("/streamers", "/streams/live", "/events", "/dashboard/", "/feeds/live.rss")

_METADATA = ("message_id", "message_type", "message_timestamp")
_KINDS = ("session_welcome", "session_keepalive", "session_reconnect", "notification", "revocation")


def frame(kind: str, payload: Any, **metadata: Any) -> str:
    right = {"message_id": "id", "message_type": kind, "message_timestamp": format_time(START)}
    return json.dumps({"metadata": right | metadata, "payload": payload})


def session(**changed: Any) -> dict[str, Any]:
    right = {"id": "session", "status": "connected", "keepalive_timeout_seconds": 10}
    return {"session": right | {"reconnect_url": "ws://127.0.0.1:1/"} | changed}


def _event(kind: str, template: int, field: int, value: Any) -> str:
    document = json.loads(TEMPLATES[template](at=START).body)
    *parents, name = FIELDS[field]
    place = document
    for parent in parents:
        place = place.setdefault(parent, {})
    place[name] = value
    return frame(kind, document)


FRAMES: st.SearchStrategy[Frame] = st.one_of(
    st.binary(max_size=200),
    TEXTS.filter(lambda text: text.isprintable()),
    VALUES.map(json.dumps),
    st.builds(frame, st.sampled_from(_KINDS), VALUES),
    st.builds(
        lambda kind, name, value: frame(kind, session(), **{name: value}),
        st.sampled_from(_KINDS),
        st.sampled_from(_METADATA),
        VALUES,
    ),
    st.builds(
        lambda kind, name, value: frame(kind, session(**{name: value})),
        st.sampled_from(_KINDS[:3]),
        st.sampled_from(["id", "status", "keepalive_timeout_seconds", "reconnect_url"]),
        VALUES | st.sampled_from(["ws://[", "ws://a:99999/", "ws://a:b/", "http://a/", "wss://"]),
    ),
    st.builds(
        _event,
        st.sampled_from(_KINDS[3:]),
        st.integers(0, len(TEMPLATES) - 1),
        st.integers(0, len(FIELDS) - 1),
        VALUES,
    ),
    st.sampled_from([b"[" * 60_000, b"x" * 100_000, "[" * 60_000, ""]),
)


@dataclass
class HostileSocket:
    """A WebSocket server that sends `welcome`, and then the frames of `frames`."""

    url: str = ""
    welcome: Frame = ""
    frames: "queue.Queue[Frame | None]" = None  # type: ignore[assignment]  # set for each connection

    def handle(self, connection: ServerConnection) -> None:
        frames = self.frames
        with suppress(ConnectionClosed):
            connection.send(self.welcome)
            while (frame := frames.get()) is not None:
                connection.send(frame)


@dataclass
class World:
    """The services, and the connection to a hostile server, opened anew whenever it is lost."""

    server: HostileSocket
    services: Services
    clock: ManualClock
    socket: TwitchSocket | None = None

    def open(self) -> TwitchSocket:
        self.server.frames = queue.Queue()
        self.server.welcome = frame("session_welcome", session())
        return TwitchSocket.open(self.server.url, self.clock)

    def receive(self, sent: Frame) -> None:
        """Let the server send a frame, and process it as the worker does."""
        self.socket = self.socket or self.open()
        self.server.frames.put(sent)
        try:
            message = self.socket.receive(5)
        except ConnectionLost:
            self.close()
            return
        if isinstance(message, Reconnect):
            with pytest.raises(ConnectionLost):
                TwitchSocket.open(message.url, self.clock, is_reconnect=True)
        elif message is not None and not isinstance(message, Keepalive | Welcome):
            self.services.receiver.process(message)

    def close(self) -> None:
        if self.socket:
            self.server.frames.put(None)
            self.socket.close()
            self.socket = None


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    server = HostileSocket()
    clock = ManualClock()
    options = Settings(webhook_secrets=(messages.SECRET,), rate_limit=0)
    services = assemble(
        options, MemoryStorage(100), FakeTwitch(), FakeAnalytics(), CorrectedClock(clock)
    )
    # Pings would use `random` in another thread, which hypothesis takes for a use in a strategy.
    with serve(server.handle, "127.0.0.1", 0, ping_interval=None) as listener:
        thread = threading.Thread(target=listener.serve_forever)
        thread.start()
        server.url = f"ws://127.0.0.1:{listener.socket.getsockname()[1]}"
        world = World(server, services, clock)
        yield world
        world.close()
        check_readable(world)
        listener.shutdown()
        thread.join()


def check(world: World, sent: Frame) -> None:
    world.receive(sent)
    while world.services.projector.run_once():
        pass


def check_readable(world: World) -> None:
    client = application(world.services).test_client()
    for path in PAGES:
        assert client.get(path).status_code == 200, path
    message = messages.online(at=START, message_id="the-last", stream_id="after-all")
    answer = client.post("/webhooks/eventsub", headers=message.headers, data=message.body)
    assert answer.status_code == 204


EXAMPLES = settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@given(sent=FRAMES)
@EXAMPLES
def test_an_odd_message_is_ignored_or_ends_the_connection(world: World, sent: Frame) -> None:
    check(world, sent)


def is_welcome(sent: Frame) -> bool:
    """Whether the client may take a frame for a welcome."""
    try:
        document = json.loads(sent)
    except (ValueError, RecursionError):
        return False
    match document:
        case {
            "metadata": {"message_type": "session_welcome"},
            "payload": {"session": {"id": str(), "keepalive_timeout_seconds": int()}},
        }:
            return True
        case _:
            return False


@given(welcome=FRAMES.filter(lambda sent: not is_welcome(sent)))
@settings(EXAMPLES, max_examples=30)
@example(welcome=frame("session_welcome", session(id=7)))
@example(welcome=frame("session_welcome", session(keepalive_timeout_seconds="10")))
@example(welcome=frame("session_keepalive", session()))
def test_a_malformed_welcome_is_a_lost_connection(world: World, welcome: Frame) -> None:
    world.close()
    world.server.frames = queue.Queue()
    world.server.frames.put(None)
    world.server.welcome = welcome
    with pytest.raises(ConnectionLost):
        TwitchSocket.open(world.server.url, world.clock)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@given(sent=FRAMES)
@settings(EXAMPLES, max_examples=10_000, derandomize=False)
def test_ten_thousand_odd_messages_are_ignored_or_end_the_connection(
    world: World, sent: Frame
) -> None:
    check(world, sent)
