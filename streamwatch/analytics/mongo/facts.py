"""The facts of streamers in MongoDB, and those among them that decide how a session is.

However long a streamer's history is, a session depends on few facts (see `domain.sessions`): its
stream's own; the first offline without a name since the stream last went on, with the online that
tells whose that is; and the online of the stream that started last, which tells whether this one
can be on at all. They are found by index, and the rule is left to the domain.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from pymongo import ASCENDING, DESCENDING, InsertOne, UpdateOne
from pymongo.collection import Collection

from streamwatch.analytics.mongo.codec import fact_from, fact_value
from streamwatch.analytics.mongo.connection import AT_ONCE, Connection, Document, write_all
from streamwatch.analytics.mongo.schema import EVENTS
from streamwatch.domain.sessions import Kind, SessionEvent, spans

Key = TypeVar("Key")

Moment = tuple[str, datetime]
"""A streamer's user id, and a time."""

_EVER = datetime.min.replace(tzinfo=UTC)
_FOREVER = datetime.max.replace(microsecond=0, tzinfo=UTC)

_OF_STREAMER: Document = {"$eq": ["$broadcaster_id", "$$user_id"]}
_UNNAMED: Document = {"$eq": ["$stream_id", None]}
_BY_TIME = {"at": ASCENDING}
_BY_START = {"started_at": ASCENDING, "stream_id": ASCENDING}
_BY_START_BACK = {"started_at": DESCENDING, "stream_id": DESCENDING}


