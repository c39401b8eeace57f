"""The response cache, by itself and as a client of the API sees it."""

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamwatch.api.cache import MAX_AGE_SECONDS, CachedResponse, ResponseCache
from streamwatch.domain.models import StreamStatus
from streamwatch.storage.base import ChangeListener, Topic
from streamwatch.storage.memory import MemoryStorage
from streamwatch.storage.memory.coordination import MemoryCoordination
from tests import messages
from tests.api.world import World, build_world
from tests.clocks import ManualMonotonicClock

KEY = ("/streams/live", "", "False")
LIVE = (Topic.LIVE,)
RESPONSE = CachedResponse(b"[]", (("Content-Type", "application/json"),))


class SwitchableCoordination(MemoryCoordination):
    """Its change listeners lose their connection when a test says so."""

    connected = True

    def listen_for_changes(self, on_change: Callable[[str | None], None]) -> ChangeListener:
        inner = super().listen_for_changes(on_change)
        coordination = self

        class Listener(ChangeListener):
            @property
            def is_connected(self) -> bool:
                return coordination.connected and inner.is_connected

            def close(self) -> None:
                inner.close()

        return Listener()


@pytest.fixture
def clock() -> ManualMonotonicClock:
    return ManualMonotonicClock()


@pytest.fixture
def coordination(clock: ManualMonotonicClock) -> SwitchableCoordination:
    storage = MemoryStorage()
    return SwitchableCoordination(storage.coordination._lock, clock)


@pytest.fixture
def cache(coordination: SwitchableCoordination, clock: ManualMonotonicClock) -> ResponseCache:
    return ResponseCache(coordination, max_bytes=10, clock=clock)


def test_a_response_is_used_until_its_topic_changes(
    cache: ResponseCache, coordination: SwitchableCoordination
) -> None:
    cache.put(KEY, LIVE, cache.version(LIVE), RESPONSE)
    assert cache.get(KEY) is RESPONSE
    coordination.publish_change(Topic.EVENTS)
    assert cache.get(KEY) is RESPONSE
    coordination.publish_change(Topic.LIVE)
    assert cache.get(KEY) is None


def test_a_response_is_not_cached_if_its_topic_changed_meanwhile(
    cache: ResponseCache, coordination: SwitchableCoordination
) -> None:
    cache.get(KEY)  # starts to listen
    version = cache.version(LIVE)
    coordination.publish_change(Topic.LIVE)
    cache.put(KEY, LIVE, version, RESPONSE)
    assert cache.get(KEY) is None


def test_a_response_is_used_for_a_second_at_most(
    cache: ResponseCache, clock: ManualMonotonicClock
) -> None:
    cache.put(KEY, LIVE, cache.version(LIVE), RESPONSE)
    clock.advance(MAX_AGE_SECONDS - 0.001)
    assert cache.get(KEY) is RESPONSE
    clock.advance(0.001)
    assert cache.get(KEY) is None


def test_nothing_is_cached_while_changes_are_not_received(
    cache: ResponseCache, coordination: SwitchableCoordination
) -> None:
    cache.put(KEY, LIVE, cache.version(LIVE), RESPONSE)
    coordination.connected = False
    assert cache.get(KEY) is None
    cache.put(KEY, LIVE, cache.version(LIVE), RESPONSE)
    coordination.connected = True
    coordination.notify([None])  # type: ignore[list-item]  # as a listener does once connected
    assert cache.get(KEY) is None


def test_the_least_recently_used_responses_make_room(cache: ResponseCache) -> None:
    four = CachedResponse(b"1234", ())
    for name in ("a", "b"):
        cache.put((name,), LIVE, cache.version(LIVE), four)
    cache.get(("a",))
    cache.put(("c",), LIVE, cache.version(LIVE), four)
    assert [cache.get((name,)) is not None for name in ("a", "b", "c")] == [True, False, True]
    cache.put(("d",), LIVE, cache.version(LIVE), CachedResponse(b"x" * 11, ()))
    assert cache.get(("d",)) is None


def test_an_expired_response_is_removed_when_another_one_is_cached(
    cache: ResponseCache, clock: ManualMonotonicClock
) -> None:
    expired = CachedResponse(b"", ())
    references = sys.getrefcount(expired)
    cache.put(("/events", "_=1"), LIVE, cache.version(LIVE), expired)
    clock.advance(MAX_AGE_SECONDS)
    cache.put(("/events", "_=2"), LIVE, cache.version(LIVE), RESPONSE)
    assert sys.getrefcount(expired) == references


def test_others_wait_while_one_request_makes_the_response(cache: ResponseCache) -> None:
    assert cache.get_or_reserve(KEY) is None
    with ThreadPoolExecutor() as threads:
        others = [threads.submit(cache.get_or_reserve, KEY) for _ in range(3)]
        assert not any(other.done() for other in others)
        cache.put(KEY, LIVE, cache.version(LIVE), RESPONSE)
        cache.release(KEY)
        assert [other.result() for other in others] == [RESPONSE] * 3


