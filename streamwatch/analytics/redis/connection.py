"""The connection of the analytics to Redis, with the errors of their port."""

from redis.exceptions import RedisClusterException, RedisError

from streamwatch.analytics.base import AnalyticsUnavailable
from streamwatch.redis_connection import RedisConnection


class Connection(RedisConnection):
    """Every error of Redis is raised as AnalyticsUnavailable: a batch is then projected again."""

    def port_error(self, error: RedisError | RedisClusterException) -> AnalyticsUnavailable:
        return AnalyticsUnavailable(f"Redis cannot be used: {type(error).__name__}")

    def open_error(self) -> AnalyticsUnavailable:
        return AnalyticsUnavailable("Redis cannot be used: it does not answer")
