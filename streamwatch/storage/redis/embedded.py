"""The storage in the embedded Valkey."""

from typing import Self

from streamwatch.embedded_socket import is_running, socket_url
from streamwatch.settings import Settings, SettingsError
from streamwatch.storage.redis.connection import Connection
from streamwatch.storage.redis.store import RedisStorage

_NOT_RUNNING = (
    "STORAGE_TYPE: embedded storage is not running; start everything together with"
    " `streamwatch dev` (make run), or use STORAGE_TYPE=redis"
)


class EmbeddedStorage(RedisStorage):
    """The storage in Redis, connected to the socket of the embedded Valkey."""

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Raises SettingsError while the embedded Valkey is not running."""
        if not is_running(settings.data_dir):
            raise SettingsError([_NOT_RUNNING])
        return cls(Connection.to(socket_url(settings.data_dir)), settings.events_kept)
