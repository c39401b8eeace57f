"""While 200 slow and deaf clients are connected, webhooks and health checks are answered."""

import selectors
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import redis

from tests import messages
from tests.api.server import Server, gunicorn, read_answer
from tests.servers import Server as DatabaseServer
from tests.waiting import wait_for

pytestmark = [pytest.mark.soak, pytest.mark.timeout(300), pytest.mark.xdist_group("abuse")]

CLIENTS = 200
SECONDS = 30
WEBHOOK_SECONDS, LIVE_SECONDS = 2.0, 1.0

_LARGE = b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n"
_PIPELINE = _LARGE * 50
_HEAD = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nX-Slow: " + b"x" * 4000
_BODY = (
    b"POST /webhooks/eventsub HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n"
    + b"x" * 59_999
)


class SlowClient:
    """A connection that is opened again whenever the server closes it.

    It sends `sent` bytes of `request` every half a second, all at once if `sent` is None, and reads
    nothing.
    """

    def __init__(self, port: int, request: bytes, sent: int | None) -> None:
        self._port = port
        self._request = request
        self._sent = sent or len(request)
        self._place = 0
        self._connection: socket.socket | None = None

    def step(self) -> None:
        try:
            if self._connection is None:
                self._connection = socket.create_connection(("127.0.0.1", self._port), 1)
                self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                self._connection.setblocking(False)
                self._place = 0
            part = self._request[self._place : self._place + self._sent]
            if part:
                self._place += self._connection.send(part)
            elif self._is_closed():
                self.close()
        except BlockingIOError:
            return
        except OSError:
            self.close()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @property
    def is_connected(self) -> bool:
        return self._connection is not None

    def _is_closed(self) -> bool:
        """Whether the server has closed the connection: what it sent stays unread."""
        assert self._connection is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._connection, selectors.EVENT_READ)
            if not selector.select(0):
                return False
        with suppress(BlockingIOError):
            return not self._connection.recv(1, socket.MSG_PEEK)
        return False


def slow_client(port: int, number: int) -> SlowClient:
    """A third is deaf, a third sends headers slowly, a third a body."""
    kinds: tuple[tuple[bytes, int | None], ...] = ((_PIPELINE, None), (_HEAD, 1), (_BODY, 300))
    return SlowClient(port, *kinds[number % len(kinds)])


@contextmanager
def slow_clients(port: int) -> Iterator[list[SlowClient]]:
    clients = [slow_client(port, number) for number in range(CLIENTS)]
    stopped = threading.Event()

    def run() -> None:
        while not stopped.wait(0.5):
            for client in clients:
                client.step()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield clients
    finally:
        stopped.set()
        thread.join()
        for client in clients:
            client.close()


@pytest.fixture(params=["memory", "redis"])
def server(
    request: pytest.FixtureRequest, tmp_path: Path, shared_redis: DatabaseServer
) -> Iterator[Server]:
    with redis.Redis.from_url(shared_redis.url) as client:
        client.flushall()
    app = {"memory": "unlimited", "redis": "on_redis"}[request.param]
    with gunicorn(app, tmp_path, REDIS_URL=shared_redis.url) as served:
        yield served


def test_slow_and_deaf_clients_delay_no_webhook(server: Server) -> None:
    webhook: list[float] = []
    live: list[float] = []
    with slow_clients(server.port) as clients:
        wait_for(lambda: all(client.is_connected for client in clients), 30)
        ends = time.monotonic() + SECONDS
        number = 0
        while time.monotonic() < ends:
            number += 1
            started = time.monotonic()
            answer = server.send(messages.online(message_id=f"slow-{number}"))
            webhook.append(time.monotonic() - started)
            assert answer.status == 204
            started = time.monotonic()
            with server.connect() as connection:
                connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
                assert read_answer(connection).status == 200
            live.append(time.monotonic() - started)
            time.sleep(0.1)
    figures = f"webhook: {max(webhook):.3f} s at most, /health/live: {max(live):.3f} s at most"
    print(figures)  # noqa: T201  its report
    assert max(webhook) < WEBHOOK_SECONDS, figures
    assert max(live) < LIVE_SECONDS, figures
