"""The analytics backends, by the names that ANALYTICS_TYPE can have."""

from streamwatch.analytics.base import AnalyticsStore
from streamwatch.registry import Registry
from streamwatch.settings import Settings

ANALYTICS = Registry(
    variable="ANALYTICS_TYPE",
    group="streamwatch.analytics",
    builtin={
        "embedded": "streamwatch.analytics.redis:RedisAnalytics",  # as version 0.1 called it
        "memory": "streamwatch.analytics.memory:MemoryAnalytics",
        "mongodb": "streamwatch.analytics.mongo:MongoAnalytics",
        "redis": "streamwatch.analytics.redis:RedisAnalytics",
    },
)


def open_analytics(settings: Settings) -> AnalyticsStore:
    """The backend that `settings` name. Raises UnknownBackend; connects to nothing yet."""
    analytics: AnalyticsStore = ANALYTICS.build(settings.analytics_type, settings)
    return analytics
