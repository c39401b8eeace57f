"""Connections that come at once, as a proxy opens them when many messages do."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.conftest import SECRET
from tests.faults.stack import children
from tests.processes import Deployment, deployment
from tests.waiting import wait_for

BURST = 40
BURSTS = 6
ASK = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def service(tmp_path: Path, redis_url: str) -> Iterator[Deployment]:
    settings = {"STORAGE_TYPE": "redis", "REDIS_URL": redis_url, "WEBHOOK_SECRET": SECRET}
    settings |= {"WEB_CONCURRENCY": "2", "TMPDIR": str(tmp_path)}
    with deployment(tmp_path / "service", **settings) as deployed:
        yield deployed


def answering(service: Deployment, folder: Path) -> int:
    """How many processes have answered, and counted that in a file of theirs."""
    service.answers("/health/live")
    return len(list(folder.glob("streamwatch-metrics-*/counter_*.db")))


def sockets(pid: int) -> int:
    """How many a process has open."""
    return sum(is_socket(file) for file in Path(f"/proc/{pid}/fd").iterdir())


def is_socket(file: Path) -> bool:
    try:
        return str(file.readlink()).startswith("socket:")
    except FileNotFoundError:  # closed meanwhile
        return False


def burst(service: Deployment, idle: dict[int, int]) -> list[int]:
    """How many of many connections each process has, which had so many sockets while idle."""
    wait_for(lambda: all(sockets(pid) <= known for pid, known in idle.items()))
    with ExitStack() as stack:
        address = ("127.0.0.1", service.port)
        opened = [stack.enter_context(socket.create_connection(address, 5)) for _ in range(BURST)]
        for connection in opened:
            connection.sendall(ASK)
        for connection in opened:
            assert connection.recv(2**16).startswith(b"HTTP/1.1 200")
        return [sockets(pid) - known for pid, known in idle.items()]


def test_connections_that_come_at_once_are_shared_by_the_processes(
    service: Deployment, tmp_path: Path
) -> None:
    web = service.start("web")
    wait_for(lambda: answering(service, tmp_path) == 2, 20)
    idle = {pid: sockets(pid) for pid in children(web.pid)}
    for pid in idle:  # one processor: where one runs, the other cannot
        os.sched_setaffinity(pid, {0})
    taken = [burst(service, idle) for _ in range(BURSTS)]
    assert min(map(min, taken)) >= BURST // 4, taken
