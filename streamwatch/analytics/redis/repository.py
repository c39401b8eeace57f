"""The repository in Redis: a streamer is saved by one script, all or nothing."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from importlib.resources import files
from itertools import chain, repeat
from math import inf
from operator import attrgetter
from typing import Any, NamedTuple

from msgspec.json import Decoder, encode

from streamwatch.analytics.base import AnalyticsError, History, Repository
from streamwatch.analytics.reading import ValueReader, state_from_history
from streamwatch.analytics.redis import keys
from streamwatch.analytics.redis.connection import Connection
from streamwatch.analytics.redis.samples import (
    decode_newest_first,
    encode_samples,
    from_ms,
    to_ms,
)
from streamwatch.analytics.state import Statistics, StoredSession, StreamerState, Update
from streamwatch.domain.batches import batched
from streamwatch.domain.models import LONGEST_STREAM, StreamSnapshot
from streamwatch.domain.positions import Position
from streamwatch.domain.session_events import SessionEvent
from streamwatch.domain.sessions import StreamSession
from streamwatch.domain.statistics import milliseconds
from streamwatch.redis_connection import Arguments, Command, Script

SESSIONS_PER_READ, STREAMS_PER_READ = 100, 20
"""How many sessions, and samples of how many streams, are read with one command."""

FIRST_PAGES_OF_SESSIONS = 10, 20, 40, 80
"""The sizes of the first pages of sessions that are read; all others are SESSIONS_PER_READ. Most
callers want the newest few, some all of a year."""


class IndexEntry(NamedTuple):
    """An entry of a sorted set: a stream id, and a time in milliseconds as its score."""

    time: float
    name: str


_SHORTEST_EXPIRY = timedelta(hours=1)
"""The shortest time until samples expire, so that more samples of the stream can be added."""

_STREAM_SPAN = 2 * LONGEST_STREAM
"""Longer than any stream, with a margin for late samples."""

_SAVE = Script("save", (files("streamwatch.analytics.redis") / "save.lua").read_text("utf-8"))

_STATE, _STATISTICS = Decoder(StreamerState), Decoder(Statistics)
_SESSION, _EVENT = Decoder(StreamSession), Decoder(SessionEvent)


class RedisRepository(Repository):
    """Samples are not read once they are older than `retention`, and expire within days of it:
    those of one stream together, after the last."""

    def __init__(
        self, connection: Connection, retention: timedelta | None, clock: Callable[[], datetime]
    ) -> None:
        self._connection = connection
        self._retention = retention
        self._clock = clock
        self._reader = ValueReader("Redis")

    # Used by the projection

    def states(self, user_ids: Collection[str]) -> dict[str, StreamerState]:
        names = [*user_ids]
        versions, documents = self._connection.call_all(
            [("HMGET", keys.VERSIONS, *names), ("HMGET", keys.STATES, *names)]
        )
        return {
            user_id: self._state(user_id, document or b"", version)
            for user_id, version, document in zip(names, versions, documents, strict=True)
            if version is not None
        }

    def _state(self, user_id: str, document: bytes, version: bytes) -> StreamerState:
        if not version.isdigit():  # a save would conflict for ever
            raise AnalyticsError(f"The version of the analytics of user {user_id} is damaged.")
        state = self._reader.read(f"state of user {user_id}", document, _STATE.decode)
        state = state or state_from_history(user_id, self.history(user_id))
        return replace(state, version=int(version))

    def stored_sessions(self, stream_ids: Collection[str]) -> dict[str, StoredSession]:
        return {item.stream_id: StoredSession(item) for item in self.sessions_by_id(stream_ids)}

    def stored_samples(self, stream_ids: Collection[str]) -> dict[str, list[StreamSnapshot]]:
        return {key: list(samples) for key, samples in self.samples_of(stream_ids)}

    def history(self, user_id: str) -> History:
        found = self._connection.call("HGETALL", keys.events(user_id)).items()
        events = self._reader.each(f"event of user {user_id}:", found, _EVENT.decode)
        return History(
            {event.id: event for event in events},
            {item.stream_id: StoredSession(item) for item in self.each_session(user_id)},
        )

    def save(self, updates: Sequence[Update]) -> set[str]:
        merged = self.stored_samples(
            [new.stream_id for update in updates for new in update.samples if not new.follow]
        )
        runs = [self._run(update, merged) for update in updates]
        saved = self._connection.run_all(_SAVE, runs)
        return {update.user_id for update, done in zip(updates, saved, strict=True) if done}

    def _run(self, update: Update, merged: dict[str, list[StreamSnapshot]]) -> Arguments:
        """The KEYS and the ARGV of the save script."""
        state, user_id = update.state, update.user_id
        commands = [*_commands(update), *self._sample_commands(update, merged)]
        login = keys.login(state.identity.latest_name.login)
        names = [keys.VERSIONS, keys.STATES, keys.STATS, login]
        names += dict.fromkeys(str(command[1]) for command in commands)
        arguments: list[Any] = [user_id, state.version or "", update.next_version]
        arguments += [_json(state), _json(state.statistics)]
        for command in commands:
            arguments += [len(command), *command]
        return names, arguments

    def _sample_commands(
        self, update: Update, merged: dict[str, list[StreamSnapshot]]
    ) -> Iterator[Command]:
        for new in update.samples:
            key, last = keys.samples(new.stream_id), new.samples[-1]
            if new.follow:
                yield "APPEND", key, encode_samples(new.samples, new.last)
            else:
                samples = sorted(
                    [*merged.get(new.stream_id, []), *new.samples], key=attrgetter("captured_at")
                )
                last = samples[-1]
                yield "SET", key, encode_samples(samples, None)
            for index in (keys.SAMPLED, keys.sampled_of(update.user_id)):
                yield "ZADD", index, to_ms(last.captured_at), new.stream_id
            if self._retention is not None:
                yield self.expiry(key, last.captured_at)
            if new.last is None:
                first = to_ms(new.samples[0].captured_at)
                yield "ZADD", keys.FIRST_SAMPLED, "LT", first, new.stream_id
                yield from self._expire_index_entries(update.user_id)

    def _expire_index_entries(self, user_id: str) -> Iterator[Command]:
        if self._retention is not None:
            oldest = self._clock() - self._retention
            for index in (keys.SAMPLED, keys.sampled_of(user_id)):
                yield "ZREMRANGEBYSCORE", index, "-inf", f"({to_ms(oldest)}"
            begun = to_ms(oldest - _STREAM_SPAN)
            yield "ZREMRANGEBYSCORE", keys.FIRST_SAMPLED, "-inf", f"({begun}"

    def expiry(self, key: str, last: datetime) -> Command:
        """The command that sets the expiry of a stream's samples, of which the last was taken at
        `last`. Without a retention it removes the expiry."""
        if self._retention is None:
            return "PERSIST", key
        rest = max(last + self._retention - self._clock(), _SHORTEST_EXPIRY)
        return "EXPIRE", key, int(rest.total_seconds())

    # Used by the reads

    def sessions_by_id(self, stream_ids: Iterable[str]) -> Iterator[StreamSession]:
        for some in batched(stream_ids, SESSIONS_PER_READ):
            documents = self._connection.call("HMGET", keys.SESSIONS, *some)
            found = zip(some, documents, strict=True)
            yield from self._reader.each("session", found, _SESSION.decode)

    def each_session(
        self, user_id: str, since: datetime | None = None, after: Position | None = None
    ) -> Iterator[StreamSession]:
        oldest = -inf if since is None else to_ms(since)
        page_sizes = chain(FIRST_PAGES_OF_SESSIONS, repeat(SESSIONS_PER_READ))
        for entries in self.entries(keys.sessions_of(user_id), page_sizes, after):
            yield from self.sessions_by_id(name for time, name in entries if time >= oldest)
            if entries[-1].time < oldest:
                return

    def entries(
        self, index: str, page_sizes: Iterable[int], after: Position | None = None
    ) -> Iterator[list[IndexEntry]]:
        """The entries of a sorted set of stream ids after a position, the greatest first, in pages
        of these sizes. An entry that moves to the front meanwhile may be left out: see
        `sampled_streams`."""
        last, begin = IndexEntry(inf, ""), 0
        if after is not None:
            last = IndexEntry(to_ms(after.at), after.id)
            # The empty id comes after all others of its time.
            least = f"({last.time}" if last.name else last.time
            begin = self._connection.call("ZCOUNT", index, least, "+inf")
        for size in page_sizes:
            found = self._connection.call("ZREVRANGE", index, begin, begin + size - 1, "WITHSCORES")
            begin += size
            if not found:
                return
            # Entries that were added meanwhile have moved others to a later place.
            new = [entry for entry in _index_entries(found) if entry < last]
            if new:
                yield new
                last = new[-1]

    def sampled_streams(self, index: str, before: datetime | None) -> Iterator[list[IndexEntry]]:
        """The streams of an index by last sample, the last sampled first, some at a time; with
        `before`, those whose last sample is older.

        Each new sample moves its stream to the front, where a read of pages would miss it. So after
        the first few, which many callers need only, all streams that may still be on are listed at
        once. Those that moved before they were listed come with their new time.
        """
        first: list[IndexEntry] = []
        if before is None:
            first = next(self.entries(index, [STREAMS_PER_READ]), [])
            yield first
            if len(first) < STREAMS_PER_READ:
                return
            place, maximum = int(first[-1].time), "+inf"
        else:
            place = to_ms(before)
            maximum = f"({place}"
        oldest = place - milliseconds(_STREAM_SPAN)
        found = self._connection.call("ZREVRANGEBYSCORE", index, maximum, oldest, "WITHSCORES")
        known = {entry.name for entry in first}
        listed = (entry for entry in _index_entries(found) if entry.name not in known)
        yield from batched(listed, STREAMS_PER_READ)
        yield from self.entries(index, repeat(STREAMS_PER_READ), Position(from_ms(oldest), ""))

    def statistics(self, user_ids: Collection[str]) -> Iterable[Statistics]:
        """The statistics of these streamers; unknown ones are left out."""
        found = self._connection.call("HMGET", keys.STATS, *user_ids) if user_ids else []
        named = zip(user_ids, found, strict=True)
        return self._reader.each("statistics of user", named, _STATISTICS.decode)

    def all_statistics(self) -> Iterable[Statistics]:
        found = self._connection.call("HGETALL", keys.STATS).items()
        return self._reader.each("statistics of user", found, _STATISTICS.decode)

    def sampled_at(self, user_id: str | None, time: datetime) -> list[str]:
        """The streams with samples both up to and from `time` on; for a streamer perhaps also later
        ones. The cost depends on how many streams there are in a few days."""
        at, longest = to_ms(time), milliseconds(_STREAM_SPAN)
        index = keys.SAMPLED if user_id is None else keys.sampled_of(user_id)
        ended = self._connection.call("ZRANGEBYSCORE", index, at, at + longest)
        if user_id is None:
            begun = self._connection.call("ZRANGEBYSCORE", keys.FIRST_SAMPLED, at - longest, at)
            ended = set(ended).intersection(begun)
        return [name.decode() for name in ended]

    def samples_of(
        self, stream_ids: Collection[str]
    ) -> Iterator[tuple[str, Iterator[StreamSnapshot]]]:
        """The samples of each of these streams, the newest first."""
        oldest = self._clock() - self._retention if self._retention else None
        for some in batched(stream_ids, STREAMS_PER_READ):
            values = self._connection.call("MGET", *map(keys.samples, some))
            for stream_id, value in zip(some, values, strict=True):
                report = partial(self._reader.report, f"samples of stream {stream_id}")
                samples = decode_newest_first(stream_id, value or b"", report)
                yield stream_id, (s for s in samples if oldest is None or s.captured_at >= oldest)


def _index_entries(found: Iterable[bytes]) -> Iterator[IndexEntry]:
    """The entries of an answer with scores."""
    for name, time in batched(found, 2):
        yield IndexEntry(int(float(time)), name.decode())


def _commands(update: Update) -> Iterator[Command]:
    """What saves the events and the sessions."""
    for event in update.events:
        yield "HSET", keys.events(update.user_id), event.id, _json(event)
    for item in update.sessions:
        session, before = item.session, item.stored.session if item.stored else None
        stream_id, ended_at = session.stream_id, session.ended_at
        yield "HSET", keys.SESSIONS, stream_id, _json(session)
        if before is None or before.started_at != session.started_at:
            yield "ZADD", keys.sessions_of(update.user_id), to_ms(session.started_at), stream_id
        if before is None or before.ended_at != ended_at:
            yield "ZADD", keys.ENDS, to_ms(ended_at) if ended_at else "+inf", stream_id


def _json(value: object) -> bytes:
    try:
        return encode(value)
    except UnicodeEncodeError as error:
        raise AnalyticsError(f"It cannot be stored as JSON: {error}") from error
