"""The feed as a Redis Stream, with a consumer group for each reader."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from streamwatch.storage.base import (
    DeadLetter,
    Feed,
    FeedEntry,
    ReaderState,
    Tail,
    UnreadableRecord,
)
from streamwatch.storage.redis import codec, keys
from streamwatch.storage.redis.connection import Connection, load_script

CONSUMER_GONE_SECONDS = 24 * 3600
"""A consumer that has not read for so long is assumed to belong to a process that has ended."""

_ID = re.compile(r"\d{1,15}-\d{1,15}", re.ASCII)
"""An id that Redis assigned: milliseconds since 1970, and a sequence number within them."""


class RedisFeed(Feed):
    def __init__(self, connection: Connection) -> None:
        self._redis = connection
        self._register = load_script("feed_register")
        self._read = load_script("feed_read")
        self._add_dead_letter = load_script("feed_add_dead_letter")
        self._tail = load_script("feed_tail")
        self._trim = load_script("feed_trim")

    def register(self, reader: str) -> None:
        self._redis.run(self._register, [keys.FEED], [reader])

    def read(
        self, reader: str, consumer: str, count: int, *, reclaim_seconds: float
    ) -> list[FeedEntry]:
        self.register(reader)
        arguments = [reader, consumer, count, int(reclaim_seconds * 1000)]
        return [_entry(*item) for item in self._redis.run(self._read, [keys.FEED], arguments)]

    def acknowledge(self, reader: str, ids: Sequence[str]) -> None:
        if ids:
            self._redis.call("XACK", keys.FEED, reader, *ids)

    def add_dead_letter(self, reader: str, entry: FeedEntry, error: str, at: datetime) -> None:
        self._redis.run(
            self._add_dead_letter,
            [keys.FEED, keys.dead_letters(reader)],
            [reader, entry.id, codec.failure_value(error, at)],
        )

    def dead_letters(self, reader: str) -> list[DeadLetter]:
        stored: dict[bytes, bytes] = self._redis.call("HGETALL", keys.dead_letters(reader))
        entries = [codec.read_dead_letter(reader, *item) for item in stored.items()]
        return sorted(entries, key=lambda entry: _order(entry.id))

    def drop_dead_letters(self, reader: str, ids: Sequence[str]) -> None:
        if ids:
            self._redis.call("HDEL", keys.dead_letters(reader), *ids)

    def trim(self, keep: int = 0) -> int:
        arguments = [CONSUMER_GONE_SECONDS * 1000, keep]
        dropped: int = self._redis.run(self._trim, [keys.FEED], arguments)
        return dropped

    def last_id(self) -> str | None:
        if not self._redis.call("EXISTS", keys.FEED):
            return None
        last: bytes = self._redis.call("XINFO STREAM", keys.FEED)["last-generated-id"]
        return None if last == b"0-0" else last.decode()

    def tail(self, after: str | None, count: int) -> Tail:
        known = after if after and _ID.fullmatch(after) else ""
        complete, items = self._redis.run(self._tail, [keys.FEED], [known, count])
        entries = [_entry(entry_id, 1, record) for entry_id, record in items]
        return Tail(entries, complete=after is None or bool(complete))

    def length(self) -> int:
        length: int = self._redis.call("XLEN", keys.FEED)
        return length

    def readers(self) -> list[ReaderState]:
        if not self._redis.call("EXISTS", keys.FEED):
            return []
        groups = self._redis.call("XINFO GROUPS", keys.FEED)
        names = [group["name"].decode() for group in groups]
        dead_letters = self._redis.call_all([("HLEN", keys.dead_letters(name)) for name in names])
        states = [
            ReaderState(name, self._lag(group), group["pending"], count)
            for name, group, count in zip(names, groups, dead_letters, strict=True)
        ]
        return sorted(states, key=lambda state: state.name)

    def _lag(self, group: dict[str, Any]) -> int:
        """The lag that Redis reports, or else a count: Redis does not report it after entries in
        the middle were deleted, and some servers never do."""
        lag: int | None = group.get("lag")
        if lag is None:
            after = b"(" + group["last-delivered-id"]
            return len(self._redis.call("XRANGE", keys.FEED, after, "+"))
        return lag


def _entry(entry_id: bytes, tries: int, record: bytes) -> FeedEntry:
    try:
        return FeedEntry(entry_id.decode(), codec.read_record(record), tries)
    except UnreadableRecord as error:
        return FeedEntry(entry_id.decode(), None, tries, str(error))


def _order(entry_id: str) -> tuple[int, int]:
    time, _, sequence = entry_id.partition("-")
    return int(time), int(sequence)
