"""The storage in Redis, or what speaks its protocol (Valkey), from version 7 on.

Every verb that writes in more than one place is one Lua script under `streamwatch/storage/lua`,
which names the keys it owns.
"""

from streamwatch.storage.redis.embedded import EmbeddedStorage
from streamwatch.storage.redis.store import RedisStorage

__all__ = ["EmbeddedStorage", "RedisStorage"]
