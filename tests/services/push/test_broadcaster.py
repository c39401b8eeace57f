"""The broadcaster: which events are pushed, to which listeners, and that none is lost."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from threading import RLock

import pytest

from streamwatch.domain.models import EventType, Stream, StreamEvent, StreamSnapshot
from streamwatch.services.errors import TooManyListeners
from streamwatch.services.push import broadcaster
from streamwatch.services.push.broadcaster import Broadcaster, Listener
from streamwatch.services.push.translator import PushEvent, PushEventType
from streamwatch.storage.base import StorageUnavailable, Tail, Topic
from streamwatch.storage.memory.feed import MemoryFeed
from streamwatch.storage.testing import build
from tests.fakes import FailingStorage
from tests.waiting import wait_for


class FailingFeed(MemoryFeed):
    """Its tail cannot be read for so many times."""

    failures = 0
    is_read_again = False

    def tail(self, after: str | None, count: int) -> Tail:
        if self.failures:
            self.failures -= 1
            raise StorageUnavailable("down")
        self.is_read_again = True
        return super().tail(after, count)


def threads() -> int:
    return sum(thread.name == "push" for thread in threading.enumerate())


@pytest.fixture
def storage() -> FailingStorage:
    return FailingStorage()


@pytest.fixture
def push(storage: FailingStorage) -> Iterator[Broadcaster]:
    push = Broadcaster(storage, capacity=3)
    yield push
    push.close()


def receive(listener: Listener, count: int) -> list[PushEvent]:
    """The next `count` events."""
    events = (event for _, event in listener.events(10) if event)
    return list(islice(events, count))


def types(events: list[PushEvent]) -> list[str]:
    return [event.type for event in events]


def event_ids(events: list[PushEvent]) -> list[str]:
    return [event.subject.id for event in events if isinstance(event.subject, StreamEvent)]


def snapshot_of(event: PushEvent) -> StreamSnapshot:
    assert isinstance(event.subject, StreamSnapshot)
    return event.subject


def go_online(storage: FailingStorage, event_id: str, user_id: str = "1") -> None:
    build.store_events(storage, event_id, user_id=user_id)


def poll(storage: FailingStorage, *, viewers: int = 5, **details: str) -> None:
    """Commit a snapshot of user 1's stream."""
    known = storage.status("1")
    version = known.version + 1 if known else 1
    after = build.status(version=version, viewers=viewers)
    snapshot = replace(build.snapshot(viewers=viewers), **details)  # type: ignore[arg-type]  # a test names them right
    build.store(storage, build.change(after, snapshot=snapshot))


def test_a_listener_gets_the_events_from_now_on(storage: FailingStorage, push: Broadcaster) -> None:
    go_online(storage, "before")
    with closing(push.listen()) as listener:
        go_online(storage, "after")
        [event] = receive(listener, 1)
    assert (event.type, event_ids([event])) == (PushEventType.ONLINE, ["after"])


def test_all_listeners_get_all_events_from_one_reader_of_the_feed(
    storage: FailingStorage, push: Broadcaster
) -> None:
    with closing(push.listen()) as first, closing(push.listen()) as other:
        go_online(storage, "e1")
        go_online(storage, "e2")
        assert event_ids(receive(first, 2)) == ["e1", "e2"]
        assert event_ids(receive(other, 2)) == ["e1", "e2"]


def test_the_end_of_a_stream_is_pushed(storage: FailingStorage, push: Broadcaster) -> None:
    with closing(push.listen()) as listener:
        event = build.event("off", event_type=EventType.OFFLINE)
        build.store(storage, build.change(build.status(live=False), event))
        [offline] = receive(listener, 1)
    assert (offline.type, offline.login) == (PushEventType.OFFLINE, "ann")
    assert event_ids([offline]) == ["off"]


def test_a_change_of_category_or_title_is_pushed_once_with_the_previous_value(
    storage: FailingStorage, push: Broadcaster
) -> None:
    poll(storage, title="old", category_id="9", category_name="Chess")
    with closing(push.listen(after="0")) as listener:
        poll(storage, title="old", category_id="9", category_name="Chess", viewers=6)
        poll(storage, title="old", category_id="3", category_name="Go")
        poll(storage, title="new", category_id="3", category_name="Go")
        events = receive(listener, 9)
    assert types(events) == [
        "gap",  # "0" is no entry of this feed
        *("stream.category", "stream.title", "stream.viewers"),
        "stream.viewers",
        *("stream.category", "stream.viewers"),
        *("stream.title", "stream.viewers"),
    ]
    first, category, title = events[1], events[5], events[7]
    assert (snapshot_of(first).category_name, first.previous) == ("Chess", None)
    assert (snapshot_of(category).category_name, category.previous) == ("Go", "Chess")
    assert (snapshot_of(title).title, title.previous) == ("new", "old")


