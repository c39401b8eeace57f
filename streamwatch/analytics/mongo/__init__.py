"""The analytics in MongoDB."""

from streamwatch.analytics.mongo.store import MongoAnalytics

__all__ = ["MongoAnalytics"]
