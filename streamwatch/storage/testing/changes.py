"""Contract tests of published changes: `publish_change` and `listen_for_changes`."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from streamwatch.storage.base import ChangeListener, Storage, Topic
from streamwatch.storage.testing.build import (
    ContractBase,
    OpenStorage,
    change,
    event,
    eventually,
    snapshot,
    status,
    store,
    streamer,
)

_ALL = {Topic.LIVE, Topic.EVENTS, Topic.STREAMERS}


def _prepare(storage: Storage) -> None:
    """Store a monitored streamer who is live."""
    storage.add_streamers([streamer()])
    store(storage, change(status()))


WRITES: dict[str, tuple[Callable[[Storage], object], set[Topic]]] = {
    "add a streamer": (lambda s: s.add_streamers([streamer("2", "bob")]), _ALL),
    "commit a streamer": (
        lambda s: s.commit_streamers([replace(streamer("1", "anna"), version=2)]),
        _ALL,
    ),
    "remove a streamer": (lambda s: s.remove_streamer("1"), _ALL),
    "commit a snapshot": (
        lambda s: store(s, change(status(version=2), snapshot=snapshot())),
        {Topic.LIVE},
    ),
    "commit an event": (
        lambda s: store(s, change(status(version=2), event("e1"))),
        {Topic.LIVE, Topic.EVENTS},
    ),
    "commit another login": (
        lambda s: store(s, change(status(login="anna", version=2), previous_login="ann")),
        {Topic.LIVE, Topic.EVENTS},
    ),
    "publish a change": (
        lambda s: s.coordination.publish_change(Topic.ANALYTICS),
        {Topic.ANALYTICS},
    ),
}


@dataclass
class ListenerCalls:
    """A connected listener, with the topics that it was called with."""

    listener: ChangeListener
    topics: list[str | None] = field(default_factory=list)

    @property
    def named(self) -> set[str]:
        return {topic for topic in self.topics if topic is not None}


def listen(storage: Storage) -> ListenerCalls:
    """Add a listener, and wait until it is connected."""
    topics: list[str | None] = []
    listener = storage.coordination.listen_for_changes(topics.append)
    eventually(lambda: listener.is_connected)
    topics.clear()
    return ListenerCalls(listener, topics)


class ChangesContract(ContractBase):
    """Tests of a storage that publishes changes, in addition to `StorageContract`."""

    @pytest.mark.parametrize("write", WRITES)
    def test_listeners_in_the_same_process_are_called_before_the_method_returns(
        self, storage: Storage, write: str
    ) -> None:
        method, topics = WRITES[write]
        _prepare(storage)
        calls = listen(storage)

        method(storage)

        assert calls.named >= topics
        calls.listener.close()

    @pytest.mark.parametrize("write", WRITES)
    def test_listeners_in_other_processes_are_called(
        self, open_storage: OpenStorage, write: str
    ) -> None:
        method, topics = WRITES[write]
        storage = open_storage()
        other = open_storage() if storage.shared else storage
        _prepare(storage)
        calls = listen(other)

        method(storage)

        eventually(lambda: calls.named >= topics)
        calls.listener.close()

    def test_reading_publishes_nothing(self, open_storage: OpenStorage) -> None:
        storage = open_storage()
        other = open_storage() if storage.shared else storage
        _prepare(storage)
        calls = listen(other)
        storage.coordination.publish_change("first")
        eventually(lambda: "first" in calls.named)
        calls.topics.clear()

        storage.live()
        storage.events(10)
        storage.streamers()
        storage.coordination.publish_change("last")

        eventually(lambda: "last" in calls.named)
        assert calls.named == {"last"}
        calls.listener.close()

    def test_a_closed_listener_is_not_called(self, storage: Storage) -> None:
        closed, remaining = listen(storage), listen(storage)
        closed.listener.close()
        closed.listener.close()

        storage.coordination.publish_change(Topic.LIVE)

        assert Topic.LIVE in remaining.named
        assert closed.topics == []
        assert not closed.listener.is_connected
        remaining.listener.close()
