"""Requests that no client of good will sends, to a real server: refused, and nobody else waits."""

import re
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests import messages
from tests.api.server import Server, gunicorn, post
from tests.api.world import build_world
from tests.child_processes import children

pytestmark = pytest.mark.xdist_group("abuse")

SLOW_CLIENTS = 4
"""Half of the threads. A client who keeps still takes one for 5 seconds, one who sends slowly for
as long as it sends: more of them are what a proxy in front is for."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with gunicorn("unlimited", tmp_path_factory.mktemp("server")) as served:
        yield served
        log = served.log.read_text()
        assert "Traceback" not in log
        assert '"level":"ERROR"' not in log


def get(path: bytes, *headers: bytes) -> bytes:
    lines = [b"GET " + path + b" HTTP/1.1", b"Host: localhost", *headers, b"", b""]
    return b"\r\n".join(lines)


def assert_serves(server: Server) -> None:
    """A message is taken, in time."""
    started = time.monotonic()
    assert server.send(messages.online()).status == 204
    assert time.monotonic() - started < 2


PATHS = [
    b"//",
    b"/%00",
    b"/streamers/%00/status",
    b"/streamers/a%00b/status",
    b"/streamers/%ff%fe/status",
    b"/streamers/\xff\xfe/status",
    b"/streamers/..%2f..%2fetc%2fpasswd/status",
    b"/streamers/../admin/subscriptions",
    b"/docs/static/../../../../etc/passwd",
    b"/docs/static/%2e%2e/%2e%2e/settings.py",
    b"/docs/static//etc/passwd",
    b"/streamers/shroud%0d%0aX-Evil:%20yes/status",
    b"/streamers/a%26id%3D1/status",
    b"/admin%2fsubscriptions",
    b"//admin/subscriptions",
    b"/ADMIN/subscriptions",
    b"/health/../admin/subscriptions",
    b"/health/%2e%2e/admin/subscriptions",
    b"/webhooks/eventsub/../../admin/subscriptions",
    b"/admin/subscriptions;x=1",
    b"/admin/./subscriptions",
    b"/events?limit=%00",
    b"/events?limit=%ff",
    b"/events?limit=1e3",
    b"/events?limit=" + b"9" * 400,
    b"/events?limit=\xd9\xa1",
    b"/events?limit=1&limit=2",
    b"/events?" + b"a=1&" * 1500,
    b"/events/type/%ed%a0%80",
    b"http://elsewhere.example/admin/subscriptions",
    b"/streamers?" + b"%" * 300,
]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path[:40].decode("latin-1"))
@pytest.mark.parametrize("method", [b"GET", b"POST", b"DELETE"])
def test_no_path_escapes_its_route(server: Server, path: bytes, method: bytes) -> None:
    request = get(path).replace(b"GET", method, 1)
    answer = server.exchange(request, then_close=True)
    assert answer.status < 500, answer.body
    assert "X-Evil" not in answer.headers
    assert b"root:" not in answer.body
    assert b"our_subscriptions_count" not in answer.body


@pytest.mark.parametrize(
    "headers",
    [
        [b"X-Flood-%d: %s" % (number, b"x" * 50) for number in range(99)],
        [b"X-Flood-%d: x" % number for number in range(5000)],
        [b"X-Long: " + b"x" * 100_000],
        [b"X-Nul: \x00"],
        [b"X-Bytes: \xff\xfe\x80"],
        [b"\xff: x"],
        [b"X-Request-ID: \xff" + b"x" * 4000],
        [b"X-Request-ID: <script>"],
        [b"Authorization: Bearer \xff\x00\xfe"],
        [b"Authorization: Bearer " + b"x" * 7000],
        [b"Cookie: streamwatch_session=" + b"\xff" * 100],
        [b"Cookie: " + b"; ".join(b"c%d=1" % number for number in range(400))],
        [b"X-Forwarded-For: \xff, , ,,"],
        [b"Content-Length: -1"],
        [b"Content-Length: 1", b"Content-Length: 2"],
        [b"Transfer-Encoding: chunked", b"Content-Length: 5"],
        [b"Transfer-Encoding: \x0bchunked"],
        [b"Host: other.example"],
        [b"Expect: 200-maybe"],
        [b"Accept: " + b"*/*," * 1500],
        [b"Last-Event-ID: \xff\x00"],
    ],
    ids=lambda headers: headers[0][:30].decode("latin-1"),
)
@pytest.mark.parametrize(
    "path", [b"/streamers", b"/admin/diagnostics", b"/streamers/nobody/status"]
)
def test_any_header_is_accepted_or_refused(
    server: Server, path: bytes, headers: list[bytes]
) -> None:
    answer = server.exchange(get(path, *headers), then_close=True)
    assert answer.status < 500, answer.body
    assert b"script" not in str(answer.headers).encode()


@pytest.mark.parametrize(
    "login", [b"a&id=1", b"a\xc5\xbfb", b"a b", b"a\x00b", b"a'b", b"\xef\xbd\x81"]
)
def test_an_invalid_login_never_reaches_twitch(login: bytes) -> None:
    world = build_world()
    text = login.decode()
    for path in (f"/streamers/{text}/status", f"/streamers/{text}"):
        assert world.client.get(path).status_code in (404, 405, 422)
        assert world.client.post(path).status_code in (404, 405, 422)
    assert world.client.post("/streamers", json={"usernames": [text]}).status_code == 422
    assert world.twitch.calls == []


def test_many_large_bodies_are_refused_without_delaying_others(server: Server) -> None:
    message = messages.message("notification", b"x" * 64 * 1024)
    too_large = messages.message("notification", b"x" * (64 * 1024 + 1))
    resident = memory(server)

    def flood(_: int) -> set[int]:
        answers = [server.send(message).status for _ in range(100)]
        return {*answers, *(server.send(too_large).status for _ in range(20))}

    with ThreadPoolExecutor(8) as threads:
        assert set().union(*threads.map(flood, range(8))) == {400, 413}
    assert_serves(server)
    assert memory(server) - resident < 20


def test_slow_clients_do_not_block_the_webhook(server: Server) -> None:
    head = post(messages.online())
    slow = [socket.create_connection(("127.0.0.1", server.port), 10) for _ in range(SLOW_CLIENTS)]
    try:
        for sent in range(1, 20):
            for connection in slow:
                connection.sendall(head[sent - 1 : sent])
            assert_serves(server)
    finally:
        for connection in slow:
            connection.close()
    assert_serves(server)


def test_a_client_that_does_not_read_delays_no_other(server: Server) -> None:
    with server.connect() as deaf:
        for _ in range(200):
            deaf.sendall(get(b"/openapi.json"))
        assert_serves(server)
    assert_serves(server)


@pytest.mark.parametrize(
    "request_",
    [b"no request\r\n\r\n", get(b"/health/live", b"Connection: close")],
    ids=["malformed", "last"],
)
def test_clients_that_do_not_close_their_end_delay_no_other(
    server: Server, request_: bytes
) -> None:
    with ExitStack() as clients:
        for _ in range(8):
            client = clients.enter_context(server.connect())
            client.sendall(request_)
        assert_serves(server)


def test_twenty_clients_that_read_nothing_delay_no_other(server: Server) -> None:
    """More than twice as many as WEB_THREADS, each with fifty large answers to read."""
    with ExitStack() as clients:
        for _ in range(20):
            deaf = clients.enter_context(server.connect())
            deaf.sendall(get(b"/docs/swagger-ui-bundle.js") * 50)
        for _ in range(5):
            assert_serves(server)


def test_open_event_streams_leave_room_for_twitch(server: Server) -> None:
    """As many as WEB_THREADS, which a client may have open."""
    with ExitStack() as streams:
        for _ in range(8):
            stream = streams.enter_context(server.connect())
            stream.sendall(get(b"/events/live"))
            assert stream.recv(4096).startswith(b"HTTP/1.1 200")
        assert_serves(server)
        surplus = server.exchange(get(b"/events/live"))
        assert (surplus.status, surplus.body) == (200, b"retry: 10000\n\n")


@pytest.mark.parametrize("path", [b"/metrics", b"/x/metrics"])
def test_a_header_does_not_move_the_application_to_another_path(
    server: Server, path: bytes
) -> None:
    plain = server.exchange(get(path))
    moved = server.exchange(get(path, b"SCRIPT_NAME: /x", b"Script-Name: /x"))
    assert moved.status == plain.status


def memory(server: Server) -> int:
    """Megabytes that the web processes have."""
    pages = 0
    for pid in children(server.pid):
        found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
        pages += int(found[1]) if found else 0
    return pages // 1024


@pytest.mark.parametrize("depth", [33, 254, 2_000, 400_000])
def test_a_deeply_nested_body_is_refused(server: Server, depth: int) -> None:
    nested = b'{"usernames": ' + b"[" * depth + b"]" * depth + b"}"
    head = [
        b"POST /streamers HTTP/1.1",
        b"Host: localhost",
        b"Content-Type: application/json",
        b"Content-Length: %d" % len(nested),
    ]
    assert server.exchange(b"\r\n".join([*head, b"", nested])).status in {400, 422}
    if len(nested) <= 64 * 1024:
        assert server.send(messages.message("notification", nested)).status == 400


def test_more_idle_connections_than_files_end_no_process(tmp_path: Path) -> None:
    with gunicorn("unlimited", tmp_path, open_files=700) as server:
        before = children(server.pid)
        with ExitStack() as stack, suppress(TimeoutError):  # it accepts no more
            for _ in range(600):
                stack.enter_context(socket.create_connection(("127.0.0.1", server.port), 1))
        assert_serves(server)
        assert children(server.pid) == before
        assert "Too many open files" not in server.log.read_text()
