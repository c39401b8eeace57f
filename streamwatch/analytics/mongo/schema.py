"""The collections and their indexes.

| collection       | `_id`                        | what |
|------------------|------------------------------|------|
| stream_events    | event id                     | events |
| stream_snapshots | stream and capture time      | samples |
| stream_sessions  | stream id                    | sessions, with a `version` |
| streamer_stats   | user id                      | states and statistics, with a `version` |

Every document has its user's id, by which the collections can be sharded.
"""

from datetime import timedelta

from pymongo import ASCENDING, DESCENDING, IndexModel

from streamwatch.analytics.mongo.connection import Connection

EVENTS, SNAPSHOTS = "stream_events", "stream_snapshots"
SESSIONS, STATS = "stream_sessions", "streamer_stats"

PREPARE_SECONDS = 600.0
"""The time limit of creating indexes on collections that have grown without them."""

_LONGEST_RETENTION = 2**31 - 1
"""Seconds. MongoDB takes no more."""

_CAPTURED_AT = "captured_at_1"

_INDEXES = {
    EVENTS: [IndexModel([("broadcaster_id", ASCENDING)])],
    SNAPSHOTS: [
        IndexModel([("stream_id", ASCENDING), ("captured_at", ASCENDING)]),
        IndexModel([("captured_at", ASCENDING), ("stream_id", ASCENDING)]),
        IndexModel(
            [("broadcaster_id", ASCENDING), ("captured_at", ASCENDING), ("stream_id", ASCENDING)]
        ),
    ],
    SESSIONS: [
        IndexModel([("broadcaster_id", ASCENDING), ("started_at", ASCENDING), ("_id", ASCENDING)]),
        IndexModel([("ended_at", ASCENDING)]),
    ],
    STATS: [
        IndexModel([("broadcaster_login", ASCENDING), ("updated_at", DESCENDING)]),
        *(
            IndexModel([(field, DESCENDING), ("_id", ASCENDING)])
            for field in ("airtime_ms", "viewer_ms", "max_viewers", "average")
        ),
    ],
}


def prepare(connection: Connection, retention: timedelta | None) -> None:
    """Create the missing indexes. Samples expire after `retention`, or never."""
    for name, indexes in _INDEXES.items():
        connection.collection(name).create_indexes(indexes)
    seconds = None if retention is None else min(int(retention.total_seconds()), _LONGEST_RETENTION)
    _retain(connection, seconds)


def _retain(connection: Connection, seconds: int | None) -> None:
    snapshots = connection.collection(SNAPSHOTS)
    index = snapshots.index_information().get(_CAPTURED_AT)
    if index and (seconds is None or index.get("expireAfterSeconds") != seconds):
        snapshots.drop_index(_CAPTURED_AT)
        index = None
    if seconds is not None and not index:
        snapshots.create_index([("captured_at", ASCENDING)], expireAfterSeconds=seconds)
