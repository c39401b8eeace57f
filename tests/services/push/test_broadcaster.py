"""Live events: what is told, to whom, and that nothing of it is lost."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import islice
from threading import RLock

import pytest

from streamwatch.domain.models import EventType, Stream
from streamwatch.services.errors import TooManyListeners
from streamwatch.services.push.broadcaster import Broadcaster, Listener
from streamwatch.services.push.translator import PushEvent, PushEventType
from streamwatch.storage.base import StorageUnavailable, Tail
from streamwatch.storage.memory.feed import MemoryFeed
from streamwatch.storage.testing import build
from tests.fakes import FailingStorage
from tests.waiting import wait_for


class FailingFeed(MemoryFeed):
    """Its tail cannot be read for so many times."""

    failures = 0

    def tail(self, after: str | None, count: int) -> Tail:
        if self.failures:
            self.failures -= 1
            raise StorageUnavailable("down")
        return super().tail(after, count)


def threads() -> int:
    return sum(thread.name == "live-push" for thread in threading.enumerate())


@pytest.fixture
def storage() -> FailingStorage:
    return FailingStorage()


@pytest.fixture
def push(storage: FailingStorage) -> Iterator[Broadcaster]:
    push = Broadcaster(storage, capacity=3)
    yield push
    push.close()


def heard(listener: Listener, count: int) -> list[PushEvent]:
    """The next `count` events."""
    events = (event for _, event in listener.events(10) if event)
    return list(islice(events, count))


def kinds(events: list[PushEvent]) -> list[str]:
    return [event.type for event in events]


def go_online(storage: FailingStorage, event_id: str, user_id: str = "1") -> None:
    build.tell(storage, event_id, user_id=user_id)


def poll(storage: FailingStorage, *, viewers: int = 5, **details: str) -> None:
    """Commit a snapshot of user 1's stream."""
    known = storage.status("1")
    version = known.version + 1 if known else 1
    after = build.status(version=version, viewers=viewers)
    snapshot = replace(build.snapshot(viewers=viewers), **details)  # type: ignore[arg-type]  # a test names them right
    build.store(storage, build.change(after, snapshot=snapshot))


def test_a_listener_hears_what_happens_from_now_on(
    storage: FailingStorage, push: Broadcaster
) -> None:
    go_online(storage, "before")
    with closing(push.listen()) as listener:
        go_online(storage, "after")
        [event] = heard(listener, 1)
    assert (event.type, event.data["id"]) == (PushEventType.ONLINE, "after")


def test_everybody_hears_everything_by_one_reading_of_the_feed(
    storage: FailingStorage, push: Broadcaster
) -> None:
    with closing(push.listen()) as one, closing(push.listen()) as other:
        go_online(storage, "e1")
        go_online(storage, "e2")
        assert [event.data["id"] for event in heard(one, 2)] == ["e1", "e2"]
        assert [event.data["id"] for event in heard(other, 2)] == ["e1", "e2"]


def test_off_and_on_and_viewers_are_told(storage: FailingStorage, push: Broadcaster) -> None:
    with closing(push.listen()) as listener:
        event = build.event("off", event_type=EventType.OFFLINE)
        build.store(storage, build.change(build.status(live=False), event))
        [offline] = heard(listener, 1)
    assert (offline.type, offline.login) == (PushEventType.OFFLINE, "ann")
    assert offline.data["event_type"] == "stream.offline"


def test_what_changed_is_told_once_and_what_it_was_before(
    storage: FailingStorage, push: Broadcaster
) -> None:
    poll(storage, title="old", category_id="9", category_name="Chess")
    with closing(push.listen(after="0")) as listener:
        poll(storage, title="old", category_id="9", category_name="Chess", viewers=6)
        poll(storage, title="old", category_id="3", category_name="Go")
        poll(storage, title="new", category_id="3", category_name="Go")
        events = heard(listener, 9)
    assert kinds(events) == [
        "gap",  # "0" is no entry of this feed
        *("stream.category", "stream.title", "stream.viewers"),
        "stream.viewers",
        *("stream.category", "stream.viewers"),
        *("stream.title", "stream.viewers"),
    ]
    first, category, title = events[1], events[5], events[7]
    assert (first.data["category_name"], first.data["previous"]) == ("Chess", None)
    assert (category.data["category_name"], category.data["previous"]) == ("Go", "Chess")
    assert (title.data["title"], title.data["previous"]) == ("new", "old")


def test_what_the_status_says_already_is_no_news(
    storage: FailingStorage, push: Broadcaster
) -> None:
    snapshot = build.snapshot()
    stream = Stream(
        snapshot.stream_id,
        snapshot.started_at,
        viewer_count=5,
        game_id=snapshot.category_id,
        title=snapshot.title,
    )
    build.store(storage, build.change(replace(build.status(), stream=stream)))
    with closing(push.listen()) as listener:
        poll(storage, viewers=7)
        [event] = heard(listener, 1)
    assert (event.type, event.data["viewer_count"]) == (PushEventType.VIEWERS, 7)


