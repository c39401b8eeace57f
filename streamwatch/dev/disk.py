"""Keeps the embedded Valkey from filling the disk of DATA_DIR.

With `appendfsync always` Valkey exits when a write to its log fails. So writes are refused while
there is still room for the log.
"""

import logging
import shutil
from pathlib import Path

import redis

from streamwatch.embedded_socket import socket_path

log = logging.getLogger(__name__)

RESERVE_BYTES = 32 * 1024 * 1024
"""Free space below which writes are refused."""


def free_bytes(folder: Path) -> int:
    """The free space of the folder's disk. Raises OSError."""
    return shutil.disk_usage(folder).free


class DiskGuard:
    """Refuses writes while the disk is almost full, and allows them once there is room again."""

    def __init__(self, data_dir: Path, reserve: int = RESERVE_BYTES) -> None:
        self._data_dir = data_dir
        self._reserve = reserve
        self._refusing = False

    def is_full(self) -> bool:
        """Whether there is less space than the reserve."""
        return free_bytes(self._data_dir) < self._reserve

    def check(self) -> None:
        """Make Valkey refuse writes while the disk is full, and accept them otherwise. Does nothing
        unless this has changed since the last call."""
        full = self.is_full()
        if full == self._refusing:
            return
        try:
            path = str(socket_path(self._data_dir))
            with redis.Redis(unix_socket_path=path, socket_timeout=1) as client:
                # Over its limit, a server with noeviction refuses writes and answers reads.
                client.config_set("maxmemory", "1" if full else "0")
        except redis.RedisError:
            return  # it is starting or has ended; the next check tries again
        self._refusing = full
        if full:
            log.error(
                "The disk of DATA_DIR (%s) is full: writes are refused until %d MB are free",
                self._data_dir,
                self._reserve // 1024**2,
            )
        else:
            log.info("The disk of DATA_DIR has room again: writes are accepted")

    def forget(self) -> None:
        """Reset the state after a restart of the server, which then accepts writes."""
        self._refusing = False
