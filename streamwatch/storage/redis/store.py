"""The storage in Redis: streamers, statuses and histories."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Self, TypeVar

from streamwatch.domain.batches import batched
from streamwatch.domain.models import (
    Change,
    EventType,
    Streamer,
    StreamEvent,
    StreamStatus,
)
from streamwatch.domain.positions import Position
from streamwatch.settings import Settings, SettingsError
from streamwatch.storage.base import (
    REMOVED_SECONDS,
    STREAMER_TOPICS,
    Committed,
    Lease,
    Lookup,
    Storage,
    StorageReport,
    changed_topics,
)
from streamwatch.storage.redis import codec, keys
from streamwatch.storage.redis.backfills import RedisBackfillQueue
from streamwatch.storage.redis.changes import ChangeChannel, published
from streamwatch.storage.redis.commit import commit_arguments
from streamwatch.storage.redis.connection import Connection, load_script
from streamwatch.storage.redis.coordination import RedisCoordination
from streamwatch.storage.redis.feed import RedisFeed
from streamwatch.storage.redis.notifications import RedisNotificationStore
from streamwatch.storage.redis.server_info import risks, server_name
from streamwatch.storage.sorting import newest_first

Value = TypeVar("Value")

FIELDS_PER_READ = 1000
FIELDS_PER_WRITE = 1000
"""The most hash fields that one command reads or writes. A longer command would delay others."""


class RedisStorage(Storage):
    """Stores the shared data of all processes in Redis.

    A commit whose answer is lost raises StorageUnavailable, although the change may be stored. It
    can be repeated: a stored change is then a DUPLICATE, or a CONFLICT if it has no message id.
    """

    shared = True
    feed: RedisFeed
    coordination: RedisCoordination
    notifications: RedisNotificationStore
    backfills: RedisBackfillQueue

    def __init__(self, connection: Connection, events_kept: int = 1000) -> None:
        self._redis = connection
        self._events_kept = events_kept
        self._add_streamers = load_script("add_streamers")
        self._commit_streamers = load_script("commit_streamers")
        self._remove_streamer = load_script("remove_streamer")
        self._commit = load_script("commit")
        self._history_page = load_script("history_page")
        self._changes = ChangeChannel(connection)
        self.feed = RedisFeed(connection)
        self.coordination = RedisCoordination(connection, self._changes)
        self.notifications = RedisNotificationStore(connection)
        self.backfills = RedisBackfillQueue(connection)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        try:
            connection = Connection.to(settings.redis_url)
        except ValueError as error:
            raise SettingsError([f"REDIS_URL: the value cannot be used ({error})"]) from None
        return cls(connection, settings.events_kept)

    def ping(self) -> None:
        self._redis.call("SET", keys.PING, "", "EX", 60)

    def check(self) -> StorageReport:
        self.ping()
        info = self._redis.info
        return StorageReport(
            server_name(info("server")), risks(info("persistence"), info("memory"))
        )

    def close(self) -> None:
        self._changes.close()
        self._redis.close()

    # Streamers

    def add_streamers(self, streamers: Sequence[Streamer]) -> set[str]:
        if not streamers:
            return set()
        removed = [keys.removed(streamer.user_id) for streamer in streamers]
        added = self._redis.run(
            self._add_streamers,
            [keys.STREAMERS, keys.LOGINS, *removed],
            _add_arguments(streamers),
        )
        self._changes.notify(STREAMER_TOPICS)
        return {user_id.decode() for user_id in added}

    def commit_streamers(self, streamers: Sequence[Streamer]) -> list[Committed]:
        results: list[Committed] = []
        for batch in batched(streamers, FIELDS_PER_WRITE):
            answers = self._redis.run(
                self._commit_streamers, [keys.STREAMERS, keys.LOGINS], _commit_arguments(batch)
            )
            results += [Committed(answer.decode()) for answer in answers]
        self._changes.notify(STREAMER_TOPICS)
        return results

    def remove_streamer(self, user_id: str) -> Streamer | None:
        removed = self._redis.run(
            self._remove_streamer,
            [
                keys.STREAMERS,
                keys.STATUS,
                keys.LIVE,
                keys.AWAITING,
                keys.removed(user_id),
                keys.hidden_status(user_id),
            ],
            [*published(STREAMER_TOPICS), user_id, REMOVED_SECONDS],
        )
        self._changes.notify(STREAMER_TOPICS)
        return codec.read_streamer(removed) if removed else None

    def streamers(self) -> list[Streamer]:
        stored = self._redis.call("HVALS", keys.STREAMERS)
        return newest_first(map(codec.read_streamer, stored))

    def streamers_by_id(self, user_ids: Collection[str]) -> dict[str, Streamer]:
        return self._fields(keys.STREAMERS, user_ids, codec.read_streamer)

    def find_streamers(self, logins: Collection[str]) -> dict[str, Streamer]:
        user_ids = self._fields(keys.LOGINS, logins, bytes.decode)
        found = self.streamers_by_id(user_ids.values())
        return {login: found[key] for login, key in user_ids.items() if key in found}

    # Status

    def status(self, user_id: str) -> StreamStatus | None:
        stored = self._redis.call("HGET", keys.STATUS, user_id)
        return codec.read_status(stored) if stored else None

    def find_status(self, login: str) -> StreamStatus | None:
        user_id = self._user_id(login)
        return self.status(user_id) if user_id else None

    def statuses(self, user_ids: Collection[str]) -> dict[str, StreamStatus]:
        known = self._fields(keys.STATUS, user_ids, codec.read_status)
        missing = [user_id for user_id in user_ids if user_id not in known]
        return known | self._hidden_statuses(missing)

    def _hidden_statuses(self, user_ids: list[str]) -> dict[str, StreamStatus]:
        """The hidden statuses of removed streamers. Each is a separate key, so that it expires."""
        found: dict[str, StreamStatus] = {}
        for batch in batched(user_ids, FIELDS_PER_READ):
            stored = self._redis.call("MGET", *map(keys.hidden_status, batch))
            values = {key: value for key, value in zip(batch, stored, strict=True) if value}
            monitored = self.streamers_by_id(values) if values else {}
            found |= {
                user_id: replace(
                    codec.read_status(value),
                    is_removed=user_id not in monitored,
                    is_returning=user_id in monitored,
                )
                for user_id, value in values.items()
            }
        return found

    def live(self) -> list[StreamStatus]:
        user_ids = [key.decode() for key in self._redis.call("ZREVRANGE", keys.LIVE, 0, -1)]
        known = self._fields(keys.STATUS, user_ids, codec.read_status).values()
        return [status for status in known if status.is_live]  # some may have ended meanwhile

    def awaiting_details(self) -> dict[str, datetime]:
        awaiting = self._redis.call("ZRANGE", keys.AWAITING, 0, -1, "WITHSCORES")
        scores = zip(awaiting[::2], awaiting[1::2], strict=True)
        return {key.decode(): codec.time_from(float(score)) for key, score in scores}

    def commit(self, changes: Sequence[Change], lease: Lease | None = None) -> list[Committed]:
        answers = self._redis.run_all(
            self._commit,
            [commit_arguments(change, lease, self._events_kept) for change in changes],
        )
        self._changes.notify(topic for change in changes for topic in changed_topics(change))
        return [Committed(answer.decode()) for answer in answers]

    # History

    def events(self, limit: int, after: Position | None = None) -> list[StreamEvent]:
        return self._newest(keys.EVENTS, limit, after)

    def events_of_type(
        self, event_type: EventType, limit: int, after: Position | None = None
    ) -> list[StreamEvent]:
        return self._newest(keys.events_of_type(event_type), limit, after)

    def events_of_streamer(
        self, login: str, limit: int, after: Position | None = None
    ) -> list[StreamEvent]:
        user_id = self._user_id(login)
        return self._newest(keys.events_of_streamer(user_id), limit, after) if user_id else []

    def _newest(self, history: str, limit: int, after: Position | None) -> list[StreamEvent]:
        if after is None:
            stored = self._redis.call("ZREVRANGE", history, 0, limit - 1, "WITHSCORES")
        else:
            arguments = [codec.microseconds(after.at), codec.history_start(after.id), limit]
            stored = self._redis.run(self._history_page, [history], arguments)
        entries = zip(stored[::2], stored[1::2], strict=True)
        return [codec.read_history_event(value, float(score)) for value, score in entries]

    # Lookups

    def lookup(self, login: str) -> Lookup | None:
        stored = self._redis.call("GET", keys.lookup(login))
        return None if stored is None else codec.read_lookup(login, stored)

    def save_lookup(self, lookup: Lookup, seconds: float) -> None:
        key, value = keys.lookup(lookup.login), codec.lookup_value(lookup)
        self._redis.call("SET", key, value, "PX", codec.milliseconds(seconds))

    def _user_id(self, login: str) -> str | None:
        user_id = self._redis.call("HGET", keys.LOGINS, login)
        return user_id.decode() if user_id else None

    def _fields(
        self, key: str, names: Collection[str], read: Callable[[bytes], Value]
    ) -> dict[str, Value]:
        """The existing fields of a hash among `names`, in the order of `names`."""
        found: dict[str, Value] = {}
        for batch in batched(names, FIELDS_PER_READ):
            stored = self._redis.call("HMGET", key, *batch)
            found |= {
                name: read(value)
                for name, value in zip(batch, stored, strict=True)
                if value is not None
            }
        return found


def _add_arguments(streamers: Sequence[Streamer]) -> list[Any]:
    values = (
        argument
        for streamer in streamers
        for argument in (
            streamer.user_id,
            streamer.login,
            codec.unversioned_streamer_value(streamer),
        )
    )
    return [*published(STREAMER_TOPICS), *values]


def _commit_arguments(streamers: Sequence[Streamer]) -> list[Any]:
    values = (
        argument
        for streamer in streamers
        for argument in (
            streamer.user_id,
            streamer.login,
            streamer.version - 1,
            codec.streamer_value(streamer),
        )
    )
    return [*published(STREAMER_TOPICS), *values]
