"""The facts of streamers in MongoDB, and those among them that decide how a session is.

However long a streamer's history is, a session depends on few facts (see `domain.sessions`): its
stream's own; the first offline without a name since the stream last went on, with the online that
tells whose that is; and the online of the stream that started last, which tells whether this one
can be on at all. They are found by index, and the rule is left to the domain.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from pymongo import ASCENDING, DESCENDING, UpdateOne
from pymongo.collection import Collection

from streamwatch.analytics.mongo.connection import Connection, Document, upsert_all
from streamwatch.analytics.mongo.schema import EVENTS
from streamwatch.analytics.mongo.values import fact_from, fact_value
from streamwatch.domain.sessions import Fact, Kind, spans

_EVER = datetime.min.replace(tzinfo=UTC)
_BY_START = [("started_at", ASCENDING), ("stream_id", ASCENDING)]
_BY_START_BACK = [("started_at", DESCENDING), ("stream_id", DESCENDING)]


class Facts:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def keep(self, facts: Iterable[Fact]) -> None:
        """Add facts; those that are known stay as they are."""
        upsert_all(self._events, [_addition(fact) for fact in facts])

    def of_streamer(self, user_id: str) -> list[Fact]:
        return [fact_from(value) for value in self._events.find({"broadcaster_id": user_id})]

    def of_streams(self, stream_ids: Iterable[str], user_ids: Iterable[str]) -> list[Fact]:
        """The facts that name these streams, all of these streamers."""
        query = {
            "stream_id": {"$in": list(stream_ids)},
            "broadcaster_id": {"$in": list(user_ids)},
        }
        return [fact_from(value) for value in self._events.find(query)]

    def deciding(self, stream_id: str, own: list[Fact], latest: Fact | None) -> list[Fact]:
        """The facts that decide the session of a stream: its own, and those around them. `latest`
        is an online of the stream that started last. [] for a stream that nobody saw on."""
        span = spans(own).get(stream_id)
        if span is None:
            return []
        found = [*own, *([latest] if latest else [])]
        offline = self._unnamed_offline(span.broadcaster_id, span.heard_at)
        if offline is not None:
            found.append(offline)
            found += self.started_last(span.broadcaster_id, offline.at)
        return found

    def latest(self, user_id: str) -> Fact | None:
        """An online of the stream that started last."""
        return next(iter(self.started_last(user_id, None)), None)

    def started_last(self, user_id: str, by: datetime | None) -> list[Fact]:
        """An online of the stream that, of those heard of by a time, started last; or none."""
        query: Document = {"broadcaster_id": user_id, "started_at": {"$gte": _EVER}}
        if by is not None:  # an online is no earlier than the start it tells
            query |= {"started_at": {"$lte": by}, "at": {"$lte": by}}
        return [
            fact_from(value) for value in self._events.find(query).sort(_BY_START_BACK).limit(1)
        ]

    def _unnamed_offline(self, user_id: str, since: datetime) -> Fact | None:
        query = {"stream_id": None, "broadcaster_id": user_id, "at": {"$gte": since}}
        value = self._events.find_one(query, sort=[("at", ASCENDING)])
        return fact_from(value) if value else None

    def unnamed_offlines_after(self, online: Fact) -> list[datetime]:
        """The times of the offlines without a name that an online keeps from ending streams that
        started earlier: those after it that no later-started stream keeps from it."""
        until = self._next_online(online)
        at: Document = {"$gte": online.at} | ({"$lt": until} if until else {})
        query = {"stream_id": None, "broadcaster_id": online.broadcaster_id, "at": at}
        return [value["at"] for value in self._events.find(query, {"at": 1, "_id": 0})]

    def _next_online(self, online: Fact) -> datetime | None:
        """When a stream that started later was first heard of. Onlines are no earlier than the
        starts they tell: the search ends at the first start after the earliest found."""
        earliest: datetime | None = None
        for other in self._started_since(online):
            if earliest is not None and other.key[0] >= earliest:
                break
            if other.stream_id != online.stream_id and other.key > online.key:
                earliest = min(earliest or other.at, other.at)
        return earliest

    def _started_since(self, online: Fact) -> Iterator[Fact]:
        query = {
            "broadcaster_id": online.broadcaster_id,
            "started_at": {"$gte": online.started_at},
        }
        for value in self._events.find(query).sort(_BY_START).batch_size(10):
            yield fact_from(value)

    @property
    def _events(self) -> Collection[Document]:
        return self._connection.collection(EVENTS)


def _addition(fact: Fact) -> UpdateOne:
    """An upsert. Of SEEN the earlier is kept, as in `domain.sessions.merged`."""
    value = fact_value(fact)
    key = {"_id": fact.id, "broadcaster_id": value.pop("broadcaster_id")}
    if fact.kind is not Kind.SEEN:
        return UpdateOne(key, {"$setOnInsert": value}, upsert=True)
    least = {name: value.pop(name) for name in ("at", "started_at")}
    return UpdateOne(key, {"$min": least, "$setOnInsert": value}, upsert=True)
