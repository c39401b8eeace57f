"""Against a real server: what happens when it is silent, slow, or hangs up."""

import gzip
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from streamwatch.domain.models import AppToken
from streamwatch.services.subscriptions.execute import MAX_WORKERS
from streamwatch.settings import Settings
from streamwatch.twitch.base import LiveStreams, TwitchBusy, TwitchUnavailable
from streamwatch.twitch.client import Helix
from streamwatch.twitch.transport import CallLimits
from tests.twitch import server
from tests.twitch.conftest import TOKEN, FakeTime, MakeHelix, MemoryTokens
from tests.twitch.server import serving

SHORT = CallLimits(read=0.2, exchange=0.5)
"""For servers that never give a good response. One that does may be slow on a busy machine."""


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def test_the_default_limits() -> None:
    assert (CallLimits().connect, CallLimits().read, CallLimits().in_flight) == (3.0, 10.0, 8)


@pytest.mark.parametrize(
    ("fault", "limits"),
    [
        (server.hang_up, CallLimits()),
        (server.stop_halfway, CallLimits()),
        (server.say_nothing, CallLimits(read=2)),
        (server.drip, CallLimits(exchange=2)),
        (server.pour, CallLimits()),
    ],
)
def test_a_fault_is_retried_and_the_next_response_counts(
    make_helix: MakeHelix, time: FakeTime, fault: server.Behaviour, limits: CallLimits
) -> None:
    with serving(fault, server.answer()) as twitch:
        assert make_helix(api_url=twitch.url, limits=limits).streams(["7"]) == LiveStreams()

    assert len(twitch.requests) == 2
    assert time.waits == [0.75]


@pytest.mark.parametrize("fault", [server.hang_up, server.stop_halfway, server.say_nothing])
def test_a_lasting_fault_is_unavailable_and_never_an_empty_result(
    make_helix: MakeHelix, fault: server.Behaviour
) -> None:
    with (
        serving(fault, fault, fault) as twitch,
        pytest.raises(TwitchUnavailable, match="did not answer GET /streams"),
    ):
        make_helix(api_url=twitch.url, limits=SHORT).streams(["7"])

    assert len(twitch.requests) == 3


def test_a_slowly_sent_body_times_out(make_helix: MakeHelix) -> None:
    limits = CallLimits(exchange=0.5)  # the limit of each read stays at 10 s
    with (
        serving(*[server.drip] * 3) as twitch,
        pytest.raises(TwitchUnavailable, match="ReadTimeout"),
    ):
        make_helix(api_url=twitch.url, limits=limits).streams(["7"])


def test_a_closed_port_is_unavailable(make_helix: MakeHelix, time: FakeTime) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]

    with pytest.raises(TwitchUnavailable):
        make_helix(api_url=f"http://127.0.0.1:{port}", limits=SHORT).streams(["7"])
    assert time.waits == [0.75, 1.5]


def test_a_compressed_response_is_read(make_helix: MakeHelix) -> None:
    body = gzip.compress(b'{"data":[]}')
    with serving(server.answer(body, b"Content-Encoding: gzip\r\n")) as twitch:
        assert make_helix(api_url=twitch.url).streams(["7"]) == LiveStreams()


def test_a_netrc_password_never_replaces_the_token(
    make_helix: MakeHelix, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password pass-of-someone\n")
    monkeypatch.setenv("NETRC", str(netrc))

    with serving(server.answer()) as twitch:
        make_helix(api_url=twitch.url).streams(["7"])

    assert b"Authorization: Bearer token-of-the-first-89ab\r\n" in twitch.requests[0]


class Held:
    """Calls that stay under way until they are let go."""

    def __init__(self) -> None:
        self._arrived = threading.Semaphore(0)
        self._let_go = threading.Event()
        self._threads: list[threading.Thread] = []

    def behave(self, connection: socket.socket) -> None:
        self._arrived.release()
        assert self._let_go.wait(20)
        server.answer()(connection)

    def start(self, helix: Helix) -> None:
        thread = threading.Thread(target=helix.streams, args=(["7"],))
        self._threads.append(thread)
        thread.start()
        assert self._arrived.acquire(timeout=10)

    def let_go(self) -> None:
        self._let_go.set()
        for thread in self._threads:
            thread.join(10)


@pytest.fixture
def held() -> Iterator[Held]:
    held = Held()
    yield held
    held.let_go()


def test_concurrent_calls_are_limited_and_the_others_fail_soon(
    make_helix: MakeHelix, held: Held
) -> None:
    with serving(held.behave, held.behave) as twitch:
        helix = make_helix(api_url=twitch.url, limits=CallLimits(session_wait=0.1, in_flight=2))
        held.start(helix)
        held.start(helix)

        with pytest.raises(TwitchBusy) as raised:
            helix.streams(["7"])

        assert raised.value.retry_after == 0.1
        assert len(twitch.requests) == 2
        held.let_go()


def helix_of_web_threads(web_threads: int, api_url: str) -> Helix:
    tokens = MemoryTokens(AppToken(TOKEN, datetime.now(UTC) + timedelta(days=1)))
    settings = Settings(
        twitch_client_id="id",
        twitch_client_secret="secret",
        twitch_api_url=api_url,
        web_threads=web_threads,
    )
    return Helix.from_settings(settings, tokens)


def test_a_hanging_twitch_occupies_at_most_half_of_the_web_threads(held: Held) -> None:
    with serving(held.behave) as twitch:
        helix = helix_of_web_threads(3, twitch.url + "/")
        held.start(helix)

        with pytest.raises(TwitchBusy):
            helix.streams(["7"])

        held.let_go()
        assert twitch.requests[0].startswith(b"GET /streams?user_id=7&first=100 HTTP/1.1\r\n")


def test_few_web_threads_do_not_limit_the_calls_of_a_reconciliation(held: Held) -> None:
    with serving(*[held.behave] * MAX_WORKERS) as twitch:
        background = helix_of_web_threads(2, twitch.url).with_own_sessions()
        for _ in range(MAX_WORKERS):
            held.start(background)  # fails if the call does not reach the server
        held.let_go()


def test_a_failed_call_releases_its_session(make_helix: MakeHelix) -> None:
    faults = [server.hang_up] * 3
    with serving(*faults, server.answer()) as twitch:
        helix = make_helix(api_url=twitch.url, limits=CallLimits(session_wait=0.1, in_flight=1))
        with pytest.raises(TwitchUnavailable):
            helix.streams(["7"])

        assert helix.streams(["7"]) == LiveStreams()
