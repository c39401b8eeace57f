"""The analytics in MongoDB: what the port promises, on the collections of `schema`."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Self, TypeVar, cast

from pymongo import ASCENDING, DESCENDING
from pymongo.collection import Collection
from pymongo.cursor import Cursor

from streamwatch.analytics.base import AnalyticsStore
from streamwatch.analytics.mongo import schema
from streamwatch.analytics.mongo.codec import (
    category_from,
    sample_from,
    stats_from,
    totals_from,
)
from streamwatch.analytics.mongo.connection import (
    WRITE_SECONDS,
    Connection,
    Document,
    within,
)
from streamwatch.analytics.mongo.projection import Projection
from streamwatch.analytics.mongo.sessions import Sessions
from streamwatch.analytics.mongo.sums import OF_TOTALS, sums_of
from streamwatch.domain.models import StreamSnapshot
from streamwatch.domain.sessions import ProjectionInput, StreamSession
from streamwatch.domain.statistics import CategorySums
from streamwatch.domain.totals import GameSums, Ranking, StreamerStats, Summary, Totals
from streamwatch.settings import Settings

Thing = TypeVar("Thing")

_RANKED_BY = {
    Ranking.HOURS: "airtime_ms",
    Ranking.WATCHED: "viewer_ms",
    Ranking.PEAK: "max_viewers",
    Ranking.AVERAGE: "average",
}


class MongoAnalytics(AnalyticsStore):
    """Connects when it is first used, in each process anew."""

    def __init__(
        self, url: str, database: str, sample_cap: timedelta, retention: timedelta | None = None
    ) -> None:
        self._connection = Connection(url, database)
        self._retention = retention
        self._sessions = Sessions(self._connection, sample_cap)
        self._projection = Projection(self._connection, sample_cap)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        days = settings.snapshot_retention_days
        return cls(
            url=settings.mongodb_url,
            database=settings.mongodb_database,
            sample_cap=timedelta(seconds=settings.sample_cap_seconds),
            retention=timedelta(days=days) if days else None,
        )

    def ping(self) -> None:
        with self._connection.reading():
            self._connection.database.command("ping")

    def prepare(self) -> None:
        with self._working(schema.PREPARE_SECONDS):
            schema.prepare(self._connection, self._retention)

    def close(self) -> None:
        self._connection.close()

    # Writing

    def project(self, observed: ProjectionInput) -> None:
        with self._working(WRITE_SECONDS):
            self._projection.project(observed)

    def recalculate(self, user_id: str) -> None:
        with self._working(WRITE_SECONDS):
            self._projection.recalculate(user_id)

    @contextmanager
    def _working(self, seconds: float) -> Iterator[None]:
        """For what may take longer than a read, unless the database does not answer at all."""
        self.ping()
        with within(seconds):
            yield

    # One streamer's

    def find(self, login: str) -> StreamerStats | None:
        with self._connection.reading():
            newest = [("updated_at", DESCENDING)]
            value = self._stats.find_one({"broadcaster_login": login}, sort=newest)
            return stats_from(value) if value else None

    def sessions(self, user_id: str, limit: int) -> list[StreamSession]:
        with self._connection.reading():
            return self._sessions.newest(user_id, limit)

    def each_session(self, user_id: str, since: datetime | None = None) -> Iterator[StreamSession]:
        return _each(self._connection, self._sessions.each(user_id, since))

    def session(self, stream_id: str) -> StreamSession | None:
        with self._connection.reading():
            return self._sessions.one(stream_id)

    def totals(self, user_id: str, since: datetime, until: datetime) -> Totals:
        with self._connection.reading():
            return self._sessions.totals(user_id, since, until)

    def categories(self, user_id: str) -> list[CategorySums]:
        with self._connection.reading():
            value = self._stats.find_one({"_id": user_id}, {"categories": 1})
            return [category_from(one) for one in value["categories"]] if value else []

    # Everyone's: one document a streamer

    def summary(self) -> Summary:
        with self._connection.reading():
            found = next(iter(self._stats.aggregate([{"$group": _SUMMARY}])), None)
            return Summary(found["streamers"], totals_from(found)) if found else Summary()

    def user_ids(self) -> list[str]:
        with self._connection.reading():
            found = self._stats.find({}, {"_id": 1}).sort("_id", ASCENDING).hint("_id_")
            return [value["_id"] for value in found]

    def watched_since(self, since: datetime) -> int:
        with self._connection.reading():
            return self._sessions.watched_since(since)

    def top(self, ranking: Ranking, limit: int) -> list[StreamerStats]:
        order = [(_RANKED_BY[ranking], DESCENDING), ("_id", ASCENDING)]
        with self._connection.reading():
            return [stats_from(value) for value in self._stats.find().sort(order).limit(limit)]

    def top_games(self, limit: int) -> list[GameSums]:
        pipeline: list[Document] = [
            {"$unwind": "$categories"},
            {"$group": _GAMES},
            {"$sort": {"viewer_ms": DESCENDING, "_id": ASCENDING}},
            {"$limit": limit},
        ]
        with self._connection.reading():
            return [
                GameSums(value["streamers"], category_from(value | {"category_id": value["_id"]}))
                for value in self._stats.aggregate(pipeline)
            ]

    # Samples

    def snapshots(self, user_id: str | None, limit: int) -> list[StreamSnapshot]:
        with self._connection.reading():
            return [sample_from(value) for value in self._newest_snapshots(user_id).limit(limit)]

    def samples(self, stream_id: str) -> list[StreamSnapshot]:
        snapshots = self._connection.collection(schema.SNAPSHOTS)
        with self._connection.reading():
            found = snapshots.find({"stream_id": stream_id}).sort("captured_at", ASCENDING)
            return [sample_from(value) for value in found]

    def each_snapshot(self, user_id: str | None) -> Iterator[StreamSnapshot]:
        return _each(self._connection, map(sample_from, self._newest_snapshots(user_id)))

    def _newest_snapshots(self, user_id: str | None) -> Cursor[Document]:
        query = {} if user_id is None else {"broadcaster_id": user_id}
        snapshots = self._connection.collection(schema.SNAPSHOTS)
        return snapshots.find(query).sort("captured_at", DESCENDING)

    @property
    def _stats(self) -> Collection[Document]:
        return self._connection.collection(schema.STATS)


def _each(connection: Connection, things: Iterator[Thing]) -> Iterator[Thing]:
    """The same things, each within the time and with the errors of a read."""
    end = object()
    while True:
        with connection.reading():
            thing = next(things, end)
        if thing is end:
            return
        yield cast("Thing", thing)


_SUMMARY: Document = {"_id": None, "streamers": {"$sum": 1}, **OF_TOTALS}

_GAMES: Document = {
    "_id": "$categories.category_id",
    "streamers": {"$sum": 1},
    "category_name": {"$max": "$categories.category_name"},
    **sums_of("categories."),
}
