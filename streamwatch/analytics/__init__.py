"""The analytics, by the names that ANALYTICS_TYPE can have."""

from streamwatch.analytics.base import AnalyticsStore
from streamwatch.registry import Registry
from streamwatch.settings import Settings

ANALYTICS = Registry(
    variable="ANALYTICS_TYPE",
    group="streamwatch.analytics",
    ours={
        "embedded": "streamwatch.analytics.embedded:EmbeddedAnalytics",
        "memory": "streamwatch.analytics.memory:MemoryAnalytics",
        "mongodb": "streamwatch.analytics.mongo:MongoAnalytics",
    },
)


def open_analytics(settings: Settings) -> AnalyticsStore:
    """The analytics that `settings` name. Raises UnknownBackend; nothing is connected to yet."""
    analytics: AnalyticsStore = ANALYTICS.build(settings.analytics_type, settings)
    return analytics
