"""Redis that is absent, stopped, frozen or refuses writes: every method raises StorageUnavailable
within 2 seconds, and works again once Redis does."""

import gc
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
import redis

from streamwatch.domain.models import AppToken, EventType
from streamwatch.domain.times import utc_now
from streamwatch.redis_urls import ANSWER_SECONDS
from streamwatch.storage.base import (
    Committed,
    Coordination,
    Feed,
    FeedEntry,
    JobRun,
    Lease,
    Lookup,
    Storage,
    StorageError,
    StorageUnavailable,
)
from streamwatch.storage.redis import RedisStorage
from streamwatch.storage.redis.connection import Connection
from streamwatch.storage.testing.build import (
    START,
    at,
    change,
    event,
    run_concurrently,
    status,
    streamer,
)
from tests.servers import Server, free_port, redis_server

LIMIT_SECONDS = 2
BATCH = 8
"""How many methods are called at once. More would wait for the processor, not for Redis."""

LEASE = Lease("leader", "a", 1)

METHODS: dict[str, Callable[[Storage], object]] = {
    "ping": lambda s: s.ping(),
    "add_streamers": lambda s: s.add_streamers([streamer()]),
    "commit_streamers": lambda s: s.commit_streamers([streamer()]),
    "remove_streamer": lambda s: s.remove_streamer("1"),
    "streamers": lambda s: s.streamers(),
    "streamers_by_id": lambda s: s.streamers_by_id(["1"]),
    "find_streamers": lambda s: s.find_streamers(["ann"]),
    "status": lambda s: s.status("1"),
    "find_status": lambda s: s.find_status("ann"),
    "statuses": lambda s: s.statuses(["1"]),
    "live": lambda s: s.live(),
    "awaiting_details": lambda s: s.awaiting_details(),
    "commit": lambda s: s.commit([change(status(), event("e1"))]),
    "events": lambda s: s.events(1),
    "events_of_type": lambda s: s.events_of_type(EventType.ONLINE, 1),
    "events_of_streamer": lambda s: s.events_of_streamer("ann", 1),
    "lookup": lambda s: s.lookup("ann"),
    "save_lookup": lambda s: s.save_lookup(Lookup("ann", None), 60),
    "register": lambda s: s.feed.register("a"),
    "read": lambda s: s.feed.read("a", "b", 1, reclaim_seconds=60),
    "acknowledge": lambda s: s.feed.acknowledge("a", ["1-1"]),
    "add_dead_letter": lambda s: s.feed.add_dead_letter("a", FeedEntry("1-1", None), "", START),
    "dead_letters": lambda s: s.feed.dead_letters("a"),
    "drop_dead_letters": lambda s: s.feed.drop_dead_letters("a", ["1-1"]),
    "last_id": lambda s: s.feed.last_id(),
    "tail": lambda s: s.feed.tail(None, 1),
    "trim": lambda s: s.feed.trim(),
    "length": lambda s: s.feed.length(),
    "readers": lambda s: s.feed.readers(),
    "acquire_lease": lambda s: s.coordination.acquire_lease("leader", "a", 60),
    "renew_lease": lambda s: s.coordination.renew_lease(LEASE, 60),
    "release_lease": lambda s: s.coordination.release_lease(LEASE),
    "lease": lambda s: s.coordination.lease("leader"),
    "record_job": lambda s: s.coordination.record_job(JobRun("refresh", START, 1.0)),
    "job_runs": lambda s: s.coordination.job_runs(),
    "request_job": lambda s: s.coordination.request_job("refresh"),
    "job_requests": lambda s: s.coordination.job_requests(),
    "complete_job_request": lambda s: s.coordination.complete_job_request("refresh", "1"),
    "heartbeat": lambda s: s.coordination.heartbeat(START),
    "is_worker_alive": lambda s: s.coordination.is_worker_alive(),
    "last_heartbeat": lambda s: s.coordination.last_heartbeat(),
    "add_counts": lambda s: s.coordination.add_counts({"a": 1}),
    "counts": lambda s: s.coordination.counts(),
    "increment_window": lambda s: s.coordination.increment_window("lookup", 60),
    "publish_metrics": lambda s: s.coordination.publish_metrics("helix", {"limit": 1.0}, 60),
    "published_metrics": lambda s: s.coordination.published_metrics("helix"),
    "conduit_id": lambda s: s.coordination.conduit_id(),
    "save_conduit_id": lambda s: s.coordination.save_conduit_id("c"),
    "webhook_callbacks": lambda s: s.coordination.webhook_callbacks(),
    "save_webhook_callbacks": lambda s: s.coordination.save_webhook_callbacks(["https://a"]),
    "publish_change": lambda s: s.coordination.publish_change("live"),
    "app_token": lambda s: s.coordination.app_token(),
    "save_app_token": lambda s: s.coordination.save_app_token(AppToken("t", utc_now())),
}


