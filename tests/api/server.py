"""Runs gunicorn in a process of its own, and a client that sends raw bytes."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

from tests.messages import Message

ROOT = Path(__file__).parents[2]
TIMEOUT_SECONDS = 10
"""How long a client waits for a response."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Server:
    port: int
    log: Path
    pid: int

    @contextmanager
    def connect(self) -> Iterator[socket.socket]:
        with socket.create_connection(("127.0.0.1", self.port), TIMEOUT_SECONDS) as connection:
            yield connection

    def exchange(self, request: bytes, *, then_close: bool = False) -> Answer:
        """The answer to `request`; `then_close` says that nothing more will come."""
        with self.connect() as connection:
            connection.sendall(request)
            if then_close:
                connection.shutdown(socket.SHUT_WR)
            return read_answer(connection)

    def get(self, path: str) -> Any:
        return self.exchange(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()).json()

    def send(self, message: Message, **headers: str | None) -> Answer:
        """What the webhook answers to `message`, some `headers` changed or left out (None)."""
        return self.exchange(post(message, **headers) + message.body)


def post(message: Message, **headers: str | None) -> bytes:
    """The request's head for `message`; `content_length` replaces the Content-Length header."""
    every: dict[str, str | None] = {
        "Host": "localhost",
        "Content-Length": str(len(message.body)),
        **message.headers,
        **{name.replace("_", "-").title(): value for name, value in headers.items()},
    }
    lines = [f"{name}: {value}" for name, value in every.items() if value is not None]
    return "\r\n".join(["POST /webhooks/eventsub HTTP/1.1", *lines, "", ""]).encode("latin-1")


def read_answer(connection: socket.socket) -> Answer:
    response = HTTPResponse(connection)
    response.begin()
    return Answer(response.status, dict(response.headers), response.read())


@contextmanager
def gunicorn(
    app: str, directory: Path, open_files: int | None = None, **environment: str
) -> Iterator[Server]:
    """`app` of `tests.wsgi`, served with our own configuration and this environment; with
    `open_files`, a process may have no more. The socket is open before the process is, so that
    there is nothing to wait for."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        log = directory / "log"
        limit = ["prlimit", f"--nofile={open_files}:{open_files}"] if open_files else []
        process = _start(app, listener, log, environment, limit)
        server = Server(listener.getsockname()[1], log, process.pid)
    try:
        try:
            server.get("/health/live")
        except OSError as error:
            raise AssertionError(server.log.read_text()) from error
        yield server
    finally:
        process.terminate()
        process.wait(TIMEOUT_SECONDS * 2)


def _start(
    app: str, listener: socket.socket, log: Path, environment: dict[str, str], prefix: list[str]
) -> subprocess.Popen[bytes]:
    configuration = ROOT / "config" / "gunicorn.conf.py"
    with log.open("wb") as output:
        return subprocess.Popen(
            [
                *prefix,
                *(sys.executable, "-m", "gunicorn", "-c", configuration, "--workers", "1"),
                *("--bind", f"fd://{listener.fileno()}", f"tests.wsgi:{app}()"),
            ],
            cwd=log.parent,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(ROOT),
                "LOG_FORMAT": "json",
                **environment,
            },
            pass_fds=[listener.fileno()],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