def test_each_request_makes_a_response_that_cannot_be_cached(cache: ResponseCache) -> None:
    assert cache.get_or_reserve(KEY) is None
    with ThreadPoolExecutor() as threads:
        other = threads.submit(cache.get_or_reserve, KEY)
        cache.release(KEY)
        assert other.result() is None
    cache.release(KEY)


# As a client sees it


@pytest.fixture
def reads(world: World, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The calls of the storage's reading verbs."""
    calls: list[str] = []
    for name in ("events", "live", "streamers", "find_status"):
        verb = getattr(world.storage, name)

        def counted(*arguments: Any, _verb: Any = verb, _name: str = name) -> Any:
            calls.append(_name)
            return _verb(*arguments)

        monkeypatch.setattr(world.storage, name, counted)
    return calls


@pytest.mark.parametrize(
    "path", ["/events", "/streams/live", "/streamers", "/streamers/cool_user/status"]
)
def test_a_second_request_and_a_304_cost_no_read(world: World, reads: list[str], path: str) -> None:
    world.send(messages.online())
    first = world.get(path)
    assert first.headers["Cache-Control"] == "private, no-cache"
    reads.clear()
    assert world.get(path).data == first.data
    unchanged = world.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (unchanged.status_code, unchanged.data) == (304, b"")
    assert unchanged.headers["ETag"] == first.headers["ETag"]
    assert reads == []


def test_a_head_request_has_the_headers_of_its_get(world: World) -> None:
    world.send(messages.online())
    for _ in range(2):  # before and after it is cached
        head, get = world.client.head("/events"), world.get("/events")
        assert (head.status_code, head.data) == (200, b"")
        for name in ("ETag", "Content-Length", "Content-Type", "Cache-Control"):
            assert head.headers[name] == get.headers[name]


def test_a_response_over_one_kilobyte_is_compressed_with_a_weak_etag(world: World) -> None:
    for number in range(10):
        world.send(messages.online(messages.COOL_USER, stream_id=f"{number}"))
    gzip = {"Accept-Encoding": "gzip"}
    plain = world.get("/events")
    for _ in range(2):
        compressed = world.client.get("/events", headers=gzip)
        assert compressed.headers["Content-Encoding"] == "gzip"
        assert compressed.headers["ETag"] == f"W/{plain.headers['ETag']}"
        assert len(compressed.data) < len(plain.data)
        unchanged = world.get(
            "/events", headers=gzip | {"If-None-Match": compressed.headers["ETag"]}
        )
        assert unchanged.status_code == 304
    assert "Content-Encoding" not in world.get("/events").headers


def test_a_condition_for_changes_does_not_matter_to_a_read(world: World) -> None:
    first = world.get("/events")
    for tag in ('"another"', first.headers["ETag"]):
        headers = {"If-Match": tag, "If-None-Match": '"old"'}
        response = world.get("/events", headers=headers)
        assert (response.status_code, response.data) == (200, first.data)


def test_requests_at_the_same_time_read_the_storage_once(
    world: World, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    live = world.storage.live
    second_read = Barrier(2)

    def slow_live() -> list[StreamStatus]:
        with suppress(BrokenBarrierError):  # no second request reads
            second_read.wait(0.5)
        return live()

    monkeypatch.setattr(world.storage, "live", slow_live)
    clients = [world.app.test_client() for _ in range(3)]
    with ThreadPoolExecutor() as threads:
        responses = list(threads.map(lambda client: client.get("/streams/live"), clients))
    assert [response.status_code for response in responses] == [200, 200, 200]
    assert reads == ["live"]


def test_an_error_is_not_cached(world: World) -> None:
    assert world.get("/streamers/nobody/status").status_code == 404
    world.add("nobody")
    assert world.get("/streamers/nobody/status").status_code == 200


ACTIONS = st.lists(
    st.sampled_from(
        ["online ann", "offline ann", "online bob", "offline bob", "add ann", "remove ann", "read"]
    ),
    max_size=12,
)
PATHS = ("/events", "/streams/live", "/streamers", "/events/streamer/ann", "/events?limit=1")


@given(ACTIONS)
@settings(max_examples=15, deadline=None)
def test_a_conditional_request_is_answered_as_if_nothing_was_cached(actions: list[str]) -> None:
    world = build_world(rate_limit=0, lookup_limit=0)
    uncached = world.app.test_client()
    users = {name: world.twitch.add_user(name) for name in ("ann", "bob")}
    etags: dict[str, str] = {}
    for action in actions:
        verb, _, name = action.partition(" ")
        if verb in {"online", "offline"}:
            world.send(getattr(messages, verb)(users[name]))
        elif verb == "add":
            world.post(f"/streamers/{name}")
        elif verb == "remove":
            world.delete(f"/streamers/{name}")
        for path in PATHS:
            etag = etags.get(path, "")
            answer = world.get(path, headers={"If-None-Match": etag})
            # A query that is as yet unused is never cached.
            separator = "&" if "?" in path else "?"
            fresh = uncached.get(f"{path}{separator}_={len(etags)}-{id(answer)}")
            assert answer.status_code == (304 if fresh.headers["ETag"] == etag else 200)
            if answer.status_code == 200:
                assert answer.data == fresh.data
            etags[path] = fresh.headers["ETag"]