@pytest.fixture
def server() -> Iterator[Server]:
    with redis_server("--appendonly", "yes", "--appendfsync", "always") as server:
        yield server


@pytest.fixture
def storage(server: Server) -> Iterator[RedisStorage]:
    storage = RedisStorage(Connection.to(server.url))
    yield storage
    storage.close()


MakeStorages = Callable[[str], list[RedisStorage]]


@pytest.fixture
def make_storages() -> Iterator[MakeStorages]:
    """Makes the storages for `outcomes`."""
    with ExitStack() as stack:

        def make(url: str) -> list[RedisStorage]:
            storages = [RedisStorage(Connection.to(url)) for _ in range(0, len(METHODS), BATCH)]
            for storage in storages:
                stack.callback(storage.close)
            return storages

        yield make


def outcomes(storages: list[RedisStorage]) -> dict[str, str]:
    """Call all methods; for each by name "unavailable" (in time), "answered", or after how many
    seconds it failed.

    Each batch of methods is called concurrently on a storage of its own: after a timeout its
    circuit breaker is open, and later calls would fail before their own timeout.
    """

    def outcome(storage: Storage, method: Callable[[Storage], object]) -> str:
        start = time.monotonic()
        try:
            method(storage)
        except StorageUnavailable:
            seconds = time.monotonic() - start
            return "unavailable" if seconds < LIMIT_SECONDS else f"after {seconds:.1f} s"
        return "answered"

    found: dict[str, str] = {}
    names = list(METHODS)
    for start, storage in zip(range(0, len(names), BATCH), storages, strict=True):
        batch = names[start : start + BATCH]
        results = run_concurrently(
            len(batch),
            lambda n, batch=batch, storage=storage: outcome(storage, METHODS[batch[n]]),  # type: ignore[misc]  # mypy cannot infer it
        )
        found |= zip(batch, results, strict=True)
    return found


def test_every_method_of_the_port_is_tested() -> None:
    ports = (Storage, Feed, Coordination)

    methods = {method for port in ports for method in port.__abstractmethods__}
    assert methods | {"publish_change"} == set(METHODS)


@pytest.mark.parametrize("scheme", ["redis", "redis+cluster"])
def test_every_method_fails_in_time_when_no_server_listens(
    make_storages: MakeStorages, scheme: str
) -> None:
    storages = make_storages(f"{scheme}://127.0.0.1:{free_port()}")

    assert outcomes(storages) == dict.fromkeys(METHODS, "unavailable")


def test_every_method_fails_in_time_when_redis_is_stopped_and_works_after_restart(
    server: Server, make_storages: MakeStorages
) -> None:
    storages = make_storages(server.url)
    assert outcomes(storages) == dict.fromkeys(METHODS, "answered")

    server.kill()
    assert outcomes(storages) == dict.fromkeys(METHODS, "unavailable")

    server.start()
    assert outcomes(storages) == dict.fromkeys(METHODS, "answered")


def test_every_method_fails_in_time_when_redis_is_frozen_and_works_afterwards(
    server: Server, make_storages: MakeStorages
) -> None:
    connected, new = make_storages(server.url), make_storages(server.url)
    outcomes(connected)

    server.freeze()
    assert outcomes(connected) == dict.fromkeys(METHODS, "unavailable")
    assert outcomes(new) == dict.fromkeys(METHODS, "unavailable")

    server.thaw()
    for storage in connected:
        storage.ping()  # closes the circuit breaker
    assert outcomes(connected) == dict.fromkeys(METHODS, "answered")


def test_the_first_commit_after_a_restart_is_stored(server: Server, storage: RedisStorage) -> None:
    assert storage.commit([change(status(), event("e1"))]) == [Committed.STORED]

    server.kill()
    server.start()

    assert storage.commit([change(status(version=2), event("e2", 1))]) == [Committed.STORED]
    assert [found.id for found in storage.events(10)] == ["e2", "e1"]


def test_a_commit_with_a_lost_response_is_not_stored_twice(
    server: Server, storage: RedisStorage
) -> None:
    storage.commit([change(status(), event("e1"), message_id="m1")])
    second = change(status(version=2), event("e2"), message_id="m2")
    silent = change(status("2", "bob"), event("e3"))
    server.freeze()
    with pytest.raises(StorageUnavailable):
        storage.commit([second, silent])

    server.thaw()  # and Redis runs what it had received

    assert storage.commit([second, silent]) == [Committed.DUPLICATE, Committed.CONFLICT]
    assert storage.feed.length() == 3