def test_another_stream_of_the_same_streamer_has_no_previous_title(
    storage: FailingStorage, push: Broadcaster
) -> None:
    poll(storage, title="old")
    with closing(push.listen()) as listener:
        poll(storage, title="new", stream_id="s2")
        events = heard(listener, 3)
    assert [event.data.get("previous") for event in events] == [None, None, None]


def test_who_comes_back_hears_what_was_missed(storage: FailingStorage, push: Broadcaster) -> None:
    with closing(push.listen()) as listener:
        go_online(storage, "e1")
        heard(listener, 1)
        place = listener.place
    for number in range(3):
        go_online(storage, f"missed{number}")
    with closing(push.listen(after=place)) as again:
        go_online(storage, "new")
        events = heard(again, 4)
    assert [event.data["id"] for event in events] == ["missed0", "missed1", "missed2", "new"]


def test_who_was_away_for_longer_than_the_feed_keeps_is_told_so(
    storage: FailingStorage, push: Broadcaster
) -> None:
    go_online(storage, "e1")
    place = storage.feed.last_id()
    build.tell(storage, "missed0", "missed1", "missed2", "missed3")
    storage.feed.acknowledge("r", [entry.id for entry in build.read(storage, "r")])
    storage.feed.trim(keep=2)
    with closing(push.listen(after=place)) as listener:
        events = heard(listener, 3)
    assert kinds(events) == ["gap", "stream.online", "stream.online"]
    assert [event.data.get("id") for event in events[1:]] == ["missed2", "missed3"]


def test_a_listener_who_is_slow_misses_nothing(
    storage: FailingStorage,
) -> None:
    push = Broadcaster(storage, capacity=2, shared=5)
    with closing(push.listen()) as slow, closing(push.listen()) as fast:
        go_online(storage, "first")
        assert len(heard(slow, 1)) == 1
        assert len(heard(fast, 1)) == 1
        for number in range(20):
            go_online(storage, f"e{number}")
        assert [event.data["id"] for event in heard(fast, 20)] == [f"e{n}" for n in range(20)]
        assert [event.data["id"] for event in heard(slow, 20)] == [f"e{n}" for n in range(20)]


def test_the_place_of_an_event_before_the_last_of_its_entry_is_the_entry_before(
    storage: FailingStorage, push: Broadcaster
) -> None:
    """So that resuming from it brings the rest of the entry."""
    with closing(push.listen()) as listener:
        poll(storage)
        start = listener.place
        told = [item for item, _ in zip(listener.events(10), range(3), strict=False)]
    assert [place for place, _ in told] == [start, start, storage.feed.last_id()]


def test_there_is_room_for_so_many(push: Broadcaster) -> None:
    listeners = [push.listen() for _ in range(3)]
    with pytest.raises(TooManyListeners, match="poll meanwhile"):
        push.listen()
    listeners[0].close()
    listeners[0].close()
    push.listen().close()
    for listener in listeners:
        listener.close()


def test_nothing_reads_the_feed_while_nobody_listens(
    storage: FailingStorage, push: Broadcaster
) -> None:
    wait_for(lambda: threads() == 0)  # of the tests before
    one, other = push.listen(), push.listen()
    assert threads() == 1
    one.close()
    other.close()
    wait_for(lambda: threads() == 0)
    with closing(push.listen()) as listener:
        go_online(storage, "e1")
        assert len(heard(listener, 1)) == 1


def test_listening_ends_with_the_process(push: Broadcaster) -> None:
    listener = push.listen()
    stopping: list[bool] = []
    push.ends_when(lambda: bool(stopping))
    events = listener.events(0.01)
    assert next(events)[1] is None
    stopping.append(True)
    assert all(event is None for _, event in events)


def test_a_storage_that_fails_for_a_while_is_only_waited_for(storage: FailingStorage) -> None:
    storage.feed = feed = FailingFeed(RLock(), time.monotonic)
    push = Broadcaster(storage, capacity=1)
    with closing(push), closing(push.listen()) as listener:
        feed.failures = 1
        wait_for(lambda: not feed.failures)
        go_online(storage, "e1")
        [event] = heard(listener, 1)
    assert event.data["id"] == "e1"


def test_without_a_storage_nobody_can_listen(storage: FailingStorage, push: Broadcaster) -> None:
    storage.error = StorageUnavailable("down")
    with pytest.raises(StorageUnavailable):
        push.listen()
    storage.error = None
    push.listen().close()