class Facts:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def keep(self, facts: Iterable[SessionEvent]) -> None:
        """Add facts; those that are known stay as they are."""
        write_all(self._events, [_addition(fact) for fact in facts])

    def of_streamer(self, user_id: str) -> list[SessionEvent]:
        return [fact_from(value) for value in self._events.find({"broadcaster_id": user_id})]

    def of_streams(self, stream_ids: Iterable[str], user_ids: Iterable[str]) -> list[SessionEvent]:
        """The facts that name these streams, all of these streamers."""
        query = {
            "stream_id": {"$in": list(stream_ids)},
            "broadcaster_id": {"$in": list(user_ids)},
        }
        return [fact_from(value) for value in self._events.find(query, batch_size=AT_ONCE)]

    def deciding(
        self, own: dict[str, list[SessionEvent]], latest: dict[str, SessionEvent]
    ) -> dict[str, list[SessionEvent]]:
        """The facts that decide the sessions of streams: their own, and those around them. `latest`
        has an online of the stream that started last, by user id. Nothing for a stream that nobody
        saw on."""
        found = {stream_id: spans(facts).get(stream_id) for stream_id, facts in own.items()}
        on = {stream_id: span for stream_id, span in found.items() if span}
        ends = self._unnamed_offlines(
            {stream_id: (span.broadcaster_id, span.online_at) for stream_id, span in on.items()}
        )
        whose = self.started_last(
            {stream_id: (end.broadcaster_id, end.at) for stream_id, end in ends.items()}
        )
        around = [{key: latest[span.broadcaster_id] for key, span in on.items()}, ends, whose]
        return {
            stream_id: [
                *own[stream_id],
                *(facts[stream_id] for facts in around if stream_id in facts),
            ]
            for stream_id in on
        }

    def latest(self, user_ids: Iterable[str]) -> dict[str, SessionEvent]:
        """An online of the stream that started last, by user id."""
        return self.started_last({user_id: (user_id, _FOREVER) for user_id in user_ids})

    def started_last(self, moments: dict[Key, Moment]) -> dict[Key, SessionEvent]:
        """For each moment an online of the stream that, of those heard of by then, started last."""
        by_then: list[Document] = [  # an online is no earlier than the start it tells
            {"$gte": ["$started_at", _EVER]},
            {"$lte": ["$started_at", "$$at"]},
            {"$lte": ["$at", "$$at"]},
        ]
        first: list[Document] = [{"$sort": _BY_START_BACK}, {"$limit": 1}]
        return _firsts(self._of_each(moments, [_OF_STREAMER, *by_then], first))

    def _unnamed_offlines(self, moments: dict[Key, Moment]) -> dict[Key, SessionEvent]:
        """For each moment the first offline without a name since then. Most streamers have none."""
        since = [_OF_STREAMER, _UNNAMED, {"$gte": ["$at", "$$at"]}]
        first: list[Document] = [{"$sort": _BY_TIME}, {"$limit": 1}]
        earliest: dict[str, Moment] = {}
        for user_id, at in moments.values():
            earliest[user_id] = min((user_id, at), earliest.get(user_id, (user_id, at)))
        some = _firsts(self._of_each(earliest, since, first))
        among = {key: moment for key, moment in moments.items() if moment[0] in some}
        return _firsts(self._of_each(among, since, first))

    def unnamed_offlines_after(self, onlines: Sequence[SessionEvent]) -> list[Moment]:
        """The offlines without a name that each of these onlines keeps from ending streams that
        started earlier: those after it that no later-started stream keeps from it."""
        since = {online.id: (online.broadcaster_id, online.at) for online in onlines}
        followed = self._unnamed_offlines(since)
        onlines = [online for online in onlines if online.id in followed]
        until = self._next_onlines(onlines)
        found = self._of_each(
            {online.id: since[online.id] for online in onlines},
            [_OF_STREAMER, _UNNAMED, {"$gte": ["$at", "$$at"]}, {"$lt": ["$at", "$$until"]}],
            [],
            {online.id: {"until": until.get(online.id, _FOREVER)} for online in onlines},
        )
        return [(fact.broadcaster_id, fact.at) for facts in found.values() for fact in facts]

    def _next_onlines(self, onlines: Sequence[SessionEvent]) -> dict[str, datetime]:
        """When a stream that started later was first heard of, by the id of the online. Onlines are
        no earlier than the starts they tell: the first cannot have started after the first by start
        was heard of."""
        moments = {online.id: (online.broadcaster_id, online.key[0]) for online in onlines}
        own = {online.id: {"stream_id": online.stream_id} for online in onlines}
        later: list[Document] = [
            _OF_STREAMER,
            {"$gte": ["$started_at", "$$at"]},
            {"$ne": ["$stream_id", "$$stream_id"]},
            {
                "$or": [
                    {"$gt": ["$started_at", "$$at"]},
                    {"$gt": ["$stream_id", "$$stream_id"]},
                ]
            },
        ]
        by_start: list[Document] = [{"$sort": _BY_START}, {"$limit": 1}]
        heard = {
            key: one.at
            for key, one in _firsts(self._of_each(moments, later, by_start, own)).items()
        }
        by_then = {key: own[key] | {"heard": at} for key, at in heard.items()}
        found = self._of_each(
            {key: moments[key] for key in heard},
            [*later, {"$lte": ["$started_at", "$$heard"]}],
            [{"$sort": _BY_TIME}, {"$limit": 1}],
            by_then,
        )
        return {key: one.at for key, one in _firsts(found).items()}

    def _of_each(
        self,
        moments: dict[Key, Moment],
        conditions: Sequence[Document],
        then: Sequence[Document],
        more: dict[Key, Document] | None = None,
    ) -> dict[Key, list[SessionEvent]]:
        """For each moment the facts under these conditions, in which it is `$$user_id` and `$$at`,
        beside what `more` names. One round trip, and one look into an index for each."""
        if not moments:
            return {}
        asked = [
            {"user_id": user_id, "at": at, **(more[key] if more else {})}
            for key, (user_id, at) in moments.items()
        ]
        lookup = {
            "from": EVENTS,
            "let": {name: f"${name}" for name in asked[0]},
            "pipeline": [{"$match": {"$expr": {"$and": list(conditions)}}}, *then],
            "as": "facts",
        }
        answers = self._connection.database.aggregate(
            [{"$documents": asked}, {"$lookup": lookup}], batchSize=AT_ONCE
        )
        return {
            key: [fact_from(value) for value in answer["facts"]]
            for key, answer in zip(moments, answers, strict=True)
        }

    @property
    def _events(self) -> Collection[Document]:
        return self._connection.collection(EVENTS)


def _firsts(found: dict[Key, list[SessionEvent]]) -> dict[Key, SessionEvent]:
    return {key: facts[0] for key, facts in found.items() if facts}


def _addition(fact: SessionEvent) -> InsertOne[Document] | UpdateOne:
    """An insert, which fails where the fact is known. Of SEEN the earlier is kept, as in
    `domain.sessions.merged`."""
    value = fact_value(fact)
    if fact.kind is not Kind.SEEN:
        return InsertOne({"_id": fact.id, **value})
    key = {"_id": fact.id, "broadcaster_id": value.pop("broadcaster_id")}
    least = {name: value.pop(name) for name in ("at", "started_at")}
    return UpdateOne(key, {"$min": least, "$setOnInsert": value}, upsert=True)
