"""The queue of backfills in Redis."""

from collections.abc import Collection, Mapping
from datetime import datetime

import orjson

from streamwatch.storage.backfills import Backfill, BackfillQueue, BackfillStatus
from streamwatch.storage.redis.codec import microseconds
from streamwatch.storage.redis.codec.reading import Document, reader
from streamwatch.storage.redis.connection import Connection, load_script
from streamwatch.storage.redis.keys import key

QUEUE = key("backfill-queue")
"""A sorted set of entries by the time at which they are due."""

BACKFILLS = key("backfills")
"""A hash of backfills by user id."""


class RedisBackfillQueue(BackfillQueue):
    def __init__(self, connection: Connection) -> None:
        self._redis = connection
        self._claim = load_script("claim_backfill")
        self._finish = load_script("finish_backfill")

    def plan(self, entries: Mapping[str, datetime]) -> None:
        if entries:
            scores = [item for entry, due in entries.items() for item in (microseconds(due), entry)]
            self._redis.call("ZADD", QUEUE, *scores)

    def claim(self, now: datetime, until: datetime) -> str | None:
        arguments = [microseconds(now), microseconds(until)]
        entry: bytes | None = self._redis.run(self._claim, [QUEUE], arguments)
        return entry.decode() if entry else None

    def finish(self, entry: str, until: datetime, user_id: str, backfill: Backfill) -> None:
        arguments = [entry, microseconds(until), user_id, orjson.dumps(backfill)]
        self._redis.run(self._finish, [QUEUE, BACKFILLS], arguments)

    def save(self, backfills: Mapping[str, Backfill]) -> None:
        if backfills:
            fields = [
                item
                for user_id, each in backfills.items()
                for item in (user_id, orjson.dumps(each))
            ]
            self._redis.call("HSET", BACKFILLS, *fields)

    def find(self, user_ids: Collection[str]) -> dict[str, Backfill]:
        if not user_ids:
            return {}
        stored = self._redis.call("HMGET", BACKFILLS, *user_ids)
        return {
            user_id: _read(value)
            for user_id, value in zip(user_ids, stored, strict=True)
            if value is not None
        }


@reader
def _read(value: bytes) -> Backfill:
    document: Document = orjson.loads(value)
    return Backfill(**document | {"status": BackfillStatus(document["status"])})
