"""The analytics in MongoDB: what the port promises, on the collections of `schema`."""

from collections.abc import Callable, Iterator
from collections.abc import Collection as Items
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Self

from pymongo import ASCENDING, DESCENDING
from pymongo.collection import Collection
from pymongo.cursor import Cursor

from streamwatch.analytics.base import AnalyticsStore
from streamwatch.analytics.mongo import schema
from streamwatch.analytics.mongo.codec import (
    Document,
    decode_categories,
    decode_rank,
    decode_sample,
    decode_session,
    decode_stats,
    decode_summary,
)
from streamwatch.analytics.mongo.connection import (
    Client,
    Connection,
    check_url,
    client_maker,
    items,
)
from streamwatch.analytics.mongo.migration import migrate
from streamwatch.analytics.mongo.repository import BATCH_SIZE, MongoRepository
from streamwatch.analytics.projection import Projection
from streamwatch.domain.models import StreamSnapshot
from streamwatch.domain.positions import Position
from streamwatch.domain.progress import Progress
from streamwatch.domain.session_events import ProjectionInput
from streamwatch.domain.sessions import StreamSession
from streamwatch.domain.statistics import CategorySums, Sums
from streamwatch.domain.totals import (
    CategoryRank,
    Ranking,
    StreamerStats,
    Summary,
    summary,
    watched_since,
)
from streamwatch.settings import Settings

_RANKED_BY = {
    Ranking.HOURS: "airtime_ms",
    Ranking.WATCHED: "viewer_ms",
    Ranking.PEAK: "max_viewers",
    Ranking.AVERAGE: "average",
}
_COUNTS = ("streams", "ended_streams", "airtime_ms", "ended_airtime_ms")
_SUMS = tuple(field.name for field in fields(Sums))
_NEWEST_FIRST = [("started_at", DESCENDING), ("_id", DESCENDING)]


