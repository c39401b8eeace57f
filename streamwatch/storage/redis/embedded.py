"""The storage in the embedded Valkey, which `streamwatch dev` runs (`streamwatch.dev.valkey`)."""

import socket
from pathlib import Path
from typing import Self
from urllib.parse import quote

from streamwatch.settings import Settings, SettingsError
from streamwatch.storage.redis.connection import Connection
from streamwatch.storage.redis.store import RedisStorage

_SECONDS = 1.0

_NOT_RUNNING = (
    "STORAGE_TYPE: embedded storage is not running; start everything together with"
    " `streamwatch dev` (make run), or use STORAGE_TYPE=redis"
)


def socket_path(data_dir: Path) -> Path:
    """Where the Valkey listens: a socket of the file system, whose folder says who may use it."""
    return data_dir.absolute() / "valkey.sock"


def is_running(data_dir: Path) -> bool:
    """Whether a Valkey listens there."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(_SECONDS)
        try:
            client.connect(str(socket_path(data_dir)))
        except OSError:
            return False
    return True


class EmbeddedStorage(RedisStorage):
    """The storage in Redis, at the embedded Valkey's socket."""

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        if not is_running(settings.data_dir):
            raise SettingsError([_NOT_RUNNING])
        url = f"unix://{quote(str(socket_path(settings.data_dir)))}"
        return cls(Connection.to(url), settings.events_kept)
