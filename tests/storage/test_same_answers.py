"""Memory and Redis storage return the same results after any sequence of calls (stateful test)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

import hypothesis.strategies as st
import redis
from hypothesis import settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from streamwatch.domain.models import EventType
from streamwatch.storage.base import FeedEntry, Lease, Storage
from streamwatch.storage.memory import MemoryStorage
from streamwatch.storage.redis import RedisStorage
from streamwatch.storage.redis.connection import Connection
from streamwatch.storage.testing.build import at, change, event, snapshot, status, streamer

EVENTS_KEPT = 4

USERS = st.sampled_from("123")
LOGINS = st.sampled_from(["ann", "bob", "cat"])
TAGS = st.sampled_from([(), ("fps",), ("fps", "friends")])
SECONDS = st.integers(0, 5)
READERS = st.sampled_from(["analytics", "notifier"])
CONSUMERS = st.sampled_from("ab")
RECLAIM = st.sampled_from([0, 1000])
VIEWERS = st.none() | st.integers(0, 3)
MESSAGES = st.none() | st.sampled_from([f"m{n}" for n in range(20)])


class SameAnswers(RuleBasedStateMachine):
    redis_url: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        with redis.Redis.from_url(self.redis_url) as client:
            client.flushall()
        self.storages: tuple[Storage, Storage] = (
            MemoryStorage(EVENTS_KEPT),
            RedisStorage(Connection.to(self.redis_url), EVENTS_KEPT),
        )
        self.handed_out: list[tuple[FeedEntry, FeedEntry]] = []
        self.leases: list[Lease] = []

    def teardown(self) -> None:
        for storage in self.storages:
            storage.close()

    def both(self, call: Callable[[Storage], Any]) -> Any:
        in_memory, in_redis = map(call, self.storages)
        assert in_memory == in_redis
        return in_memory

    @rule(user_id=USERS, login=LOGINS, added=SECONDS)
    def add(self, user_id: str, login: str, added: int) -> None:
        self.both(lambda s: s.add_streamers([streamer(user_id, login, added=added)]))

    @rule(user_id=USERS, login=LOGINS, tags=TAGS, stale=st.sampled_from([0, 0, 1]))
    def commit_streamer(self, user_id: str, login: str, tags: tuple[str, ...], stale: int) -> None:
        known = self.storages[0].streamers_by_id([user_id]).get(user_id)
        version = (known.version if known else 0) + 1 + stale
        after = replace(streamer(user_id, login), tags=tags, version=version)
        self.both(lambda s: s.commit_streamers([after]))

    @rule(user_id=USERS)
    def remove(self, user_id: str) -> None:
        self.both(lambda s: s.remove_streamer(user_id))

    @rule(
        user_id=USERS,
        login=LOGINS,
        stale=st.sampled_from([0, 0, 0, 1]),
        viewers=VIEWERS,
        live=st.booleans(),
        at_seconds=st.lists(SECONDS, max_size=3),
        event_type=st.sampled_from(EventType),
        sampled=st.booleans(),
        message_id=MESSAGES,
        lease=st.integers(0, 3),
    )
    def commit(
        self,
        user_id: str,
        login: str,
        *,
        stale: int,
        viewers: int | None,
        live: bool,
        at_seconds: list[int],
        event_type: EventType,
        sampled: bool,
        message_id: str | None,
        lease: int,
    ) -> None:
        known = self.storages[0].status(user_id)
        version = (known.version if known else 0) + 1 + stale
        renamed = known is not None and known.login != login
        decided = change(
            status(user_id, login, version=version, live=live, viewers=viewers, updated=version),
            *(
                event(f"{user_id}{event_type}{seconds}", seconds, user_id, event_type)
                for seconds in at_seconds
            ),
            snapshot=snapshot(user_id, version) if sampled else None,
            message_id=message_id,
            previous_login=known.login if known and renamed else None,
        )
        held = self.leases[-lease] if 0 < lease <= len(self.leases) else None
        self.both(lambda s: s.commit([decided], held))

    @rule(holder=CONSUMERS)
    def acquire(self, holder: str) -> None:
        lease = self.both(lambda s: s.coordination.acquire_lease("leader", holder, 1000))
        if lease is not None:
            self.leases.append(lease)

    @precondition(lambda self: self.leases)
    @rule(which=st.integers(0, 3))
    def renew(self, which: int) -> None:
        lease = self.leases[-1 - which % len(self.leases)]
        self.both(lambda s: s.coordination.renew_lease(lease, 1000))

    @precondition(lambda self: self.leases)
    @rule(which=st.integers(0, 3))
    def release(self, which: int) -> None:
        lease = self.leases[-1 - which % len(self.leases)]
        self.both(lambda s: s.coordination.release_lease(lease))

    @rule(reader=READERS)
    def register(self, reader: str) -> None:
        self.both(lambda s: s.feed.register(reader))

    @rule(reader=READERS, consumer=CONSUMERS, count=st.integers(1, 4), reclaim=RECLAIM)
    def read(self, reader: str, consumer: str, count: int, reclaim: float) -> None:
        in_memory, in_redis = (
            storage.feed.read(reader, consumer, count, reclaim_seconds=reclaim)
            for storage in self.storages
        )
        assert [(entry.record, entry.tries) for entry in in_memory] == [
            (entry.record, entry.tries) for entry in in_redis
        ]
        self.handed_out += zip(in_memory, in_redis, strict=True)

    @precondition(lambda self: self.handed_out)
    @rule(reader=READERS, which=st.integers(0, 100), set_aside=st.booleans())
    def finish(self, reader: str, which: int, *, set_aside: bool) -> None:
        """Acknowledge or set aside an entry, perhaps one of another reader or a finished one."""
        entries = self.handed_out[which % len(self.handed_out)]
        for storage, entry in zip(self.storages, entries, strict=True):
            if set_aside:
                storage.feed.add_dead_letter(reader, entry, "no good", at(0))
            else:
                storage.feed.acknowledge(reader, [entry.id])

    @rule()
    def trim(self) -> None:
        self.both(lambda s: s.feed.trim())

    @invariant()
    def everything_is_the_same(self) -> None:
        users, logins = ["1", "2", "3"], ["ann", "bob", "cat"]
        self.both(lambda s: s.streamers())
        self.both(lambda s: s.find_streamers(logins))
        self.both(lambda s: s.statuses(users))
        self.both(lambda s: [s.find_status(login) for login in logins])
        self.both(lambda s: s.live())
        self.both(lambda s: s.awaiting_details())
        self.both(lambda s: s.events(10))
        self.both(lambda s: [s.events_of_type(kind, 10) for kind in EventType])
        self.both(lambda s: [s.events_of_streamer(login, 10) for login in logins])
        self.both(lambda s: (s.feed.length(), s.feed.readers()))
        self.both(lambda s: [_dead_letters(s, reader) for reader in ("analytics", "notifier")])
        self.both(lambda s: s.coordination.lease("leader"))


def _dead_letters(storage: Storage, reader: str) -> list[Any]:
    return [(letter.error, letter.record) for letter in storage.feed.dead_letters(reader)]


def test_memory_and_redis_give_the_same_answers(redis_url: str) -> None:
    class OnThisRedis(SameAnswers):
        pass

    OnThisRedis.redis_url = redis_url
    run_state_machine_as_test(
        OnThisRedis, settings=settings(max_examples=50, stateful_step_count=30, deadline=None)
    )
