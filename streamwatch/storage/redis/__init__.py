"""The storage in Redis (7.0 or later) or Valkey (7.2 or later).

Each method that writes several keys is one Lua script in `streamwatch/storage/lua`. The comment at
the top of a script describes its keys.
"""

from streamwatch.storage.redis.embedded import EmbeddedStorage
from streamwatch.storage.redis.store import RedisStorage

__all__ = ["EmbeddedStorage", "RedisStorage"]
