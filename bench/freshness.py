"""How long a web process keeps answering with what another process has already replaced.

A message is sent to one process while another one answers the same read again and again. The age of
an outdated answer is the time from the message's 204 to the moment at which the answer was asked
for. Both processes are under load meanwhile.
"""

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from statistics import quantiles
from typing import Any

import requests

from bench.deployments import SECRET, Deployed
from bench.load import hold
from bench.payloads import get
from streamwatch.domain.models import User
from streamwatch.settings import WEBHOOK_PATH
from tests.messages import Message, offline, online
from tests.servers import free_port
from tests.waiting import wait_for

LOAD_RATE = 100.0
"""Requests for the newest events that each process answers a second, beside the tries."""

STREAMERS = 200
"""How many streamers take turns: those that a poll has seen live, who have a status."""

_LIMIT_SECONDS = 5.0
"""An answer that is outdated for longer ends the benchmark."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """Ages of outdated answers, in milliseconds, over `tries` tries; 0 where there was none."""

    tries: int
    p999: float
    longest: float


class _Process:
    """A web process as a client with one connection sees it."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"
        self._session = requests.Session()

    def status(self, user: User) -> dict[str, Any]:
        response = self._session.get(f"{self._url}/streamers/{user.login}/status", timeout=10)
        response.raise_for_status()
        status: dict[str, Any] = response.json()
        return status

    def send(self, message: Message) -> None:
        response = self._session.post(
            self._url + WEBHOOK_PATH, data=message.body, headers=message.headers, timeout=10
        )
        response.raise_for_status()


def measure(deployed: Deployed, tries: int) -> Freshness:
    """Send messages to `deployed`, and read from one more web process on the same storage."""
    port = free_port()
    deployed.processes.start("web", PORT=str(port), WEB_CONCURRENCY="1")
    reader, writer = _Process(port), _Process(deployed.target.port)
    wait_for(lambda: _is_up(port), 20)
    with _load(deployed.target.port), _load(port):
        ages = [
            _outdated_seconds(writer, reader, user, number)
            for user, number in zip(cycle(deployed.users[:STREAMERS]), range(tries), strict=False)
        ]
    p999 = quantiles(ages, n=1000, method="inclusive")[-1]
    return Freshness(tries, p999 * 1e3, max(ages) * 1e3)


def _outdated_seconds(writer: _Process, reader: _Process, user: User, number: int) -> float:
    """For how long the reader answers with the status from before a message to the writer."""
    before = reader.status(user)  # from here on, this answer may be in the reader's cache
    writer.send(_opposite_message(user, number, before["stream_data"]))
    acknowledged_at = time.perf_counter()
    age = 0.0
    while age < _LIMIT_SECONDS:
        asked_at = time.perf_counter()
        if reader.status(user)["is_live"] != before["is_live"]:
            return age
        age = asked_at - acknowledged_at
    raise AssertionError(f"The status of {user.login} was outdated for {age:.1f} s.")


def _opposite_message(user: User, number: int, stream: dict[str, Any] | None) -> Message:
    """The message that ends `stream` or, where there is none, starts one."""
    if stream is not None:
        return offline(user, stream["id"], secret=SECRET)
    return online(user, f"9{user.user_id}{number:07}", secret=SECRET)


def _is_up(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/health/live", timeout=5).ok
    except (requests.ConnectionError, requests.Timeout):
        return False


@contextmanager
def _load(port: int) -> Iterator[None]:
    """LOAD_RATE reads a second on a port for as long as the context lasts. They come from another
    process, since a thread would slow down the tries."""
    process = multiprocessing.get_context("spawn").Process(target=_read_forever, args=[port])
    process.start()
    try:
        yield
    finally:
        process.terminate()
        process.join()


def _read_forever(port: int) -> None:
    while True:
        hold(port, [get("/events?limit=50")] * int(10 * LOAD_RATE), LOAD_RATE, 10)
