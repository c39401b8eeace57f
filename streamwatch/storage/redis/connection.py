"""The storage's connection to Redis: errors of its port, and a check of the server's version."""

from collections.abc import Callable
from importlib.resources import files
from typing import Any

from redis.client import PubSub
from redis.exceptions import (
    AskError,
    ClusterError,
    ConnectionError,  # noqa: A004  redis-py's own
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisClusterException,
    RedisError,
    ResponseError,
    TryAgainError,
)

from streamwatch.redis_connection import RedisConnection, Script, is_timeout
from streamwatch.redis_urls import Client
from streamwatch.storage.base import StorageError, StorageUnavailable
from streamwatch.storage.redis.server_info import require_supported_version

_UNAVAILABLE = (
    ConnectionError,
    OutOfMemoryError,
    ReadOnlyError,
    NoPermissionError,
    ClusterError,
    RedisClusterException,
    AskError,
    TryAgainError,
)
_UNAVAILABLE_PREFIXES = ("MISCONF", "NOREPLICAS", "BUSY ", "LOADING", "MASTERDOWN", "CLUSTERDOWN")
"""Error codes of a Redis that cannot run commands now, for which redis-py may have no class."""


def load_script(name: str) -> Script:
    """The script of the storage in the file `name`.lua."""
    return Script(name, (files("streamwatch.storage") / "lua" / f"{name}.lua").read_text("utf-8"))


class Connection(RedisConnection):
    def __init__(self, make_client: Callable[[], Client]) -> None:
        super().__init__(make_client)
        self._is_version_checked = False

    def port_error(self, error: RedisError | RedisClusterException) -> StorageError:
        if is_timeout(error):
            return StorageUnavailable("Redis cannot be used: it did not answer in time")
        if isinstance(error, _UNAVAILABLE) or str(error).startswith(_UNAVAILABLE_PREFIXES):
            return StorageUnavailable(f"Redis cannot be used: {error}")
        return StorageError(f"Redis refused: {error}")

    def open_error(self) -> StorageUnavailable:
        return StorageUnavailable("Redis cannot be used: it does not answer")

    def info(self, section: str) -> dict[str, Any]:
        """A section of INFO; empty if the user may not run INFO or the server does not know it."""
        with self.answering():
            return _info(self.connected(), section)

    def pubsub(self) -> PubSub:
        """A new subscriber. It takes a connection from the pool with its first subscription."""
        with self.port_errors():
            subscriber: PubSub = self.connected().pubsub()
            return subscriber

    def connected(self) -> Any:
        """The client, after a check of the server's version."""
        client = super().connected()
        if not self._is_version_checked:
            require_supported_version(_info(client, "server"))
            self._is_version_checked = True
        return client


def _info(client: Any, section: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = client.execute_command("INFO", section)
    except ResponseError:
        return {}
    return found
