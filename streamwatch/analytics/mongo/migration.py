"""Takes over what version 0.1 stored in MongoDB.

Events and samples have the same form. Sessions and statistics get a version, and a streamer's
statistics the state of the projection; months, tickets and revisions are not needed any more.
"""

import logging

from pymongo.errors import OperationFailure

from streamwatch.analytics.base import AnalyticsError, AnalyticsUnavailable
from streamwatch.analytics.mongo.connection import Connection
from streamwatch.analytics.mongo.schema import EVENTS, SESSIONS, SNAPSHOTS, STATS
from streamwatch.analytics.projection import Projection
from streamwatch.domain.progress import Progress

log = logging.getLogger(__name__)

_OLD_COLLECTIONS = ("streamers", "streamer_months", "tickets")
_OLD_INDEXES = {
    EVENTS: (
        "stream_id_1_broadcaster_id_1_at_1",
        "broadcaster_id_1_started_at_1_stream_id_1_at_1",
    ),
    SNAPSHOTS: ("broadcaster_id_1_captured_at_1",),
    SESSIONS: ("broadcaster_id_1_ended_at_1", "broadcaster_id_1_month_1"),
}


def migrate(connection: Connection, projection: Projection, progress: Progress) -> list[str]:
    """See AnalyticsStore.migrate. A streamer whom a worker projects meanwhile is not disturbed. One
    who cannot be converted is logged and left out, and tried again the next time."""
    with connection.reading():
        old = {"version": {"$exists": False}}
        user_ids = [item["_id"] for item in connection.collection(STATS).find(old, {"_id": 1})]
    converted = 0
    for number, user_id in enumerate(user_ids, 1):
        try:
            with connection.writing():
                projection.migrate(user_id)
            converted += 1
        except AnalyticsUnavailable:
            raise
        except AnalyticsError as error:
            log.warning("MongoDB: user %s could not be converted: %s", user_id, error)
        progress(number, len(user_ids))
    with connection.writing():
        dropped = _drop_old(connection)
    done = []
    if converted:
        done.append(f"MongoDB: converted the sessions and statistics of {converted} streamers")
    if dropped:
        done.append(f"MongoDB: dropped the unused collections {', '.join(dropped)}")
    return done


def _drop_old(connection: Connection) -> list[str]:
    found = set(connection.database.list_collection_names())
    for name, indexes in _OLD_INDEXES.items():
        collection = connection.collection(name)
        known = collection.index_information() if name in found else {}
        for index in known.keys() & set(indexes):
            try:
                collection.drop_index(index)
            except OperationFailure:
                if index in collection.index_information():
                    raise  # else another process was faster
    dropped = [name for name in _OLD_COLLECTIONS if name in found]
    for name in dropped:
        connection.database.drop_collection(name)
    return dropped
