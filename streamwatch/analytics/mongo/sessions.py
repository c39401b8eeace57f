"""Sessions in MongoDB, and the samples that they are made of."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from pymongo import DESCENDING, InsertOne
from pymongo.collection import Collection

from streamwatch.analytics.mongo.codec import (
    sample_from,
    sample_value,
    session_from,
    session_value,
)
from streamwatch.analytics.mongo.connection import (
    AT_ONCE,
    Connection,
    Document,
    add_all,
    newer,
    write_all,
)
from streamwatch.analytics.mongo.schema import SESSIONS, SNAPSHOTS
from streamwatch.analytics.mongo.sums import OF_SESSIONS, totals_by_user
from streamwatch.domain.batches import batched
from streamwatch.domain.models import StreamSnapshot
from streamwatch.domain.sessions import SessionEvent, StreamSession, session, spans
from streamwatch.domain.statistics import quarter_of
from streamwatch.domain.times import format_time
from streamwatch.domain.totals import Totals

MADE_AT_ONCE = 250
"""How many sessions are made at once, so that not too many samples are held in memory."""

_NEWEST_FIRST = [("started_at", DESCENDING), ("_id", DESCENDING)]


class Sessions:
    def __init__(self, connection: Connection, cap: timedelta) -> None:
        self._connection = connection
        self._cap = cap

    def keep(self, samples: Iterable[StreamSnapshot]) -> None:
        """Add samples; those that are known stay as they are."""
        write_all(self._snapshots, [_addition(sample) for sample in samples])

    def renew(self, deciding: dict[str, list[SessionEvent]], ticket: int) -> None:
        """Make the sessions of these streams anew of the facts that decide them."""
        for some in batched(deciding, MADE_AT_ONCE):
            self._renew({stream_id: deciding[stream_id] for stream_id in some}, ticket)

    def _renew(self, deciding: dict[str, list[SessionEvent]], ticket: int) -> None:
        of_these = {
            "stream_id": {"$in": list(deciding)},
            "broadcaster_id": {"$in": [facts[0].broadcaster_id for facts in deciding.values()]},
        }
        samples = defaultdict(list)
        for value in self._snapshots.find(of_these, batch_size=AT_ONCE):
            samples[value["stream_id"]].append(sample_from(value))
        found = self._sessions.find({"_id": of_these["stream_id"]}, batch_size=AT_ONCE)
        before = {value["_id"]: session_from(value) for value in found}
        made = [
            session(
                spans(facts)[stream_id],
                facts,
                samples[stream_id],
                self._cap,
                before.get(stream_id),
            )
            for stream_id, facts in deciding.items()
        ]
        self._write([session_value(one, ticket) for one in made], set(before))

    def _write(self, values: list[Document], known: set[str]) -> None:
        """Insert what is not known, which MongoDB does several times as fast as it updates, and
        update the rest, with what another process was faster to insert."""
        known |= add_all(self._sessions, [one for one in values if one["_id"] not in known])
        updates = [
            newer({name: one[name] for name in ("_id", "broadcaster_id")}, one, stays="month")
            for one in values
            if one["_id"] in known
        ]
        write_all(self._sessions, updates)

    def ending_at(
        self, user_ids: Iterable[str], moments: Iterable[tuple[str, datetime]]
    ) -> set[str]:
        """The streams of `user_ids` that are stored as ongoing, and those of a streamer that are
        stored as ended at a time."""
        query = [
            {"broadcaster_id": {"$in": list(user_ids)}, "ended_at": None},
            *({"broadcaster_id": user_id, "ended_at": at} for user_id, at in moments),
        ]
        found = self._sessions.find({"$or": query}, {"_id": 1}, batch_size=AT_ONCE)
        return {value["_id"] for value in found}

    def one(self, stream_id: str) -> StreamSession | None:
        value = self._sessions.find_one({"_id": stream_id})
        return session_from(value) if value else None

    def watched_since(self, since: datetime) -> int:
        """Viewers times milliseconds of the quarters of an hour from `since` on."""
        quarters = {
            "$filter": {
                "input": "$quarters",
                "cond": {"$gte": ["$$this.quarter", quarter_of(since)]},
            }
        }
        watched = {"$sum": {"$map": {"input": quarters, "in": "$$this.viewer_ms"}}}
        pipeline: list[Document] = [
            {"$match": {"$or": [{"ended_at": None}, {"ended_at": {"$gte": since}}]}},
            {"$group": {"_id": None, "watched": {"$sum": watched}}},
        ]
        found = next(iter(self._sessions.aggregate(pipeline)), None)
        return int(found["watched"]) if found else 0

    def newest(self, user_id: str, limit: int) -> list[StreamSession]:
        found = self._sessions.find({"broadcaster_id": user_id}).sort(_NEWEST_FIRST).limit(limit)
        return [session_from(value) for value in found]

    def each(self, user_id: str, since: datetime | None) -> Iterator[StreamSession]:
        query: Document = {"broadcaster_id": user_id}
        if since is not None:
            query["started_at"] = {"$gte": since}
        for value in self._sessions.find(query).sort(_NEWEST_FIRST):
            yield session_from(value)

    def totals(self, user_id: str, since: datetime, until: datetime) -> Totals:
        """What a streamer's sessions add up to that started in [since, until)."""
        match = {"broadcaster_id": user_id, "started_at": {"$gte": since, "$lt": until}}
        return totals_by_user(self._sessions, match, OF_SESSIONS).get(user_id, Totals())

    @property
    def _snapshots(self) -> Collection[Document]:
        return self._connection.collection(SNAPSHOTS)

    @property
    def _sessions(self) -> Collection[Document]:
        return self._connection.collection(SESSIONS)


def _addition(sample: StreamSnapshot) -> InsertOne[Document]:
    """An insert, which fails where the sample is known."""
    sample_id = f"{sample.stream_id}:{format_time(sample.captured_at)}"
    return InsertOne({"_id": sample_id, **sample_value(sample)})
