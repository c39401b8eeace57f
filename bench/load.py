"""Load generators: wrk where it is installed, else a bundled one in Python, which uses more CPU.

Only the bundled generator can hold a rate, as latency measurements need."""

import json
import selectors
import shutil
import socket
import subprocess
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory

SCRIPT = Path(__file__).with_name("wrk.lua")
CONNECTIONS = 32
THREADS = 2
ANSWER_SECONDS = 10.0


class BenchError(Exception):
    """A measurement that cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Result:
    """The number of answers, all of them 2xx, and the seconds they took."""

    answered: int
    seconds: float
    latencies: Sequence[float] = field(default=(), repr=False)
    """Seconds, in the order of the answers; empty with wrk."""

    @property
    def rate(self) -> float:
        return self.answered / self.seconds

    def percentile(self, percent: int) -> float:
        return quantiles(self.latencies, n=100, method="inclusive")[percent - 1]


def generator() -> str:
    return "wrk" if shutil.which("wrk") else "bundled"


def saturate(port: int, requests: Sequence[bytes], seconds: int, *, once: bool = False) -> Result:
    """Send as fast as the server answers, on CONNECTIONS connections.

    `requests` are repeated, or sent `once` where they must be distinct; then there must be enough
    of them for `seconds`.
    """
    if shutil.which("wrk"):
        return _wrk(port, requests, seconds, once=once)
    return Bundled(port, iter(requests) if once else cycle(requests)).run(seconds)


def send_all(port: int, requests: Sequence[bytes], seconds: int) -> Result:
    """Send each request once, as fast as the server answers, for `seconds` at most."""
    return Bundled(port, iter(requests)).run(seconds)


def hold(port: int, requests: Sequence[bytes], rate: float, seconds: int) -> Result:
    """Send each request once, `rate` a second. Latencies count from the time a request was due, so
    that a slow answer also delays the requests behind it."""
    return Bundled(port, iter(requests), rate).run(2 * seconds)


def _wrk(port: int, requests: Sequence[bytes], seconds: int, *, once: bool) -> Result:
    with TemporaryDirectory(prefix="streamwatch-bench-") as folder:
        for thread in range(THREADS):
            part = requests[thread::THREADS] if len(requests) > 1 else requests
            Path(folder, str(thread)).write_bytes(
                b"".join(b"%d\n%b" % (len(request), request) for request in part)
            )
        command = ["wrk", f"-t{THREADS}", f"-c{CONNECTIONS}", f"-d{seconds}"]
        command += ["--timeout", f"{ANSWER_SECONDS:.0f}", "-s", str(SCRIPT)]
        command += [f"http://127.0.0.1:{port}/", "--", folder, "once" if once else "again"]
        done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603
    summary = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else {"errors": 1}
    if summary["errors"]:
        raise BenchError(f"Requests failed: {done.stdout}{done.stderr}")
    return Result(summary["answered"], summary["seconds"])


@dataclass(eq=False)
class _Client:
    """A connection: when its request was due, and the part of the answer that has arrived."""

    socket: socket.socket
    due: float = 0.0
    answer: bytes = b""


class Bundled:
    """A closed loop on CONNECTIONS connections or, with `rate`, an open loop."""

    def __init__(self, port: int, requests: Iterator[bytes], rate: float | None = None) -> None:
        self._requests = requests
        self._rate = rate
        self._selector = selectors.DefaultSelector()
        self._idle: deque[_Client] = deque()
        self._latencies: list[float] = []
        self._sent = 0
        self._exhausted = False
        for _ in range(CONNECTIONS):
            client = _Client(socket.create_connection(("127.0.0.1", port), ANSWER_SECONDS))
            client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(client.socket, selectors.EVENT_READ, client)
            self._idle.append(client)

    def run(self, seconds: float) -> Result:
        start = time.perf_counter()
        try:
            while time.perf_counter() < start + seconds:
                wait = self._send(start)
                if self._exhausted and len(self._idle) == CONNECTIONS:
                    break
                for key, _ in self._selector.select(wait):
                    self._receive(key.data)
        finally:
            for key in list(self._selector.get_map().values()):
                key.data.socket.close()
            self._selector.close()
        return Result(len(self._latencies), time.perf_counter() - start, self._latencies)

    def _send(self, start: float) -> float:
        """Send the requests that are due; seconds until the next is due."""
        while self._idle and not self._exhausted:
            now = time.perf_counter()
            due = start + self._sent / self._rate if self._rate else now
            if due > now:
                return due - now
            request = next(self._requests, None)
            if request is None:
                self._exhausted = True
                break
            client = self._idle.popleft()
            client.due, client.answer = due, b""
            client.socket.sendall(request)
            self._sent += 1
        return ANSWER_SECONDS

    def _receive(self, client: _Client) -> None:
        chunk = client.socket.recv(1 << 18)
        if not chunk:
            raise BenchError("A connection was closed.")
        client.answer += chunk
        if not _is_whole(client.answer):
            return
        if not client.answer.startswith(b"HTTP/1.1 2"):
            raise BenchError(f"A request failed: {client.answer[:300]!r}")
        self._latencies.append(time.perf_counter() - client.due)
        self._idle.append(client)


def _is_whole(answer: bytes) -> bool:
    head, separator, body = answer.partition(b"\r\n\r\n")
    if not separator:
        return False
    _, announced, rest = head.lower().partition(b"\r\ncontent-length:")
    return not announced or len(body) >= int(rest.partition(b"\r\n")[0])