def change_channel(
    storage: FailingStorage, event_id: str, minutes: float, *, live: bool = True, **values: str
) -> None:
    """Commit an update of user 1's channel, so long after the polls' samples."""
    known = storage.status("1")
    data = {"title": "old", "category_id": "9", "category_name": "Chess", "language": "en"}
    event = replace(
        build.event(event_id, event_type=EventType.UPDATE),
        timestamp=build.snapshot().captured_at + timedelta(minutes=minutes),
        data=data | values,
    )
    after = build.status(version=known.version + 1 if known else 1, live=live)
    build.store(storage, build.change(after, event))


def test_an_update_of_a_live_channel_is_pushed_at_once_under_its_old_names_too(
    storage: FailingStorage, push: Broadcaster
) -> None:
    with closing(push.listen()) as listener:
        poll(storage, title="old", category_id="9", category_name="Chess")
        receive(listener, 3)
        change_channel(storage, "u1", 1, title="new")
        change_channel(storage, "u2", 2, title="new", category_id="3", category_name="Go")
        poll(storage, title="new", category_id="3", category_name="Go")
        events = receive(listener, 5)
    assert types(events) == [
        *("channel.update", "stream.title"),
        *("channel.update", "stream.category"),
        "stream.viewers",
    ]
    assert (snapshot_of(events[1]).title, events[1].previous) == ("new", "old")
    assert (snapshot_of(events[3]).category_name, events[3].previous) == ("Go", "Chess")


def test_a_late_update_and_one_while_offline_have_no_old_names(
    storage: FailingStorage, push: Broadcaster
) -> None:
    with closing(push.listen()) as listener:
        poll(storage, title="old", category_id="9", category_name="Chess")
        receive(listener, 3)
        change_channel(storage, "u2", 2, title="newest")
        change_channel(storage, "u1", 1, title="late")
        build.store(
            storage,
            build.change(
                build.status(version=4, live=False),
                build.event("off", event_type=EventType.OFFLINE),
            ),
        )
        change_channel(storage, "u3", 3, live=False, title="offline")
        events = receive(listener, 5)
    assert types(events) == [
        *("channel.update", "stream.title"),
        "channel.update",
        "stream.offline",
        "channel.update",
    ]


