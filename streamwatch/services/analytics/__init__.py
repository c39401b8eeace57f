"""The analytics: following the feed, and queries."""