def test_a_redis_without_memory_is_unavailable(server: Server, storage: RedisStorage) -> None:
    with redis.Redis.from_url(server.url) as client:
        client.config_set("maxmemory", 1)
        with pytest.raises(StorageUnavailable):
            storage.ping()
        with pytest.raises(StorageUnavailable):
            storage.commit([change(status(), event("e1"))])
        client.config_set("maxmemory", 0)

    assert storage.commit([change(status(), event("e1"))]) == [Committed.STORED]


def test_a_feed_that_filled_the_memory_is_read_and_trimmed_by_a_new_leader(
    server: Server, storage: RedisStorage
) -> None:
    storage.feed.register("analytics")
    assert storage.commit([change(status(), event("e1"))]) == [Committed.STORED]
    held = storage.coordination.acquire_lease("held", "old", 60)
    assert held is not None
    with redis.Redis.from_url(server.url) as client:
        client.config_set("maxmemory", 1)

        [entry] = storage.feed.read("analytics", "worker", 10, reclaim_seconds=60)
        storage.coordination.publish_change("analytics")  # as the projector does before it
        storage.feed.acknowledge("analytics", [entry.id])
        assert storage.coordination.renew_lease(held, 60)
        assert storage.coordination.acquire_lease("leader", "new", 60) is not None
        assert storage.feed.trim() == 1

        client.config_set("maxmemory", 0)


def test_a_replica_is_unavailable(server: Server, storage: RedisStorage) -> None:
    with redis.Redis.from_url(server.url) as client:
        client.replicaof("127.0.0.1", str(free_port()))

        with pytest.raises(StorageUnavailable):
            storage.ping()
        with pytest.raises(StorageUnavailable):
            storage.commit([change(status())])


def test_a_wrong_password_is_unavailable_and_not_in_the_error(server: Server) -> None:
    storage = RedisStorage(Connection.to(server.url.replace("//", "//:sesame@")))

    with pytest.raises(StorageUnavailable) as caught:
        storage.ping()

    assert "sesame" not in str(caught.value)


def test_a_redis_error_is_raised_as_a_storage_error(server: Server, storage: RedisStorage) -> None:
    with redis.Redis.from_url(server.url) as client:
        client.set("{streamwatch}:streamers", "no hash")

    with pytest.raises(StorageError) as caught:
        storage.streamers()

    assert not isinstance(caught.value, StorageUnavailable)


def test_an_unreadable_value_is_raised_as_a_storage_error(
    server: Server, storage: RedisStorage
) -> None:
    with redis.Redis.from_url(server.url) as client:
        client.hset("{streamwatch}:status", "1", "1\n{}\n{}")

    with pytest.raises(StorageError, match="cannot be read"):
        storage.status("1")


def test_nothing_is_lost_when_redis_is_killed(server: Server, storage: RedisStorage) -> None:
    storage.add_streamers([streamer()])
    storage.commit([change(status(), event("e1"), message_id="m1")])
    storage.feed.read("reader", "dead", 10, reclaim_seconds=60)
    storage.coordination.heartbeat(at(1))

    server.kill()
    server.start()

    assert storage.streamers() == [streamer()]
    assert storage.live() == [status()]
    assert storage.commit([change(status(), message_id="m1")]) == [Committed.DUPLICATE]
    [entry] = storage.feed.read("reader", "b", 10, reclaim_seconds=0)
    assert entry.tries == 2
    assert storage.coordination.last_heartbeat() == at(1)


@pytest.mark.parametrize("method", ["ping", "commit of two"])
def test_only_one_caller_at_a_time_waits_for_a_frozen_redis(
    server: Server, storage: RedisStorage, method: str
) -> None:
    two = [change(status(user_id=user_id)) for user_id in ("1", "2")]
    methods = METHODS | {"commit of two": lambda s: s.commit(two)}
    with ThreadPoolExecutor(1) as threads:  # returns its connection to the pool
        threads.submit(storage.ping).result()
    gc.collect()
    server.freeze()
    with pytest.raises(StorageUnavailable):
        methods[method](storage)

    start = time.monotonic()
    errors = run_concurrently(BATCH, lambda _: error_of_ping(storage))
    seconds = time.monotonic() - start
    timeouts = sum("did not answer in time" in error for error in errors)
    assert 1 <= timeouts <= BATCH // 2, "the others fail without waiting for an answer"
    assert timeouts * ANSWER_SECONDS <= seconds, "two of them waited at the same time"

    server.thaw()
    storage.ping()


def error_of_ping(storage: RedisStorage) -> str:
    with pytest.raises(StorageUnavailable) as caught:
        storage.ping()
    return str(caught.value)