class MongoAnalytics(MongoRepository, AnalyticsStore):
    """Connects when it is first used, in each process anew. `make_client` replaces the client of
    `url` in tests."""

    def __init__(
        self,
        url: str,
        database: str,
        sample_cap: timedelta,
        retention: timedelta | None = None,
        make_client: Callable[[], Client] | None = None,
    ) -> None:
        super().__init__(Connection(make_client or client_maker(url), database))
        self._retention = retention
        self._projection = Projection(self, sample_cap)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        check_url(settings.mongodb_url)
        return cls(
            settings.mongodb_url,
            settings.mongodb_database,
            settings.sample_cap,
            settings.snapshot_retention,
        )

    def ping(self) -> None:
        self._connection.ping()

    def prepare(self) -> None:
        with self._connection.writing(schema.PREPARE_SECONDS):
            schema.prepare(self._connection, self._retention)

    def migrate(self, progress: Progress = lambda _done, _total: None) -> list[str]:
        return migrate(self._connection, self._projection, progress)

    def close(self) -> None:
        self._connection.close()

    def project(self, new: ProjectionInput) -> None:
        with self._connection.writing():
            self._projection.project(new)

    def recalculate(self, user_id: str) -> None:
        with self._connection.writing():
            self._projection.recalculate(user_id)

    # One streamer

    def find(self, login: str) -> StreamerStats | None:
        newest = [("updated_at", DESCENDING)]
        with self._connection.reading():
            found = (
                self._stats.find({"broadcaster_login": login}, _TOTALS_ONLY).sort(newest).limit(1)
            )
            return next(self._decoded("statistics", found, decode_stats), None)

    def sessions(
        self, user_id: str, limit: int, after: Position | None = None
    ) -> list[StreamSession]:
        with self._connection.reading():
            found = self._newest_sessions(user_id, None, after).limit(limit)
            return list(self._decoded("session", found, decode_session))

    def each_session(
        self, user_id: str, since: datetime | None = None, after: Position | None = None
    ) -> Iterator[StreamSession]:
        found = self._newest_sessions(user_id, since, after)
        return items(self._connection, self._decoded("session", found, decode_session))

    def _newest_sessions(
        self, user_id: str, since: datetime | None, after: Position | None
    ) -> Cursor[Document]:
        query = {"broadcaster_id": user_id, **_is_after(after, "started_at", "_id")}
        if since is not None:
            query["started_at"] = {**query.get("started_at", {}), "$gte": since}
        return self._sessions.find(query).sort(_NEWEST_FIRST)

    def session(self, stream_id: str) -> StreamSession | None:
        with self._connection.reading():
            found = self._sessions.find({"_id": stream_id}).limit(1)
            return next(self._decoded("session", found, decode_session), None)

    def sessions_of_streams(self, stream_ids: Items[str]) -> list[StreamSession]:
        with self._connection.reading():
            found = self._sessions.find({"_id": {"$in": [*stream_ids]}})
            return list(self._decoded("session", found, decode_session))

    def categories(self, user_id: str) -> list[CategorySums]:
        with self._connection.reading():
            found = self._stats.find({"_id": user_id}, {"categories": 1}).limit(1)
            return next(self._decoded("categories", found, decode_categories), [])

    # All streamers: sums over one document a streamer, or the first by an index

    def summary(self) -> Summary:
        with self._connection.reading():
            found = self._stats.aggregate([{"$group": _SUMMARY}])
            if sums := next(self._decoded("sums of statistics:", found, decode_summary), None):
                return sums
            everyone = self._decoded("statistics", self._stats.find({}, _TOTALS_ONLY), decode_stats)
            return summary(stats.totals for stats in everyone)

    def user_ids(self) -> list[str]:
        with self._connection.reading():
            found = self._stats.find({}, {"_id": 1}).sort("_id", ASCENDING).hint("_id_")
            return [document["_id"] for document in found]

    def watched_since(self, since: datetime) -> int:
        was_on = {"$or": [{"ended_at": None}, {"ended_at": {"$gte": since}}]}
        with self._connection.reading():
            found = self._sessions.find(was_on, batch_size=BATCH_SIZE)
            return watched_since(self._decoded("session", found, decode_session), since)

    def top(self, ranking: Ranking, limit: int) -> list[StreamerStats]:
        order = [(_RANKED_BY[ranking], DESCENDING), ("_id", ASCENDING)]
        with self._connection.reading():
            found = self._stats.find({}, _TOTALS_ONLY).sort(order).limit(limit)
            return list(self._decoded("statistics", found, decode_stats))

    def top_categories(self, limit: int) -> list[CategoryRank]:
        pipeline: list[Document] = [
            {"$unwind": "$categories"},
            {"$group": _CATEGORY_RANKS},
            {"$sort": {"viewer_ms": DESCENDING, "_id": ASCENDING}},
            {"$limit": limit},
        ]
        with self._connection.reading():
            found = self._stats.aggregate(pipeline)
            return list(self._decoded("category", found, decode_rank))

    # Samples

    def snapshots(
        self, user_id: str | None, limit: int, after: Position | None = None
    ) -> list[StreamSnapshot]:
        with self._connection.reading():
            found = self._newest_samples(user_id, after).limit(limit)
            return list(self._decoded("sample", found, decode_sample))

    def samples(self, stream_id: str) -> list[StreamSnapshot]:
        snapshots = self._collection(schema.SNAPSHOTS)
        with self._connection.reading():
            found = snapshots.find({"stream_id": stream_id}).sort("captured_at", ASCENDING)
            return list(self._decoded("sample", found, decode_sample))

    def each_snapshot(
        self, user_id: str | None, after: Position | None = None
    ) -> Iterator[StreamSnapshot]:
        found = self._newest_samples(user_id, after)
        return items(self._connection, self._decoded("sample", found, decode_sample))

    def _newest_samples(self, user_id: str | None, after: Position | None) -> Cursor[Document]:
        query = _is_after(after, "captured_at", "stream_id")
        if user_id is not None:
            query["broadcaster_id"] = user_id
        newest = [("captured_at", DESCENDING), ("stream_id", DESCENDING)]
        return self._collection(schema.SNAPSHOTS).find(query).sort(newest)

    @property
    def _stats(self) -> Collection[Document]:
        return self._collection(schema.STATS)

    @property
    def _sessions(self) -> Collection[Document]:
        return self._collection(schema.SESSIONS)


def _is_after(position: Position | None, time: str, item_id: str) -> Document:
    """The query for documents after a position by these fields, the greatest first."""
    if position is None:
        return {}
    return {
        time: {"$lte": position.at},  # bounds the scan of the index
        "$or": [{time: {"$lt": position.at}}, {item_id: {"$lt": position.id}}],
    }


def _sums_of(prefix: str, names: tuple[str, ...]) -> Document:
    return {
        name: {"$max" if name == "max_viewers" else "$sum": f"${prefix}{name}"} for name in names
    }


_TOTALS_ONLY = {"state": 0, "categories": 0}
"""Statistics are read without these fields, which only the projection and `categories` need."""

_SUMMARY: Document = {
    "_id": None,
    "streamers": {"$sum": 1},
    "last_stream_at": {"$max": "$last_stream_at"},
    "last_live_at": {"$max": "$last_live_at"},
    **_sums_of("", _COUNTS + _SUMS),
}

_CATEGORY_RANKS: Document = {
    "_id": "$categories.category_id",
    "streamers": {"$sum": 1},
    "category_name": {"$max": "$categories.category_name"},
    **_sums_of("categories.", _SUMS),
}
