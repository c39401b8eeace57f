"""The collections, and the indexes without which nothing is read.

| collection       | `_id`                        | what |
|------------------|------------------------------|------|
| stream_events    | event id, or `seen:` stream  | facts: onlines, offlines, first sightings |
| stream_snapshots | stream and capture time      | samples |
| streamers        | user id                      | who was observed; `revision` counts additions |
| stream_sessions  | stream id                    | made of the three above |
| streamer_months  | user id and month            | made of the sessions |
| streamer_stats   | user id                      | made of the months |
| tickets          | `ticket`                     | numbers for writes, each greater than the last |

Every document but the ticket has its user's id, by which the collections can be sharded.
"""

from datetime import timedelta

from pymongo import ASCENDING, DESCENDING, IndexModel

from streamwatch.analytics.mongo.connection import Connection, Document

EVENTS, SNAPSHOTS, STREAMERS = "stream_events", "stream_snapshots", "streamers"
SESSIONS, MONTHS, STATS = "stream_sessions", "streamer_months", "streamer_stats"
TICKETS = "tickets"

PREPARE_SECONDS = 600.0
"""How long indexes may take on collections that have grown without them."""

_CAPTURED_AT = "captured_at_1"

_INDEXES = {
    EVENTS: [
        IndexModel([("stream_id", ASCENDING), ("broadcaster_id", ASCENDING), ("at", ASCENDING)]),
        IndexModel(
            [
                ("broadcaster_id", ASCENDING),
                ("started_at", ASCENDING),
                ("stream_id", ASCENDING),
                ("at", ASCENDING),
            ]
        ),
    ],
    SNAPSHOTS: [
        IndexModel([("stream_id", ASCENDING), ("captured_at", ASCENDING)]),
        IndexModel([("broadcaster_id", ASCENDING), ("captured_at", ASCENDING)]),
    ],
    SESSIONS: [
        IndexModel([("broadcaster_id", ASCENDING), ("started_at", ASCENDING), ("_id", ASCENDING)]),
        IndexModel([("broadcaster_id", ASCENDING), ("ended_at", ASCENDING)]),
        IndexModel([("broadcaster_id", ASCENDING), ("month", ASCENDING)]),
        IndexModel([("ended_at", ASCENDING)]),
    ],
    MONTHS: [IndexModel([("broadcaster_id", ASCENDING), ("month", ASCENDING)])],
    STATS: [
        IndexModel([("broadcaster_login", ASCENDING), ("updated_at", DESCENDING)]),
        *(
            IndexModel([(field, DESCENDING), ("_id", ASCENDING)])
            for field in ("airtime_ms", "viewer_ms", "max_viewers", "average")
        ),
    ],
}


def prepare(connection: Connection, retention: timedelta | None) -> None:
    """Make the indexes that are missing; samples expire after `retention`, or never."""
    for name, indexes in _INDEXES.items():
        connection.collection(name).create_indexes(indexes)
    _retain(connection, None if retention is None else int(retention.total_seconds()))


def _retain(connection: Connection, seconds: int | None) -> None:
    snapshots = connection.collection(SNAPSHOTS)
    index = snapshots.index_information().get(_CAPTURED_AT)
    now = index.get("expireAfterSeconds") if index else None
    if index and now == seconds:
        return
    if now is not None and seconds is not None:
        change: Document = {"name": _CAPTURED_AT, "expireAfterSeconds": seconds}
        connection.database.command("collMod", SNAPSHOTS, index=change)
        return
    if index:  # one that expires nothing cannot be told to, nor the other way round
        snapshots.drop_index(_CAPTURED_AT)
    expiring = {} if seconds is None else {"expireAfterSeconds": seconds}
    snapshots.create_indexes([IndexModel([("captured_at", ASCENDING)], **expiring)])
