"""A server on the loopback that misbehaves on request: what a mock of requests cannot show."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Behaviour = Callable[[socket.socket], None]

_DATA = b'{"data":[]}'


class Server:
    """Does one behaviour a connection, in order, and then hangs up on any further connection;
    `requests` are what it was sent."""

    def __init__(self, behaviours: list[Behaviour]) -> None:
        self._behaviours = iter(behaviours)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self.requests: list[bytes] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # closed: the test is over
                return
            behaviour = next(self._behaviours, hang_up)
            thread = threading.Thread(target=self._answer, args=(connection, behaviour))
            self._threads.append(thread)
            thread.start()

    def _answer(self, connection: socket.socket, behaviour: Behaviour) -> None:
        with connection:
            self.requests.append(connection.recv(65_536))
            with suppress(OSError):  # the client hung up first, as some tests mean it to
                behaviour(connection)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)


@contextmanager
def serving(*behaviours: Behaviour) -> Iterator[Server]:
    server = Server(list(behaviours))
    acceptor = threading.Thread(target=server.serve)
    acceptor.start()
    try:
        yield server
    finally:
        server.close()
        acceptor.join(10)


def answer(body: bytes = _DATA, head: bytes = b"") -> Behaviour:
    def behave(connection: socket.socket) -> None:
        connection.sendall(_head(len(body), head) + body)

    return behave


def say_nothing(connection: socket.socket) -> None:
    """Silent until the client hangs up."""
    connection.settimeout(10)
    connection.recv(1)


def hang_up(connection: socket.socket) -> None:
    """Close without an answer."""


def stop_halfway(connection: socket.socket) -> None:
    connection.sendall(_head(len(_DATA)) + _DATA[:4])


def drip(connection: socket.socket) -> None:
    """A byte every 20 ms, for longer than anybody should listen."""
    connection.sendall(_head(1_000))
    for _ in range(500):
        connection.sendall(b" ")
        time.sleep(0.02)


def pour(connection: socket.socket) -> None:
    """A body of 32 MiB."""
    connection.sendall(_head(32 << 20))
    for _ in range(512):
        connection.sendall(b" " * 65_536)


def _head(length: int, more: bytes = b"") -> bytes:
    return (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
        + more
        + f"Content-Length: {length}\r\n\r\n".encode()
    )
