"""The Unix socket of the embedded Valkey, which `streamwatch dev` runs (`streamwatch.dev.valkey`).

The storage and the analytics connect to it; the folder's mode keeps other users out.
"""

import socket
from pathlib import Path
from urllib.parse import quote

_CONNECT_SECONDS = 1.0


def socket_path(data_dir: Path) -> Path:
    """The path of the socket of the Valkey that keeps its data in `data_dir`."""
    return data_dir.absolute() / "valkey.sock"


def socket_url(data_dir: Path) -> str:
    """The socket as a URL for redis-py."""
    return f"unix://{quote(str(socket_path(data_dir)))}"


def is_running(data_dir: Path) -> bool:
    """Whether a Valkey listens on the socket."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(_CONNECT_SECONDS)
        try:
            client.connect(str(socket_path(data_dir)))
        except OSError:
            return False
    return True
