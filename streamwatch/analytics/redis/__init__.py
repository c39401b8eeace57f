"""The analytics in Redis or Valkey, from version 7 on, and so in the embedded Valkey."""

from streamwatch.analytics.redis.store import RedisAnalytics

__all__ = ["RedisAnalytics"]
