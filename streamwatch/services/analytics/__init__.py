"""The analytics: the projector, dead letters, queries, rankings, and backfills of past streams."""
