"""The two load generators: wrk where there is one, else a bundled one in Python, which takes more
of the machine for itself. Only the bundled one can hold a rate."""

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
    """The run is worth nothing, for this reason."""


@dataclass(frozen=True, slots=True)
class Result:
    """So many requests were answered in so many seconds, all of them with 2xx."""

    answered: int
    seconds: float
    latencies: Sequence[float] = field(default=(), repr=False)
    """Seconds, in the order of the answers; only of the bundled generator."""

    @property
    def rate(self) -> float:
        return self.answered / self.seconds

    def percentile(self, percent: int) -> float:
        return quantiles(self.latencies, n=100, method="inclusive")[percent - 1]


def generator() -> str:
    return "wrk" if shutil.which("wrk") else "bundled"


def saturate(port: int, requests: Sequence[bytes], seconds: int, *, once: bool = False) -> Result:
    """Send as fast as it is answered on 32 connections: `requests` over and over or, where no two
    may be alike, `once`; then there must be enough of them."""
    if shutil.which("wrk"):
        return _wrk(port, requests, seconds, once=once)
    return Bundled(port, iter(requests) if once else cycle(requests)).run(seconds)


def send_all(port: int, requests: Sequence[bytes], seconds: int) -> Result:
    """Send each once, as fast as it is answered; `seconds` is how long that may take."""
    return Bundled(port, iter(requests)).run(seconds)


def hold(port: int, requests: Sequence[bytes], rate: float, seconds: int) -> Result:
    """Send each once at a rate, whatever the answers do; latencies count from when a request was
    due."""
    return Bundled(port, iter(requests), rate).run(2 * seconds)


def _wrk(port: int, requests: Sequence[bytes], seconds: int, *, once: bool) -> Result:
    with TemporaryDirectory(prefix="streamwatch-bench-") as folder:
        for thread in range(THREADS):
            own = requests[thread::THREADS] if len(requests) > 1 else requests
            Path(folder, str(thread)).write_bytes(
                b"".join(b"%d\n%b" % (len(request), request) for request in own)
            )
        command = ["wrk", f"-t{THREADS}", f"-c{CONNECTIONS}", f"-d{seconds}"]
        command += ["--timeout", f"{ANSWER_SECONDS:.0f}", "-s", str(SCRIPT)]
        command += [f"http://127.0.0.1:{port}/", "--", folder, "once" if once else "again"]
        done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603
    told = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else {"errors": 1}
    if told["errors"]:
        raise BenchError(f"Requests failed: {done.stdout}{done.stderr}")
    return Result(told["answered"], told["seconds"])


@dataclass(eq=False)
class _Client:
    """One connection: what it waits for since when, and what it has of the answer."""

    socket: socket.socket
    due: float = 0.0
    answer: bytes = b""


class Bundled:
    """A closed loop on 32 connections or, with `rate`, an open one."""

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
        """Send what is due; for how long nothing else is."""
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