def test_category_and_title_that_the_status_has_already_are_not_pushed(
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
        [event] = receive(listener, 1)
    assert (event.type, snapshot_of(event).viewer_count) == (PushEventType.VIEWERS, 7)


def test_another_stream_of_the_same_streamer_has_no_previous_title(
    storage: FailingStorage, push: Broadcaster
) -> None:
    poll(storage, title="old")
    with closing(push.listen()) as listener:
        poll(storage, title="new", stream_id="s2")
        events = receive(listener, 3)
    assert [event.previous for event in events] == [None, None, None]


def test_a_listener_that_resumes_gets_the_events_it_missed(
    storage: FailingStorage, push: Broadcaster
) -> None:
    with closing(push.listen()) as listener:
        go_online(storage, "e1")
        receive(listener, 1)
        cursor = listener.cursor
    for number in range(3):
        go_online(storage, f"missed{number}")
    with closing(push.listen(after=cursor)) as again:
        go_online(storage, "new")
        events = receive(again, 4)
    assert event_ids(events) == ["missed0", "missed1", "missed2", "new"]


def test_a_listener_that_resumes_from_a_trimmed_entry_gets_a_gap(
    storage: FailingStorage, push: Broadcaster
) -> None:
    go_online(storage, "e1")
    cursor = storage.feed.last_id()
    build.store_events(storage, "missed0", "missed1", "missed2", "missed3")
    storage.feed.acknowledge("r", [entry.id for entry in build.read(storage, "r")])
    storage.feed.trim(keep=2)
    with closing(push.listen(after=cursor)) as listener:
        events = receive(listener, 3)
    assert types(events) == ["gap", "stream.online", "stream.online"]
    assert event_ids(events[1:]) == ["missed2", "missed3"]


def test_a_slow_listener_misses_nothing(
    storage: FailingStorage,
) -> None:
    push = Broadcaster(storage, capacity=2, shared=5)
    with closing(push.listen()) as slow, closing(push.listen()) as fast:
        go_online(storage, "first")
        assert len(receive(slow, 1)) == 1
        assert len(receive(fast, 1)) == 1
        for number in range(20):
            go_online(storage, f"e{number}")
        assert event_ids(receive(fast, 20)) == [f"e{n}" for n in range(20)]
        assert event_ids(receive(slow, 20)) == [f"e{n}" for n in range(20)]


def test_the_cursor_of_an_event_that_is_not_the_last_of_its_entry_is_the_entry_before(
    storage: FailingStorage, push: Broadcaster
) -> None:
    """So that resuming from it brings the rest of the entry."""
    with closing(push.listen()) as listener:
        poll(storage)
        start = listener.cursor
        received = [item for item, _ in zip(listener.events(10), range(3), strict=False)]
    assert [cursor for cursor, _ in received] == [start, start, storage.feed.last_id()]


def test_one_listener_more_than_the_capacity_is_refused(push: Broadcaster) -> None:
    listeners = [push.listen() for _ in range(3)]
    with pytest.raises(TooManyListeners, match="Try again later"):
        push.listen()
    listeners[0].close()
    listeners[0].close()
    push.listen().close()
    for listener in listeners:
        listener.close()


def test_the_feed_is_not_read_without_listeners(storage: FailingStorage, push: Broadcaster) -> None:
    wait_for(lambda: threads() == 0)  # of the tests before
    first, other = push.listen(), push.listen()
    assert threads() == 1
    first.close()
    other.close()
    wait_for(lambda: threads() == 0)
    with closing(push.listen()) as listener:
        go_online(storage, "e1")
        assert len(receive(listener, 1)) == 1


def test_listeners_end_when_the_process_stops(push: Broadcaster) -> None:
    listener = push.listen()
    stopping: list[bool] = []
    push.ends_when(lambda: bool(stopping))
    events = listener.events(0.01)
    assert next(events)[1] is None
    stopping.append(True)
    assert all(event is None for _, event in events)


def test_the_feed_is_read_again_after_a_failure(storage: FailingStorage) -> None:
    storage.feed = feed = FailingFeed(RLock(), time.monotonic)
    push = Broadcaster(storage, capacity=1)
    with closing(push), closing(push.listen()) as listener:
        feed.failures = 1
        wait_for(lambda: not feed.failures)
        go_online(storage, "e1")
        [event] = receive(listener, 1)
    assert event_ids([event]) == ["e1"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_listeners_go_on_after_a_defect_ended_the_thread(
    storage: FailingStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def defect(*_: object) -> Tail:
        monkeypatch.undo()
        raise RuntimeError("a defect")

    push = Broadcaster(storage)
    with closing(push), closing(push.listen()) as listener:
        monkeypatch.setattr(storage.feed, "tail", defect)
        wait_for(lambda: threads() == 0)
        go_online(storage, "e1")
        assert event_ids(receive(listener, 1)) == ["e1"]
        with closing(push.listen()) as other:
            go_online(storage, "e2", user_id="2")
            assert event_ids(receive(other, 1)) == ["e2"]


def test_listening_fails_while_the_storage_is_down(
    storage: FailingStorage, push: Broadcaster
) -> None:
    storage.error = StorageUnavailable("down")
    with pytest.raises(StorageUnavailable):
        push.listen()
    storage.error = None
    push.listen().close()


def test_a_client_has_a_share_of_the_places() -> None:
    push = Broadcaster(FailingStorage(), capacity=4, capacity_per_client=2)
    listeners = [push.listen(client="first") for _ in range(2)]
    with pytest.raises(TooManyListeners):
        push.listen(client="first")
    listeners.append(push.listen(client="second"))
    for listener in listeners:
        listener.close()
    push.listen(client="first").close()
    push.close()


def test_resuming_does_not_repeat_category_and_title_of_live_streams(
    storage: FailingStorage, push: Broadcaster
) -> None:
    poll(storage, title="old", category_id="9", category_name="Chess")
    cursor = storage.feed.last_id()
    poll(storage, title="old", category_id="9", category_name="Chess", viewers=6)
    poll(storage, title="new", category_id="9", category_name="Chess", viewers=6)
    with closing(push.listen(after=cursor)) as listener:
        events = receive(listener, 3)
    assert types(events) == ["stream.viewers", "stream.title", "stream.viewers"]
    assert events[1].previous == "old"


def test_resuming_pushes_category_and_title_of_a_stream_that_started_meanwhile(
    storage: FailingStorage, push: Broadcaster
) -> None:
    go_online(storage, "other", user_id="2")
    cursor = storage.feed.last_id()
    go_online(storage, "e1")
    poll(storage, title="new")
    with closing(push.listen(after=cursor)) as listener:
        events = receive(listener, 4)
    assert types(events) == ["stream.online", "stream.category", "stream.title", "stream.viewers"]


def test_an_event_is_pushed_without_waiting_for_the_next_regular_read(
    storage: FailingStorage, push: Broadcaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcaster, "_READ_SECONDS", 3600)
    with closing(push.listen()) as listener:
        for number in range(3):
            go_online(storage, f"e{number}")
            assert event_ids(receive(listener, 1)) == [f"e{number}"]


def test_the_thread_does_not_spin_while_the_feed_cannot_be_read(
    storage: FailingStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcaster, "_RETRY_SECONDS", 0.5)
    monkeypatch.setattr(broadcaster, "_STOP_CHECK_SECONDS", 0.05)
    storage.feed = feed = FailingFeed(RLock(), time.monotonic)
    feed.failures = 1
    turns: list[bool] = []

    def is_stopping() -> bool:
        """Called in each turn of the thread, which is woken while the feed is not read."""
        if feed.failures == 0:
            turns.append(feed.is_read_again)
            storage.coordination.publish_change(Topic.LIVE)
        return False

    push = Broadcaster(storage, capacity=1)
    push.ends_when(is_stopping)
    with closing(push), closing(push.listen()):
        wait_for(lambda: feed.is_read_again)
        wait_for(lambda: True in turns)

    assert turns.index(True) <= 11  # one after each check, until the read is repeated


def test_a_listener_that_falls_behind_twice_compares_with_what_it_received_last(
    storage: FailingStorage,
) -> None:
    push = Broadcaster(storage, capacity=2, shared=4)
    with closing(push), closing(push.listen()) as slow, closing(push.listen()) as fast:
        poll(storage, title="first")
        receive(slow, 3)
        receive(fast, 3)
        for viewers in range(10):  # the first fall
            poll(storage, title="first", viewers=viewers)
            receive(fast, 1)
        receive(slow, 10)
        poll(storage, title="second")  # in the buffer
        assert types(receive(slow, 2)) == ["stream.title", "stream.viewers"]
        receive(fast, 2)
        for viewers in range(10):  # the second fall
            poll(storage, title="second", viewers=viewers)
            receive(fast, 1)
        assert types(receive(slow, 10)) == ["stream.viewers"] * 10


class RewoundFeed(MemoryFeed):
    """Does not have `lost`, its newest entry: as after a failover to a replica that lacked it."""

    lost: str | None = None

    def tail(self, after: str | None, count: int) -> Tail:
        is_lost = after is not None and after == self.lost
        found = super().tail(None if is_lost else after, count)
        entries = [entry for entry in found.entries if entry.id != self.lost]
        return Tail(entries, complete=found.complete and not is_lost)

    def last_id(self) -> str | None:
        ids = [entry.id for entry in self.tail(None, 1000).entries]
        return ids[-1] if ids else None


@pytest.mark.parametrize("before", [1, 8])
def test_after_a_feed_lost_its_newest_entry_listeners_get_a_gap_and_what_follows(
    storage: FailingStorage, before: int
) -> None:
    storage.feed = feed = RewoundFeed(RLock(), time.monotonic)
    push = Broadcaster(storage, shared=4)
    build.store_events(storage, *(f"before{number}" for number in range(before)))
    with closing(push), closing(push.listen()) as listener:
        go_online(storage, "kept")
        go_online(storage, "lost")
        assert event_ids(receive(listener, 2)) == ["kept", "lost"]
        feed.lost = feed.last_id()
        assert types(receive(listener, 1)) == ["gap"]
        go_online(storage, "after")
        assert event_ids(receive(listener, 1)) == ["after"]


def test_the_first_event_of_all_reaches_who_was_not_connected_yet(
    storage: FailingStorage, push: Broadcaster
) -> None:
    position = push.position()
    go_online(storage, "first")
    with closing(push.listen(after=position)) as listener:
        assert types(receive(listener, 2)) == ["gap", "stream.online"]
