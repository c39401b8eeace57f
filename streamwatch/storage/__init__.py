"""Storage backends, by the names that STORAGE_TYPE accepts."""

from streamwatch.registry import Registry
from streamwatch.settings import Settings
from streamwatch.storage.base import Storage

STORAGES = Registry(
    variable="STORAGE_TYPE",
    group="streamwatch.storage",
    builtin={
        "embedded": "streamwatch.storage.redis:EmbeddedStorage",
        "memory": "streamwatch.storage.memory:MemoryStorage",
        "redis": "streamwatch.storage.redis:RedisStorage",
    },
)


def open_storage(settings: Settings) -> Storage:
    """The storage that STORAGE_TYPE names. Does not connect. Raises UnknownBackend."""
    storage: Storage = STORAGES.build(settings.storage_type, settings)
    return storage
