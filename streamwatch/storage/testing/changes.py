"""Changes are published to the listeners of all processes."""

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
    """A monitored streamer who is live."""
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
class Heard:
    """What a connected listener was called with."""

    listener: ChangeListener
    topics: list[str | None] = field(default_factory=list)

    @property
    def named(self) -> set[str]:
        return {topic for topic in self.topics if topic is not None}


def listen(storage: Storage) -> Heard:
    """A listener that is connected."""
    topics: list[str | None] = []
    listener = storage.coordination.listen_for_changes(topics.append)
    eventually(lambda: listener.is_connected)
    topics.clear()
    return Heard(listener, topics)


class ChangesContract(ContractBase):
    """For a storage that publishes changes, in addition to `StorageContract`."""

    @pytest.mark.parametrize("write", WRITES)
    def test_a_change_is_heard_in_the_process_that_made_it_before_the_verb_returns(
        self, storage: Storage, write: str
    ) -> None:
        verb, topics = WRITES[write]
        _prepare(storage)
        heard = listen(storage)

        verb(storage)

        assert heard.named >= topics
        heard.listener.close()

    @pytest.mark.parametrize("write", WRITES)
    def test_a_change_is_heard_in_other_processes(
        self, open_storage: OpenStorage, write: str
    ) -> None:
        verb, topics = WRITES[write]
        storage = open_storage()
        other = open_storage() if storage.shared else storage
        _prepare(storage)
        heard = listen(other)

        verb(storage)

        eventually(lambda: heard.named >= topics)
        heard.listener.close()

    def test_reading_publishes_nothing(self, open_storage: OpenStorage) -> None:
        storage = open_storage()
        other = open_storage() if storage.shared else storage
        _prepare(storage)
        heard = listen(other)
        storage.coordination.publish_change("first")
        eventually(lambda: "first" in heard.named)
        heard.topics.clear()

        storage.live()
        storage.events(10)
        storage.streamers()
        storage.coordination.publish_change("last")

        eventually(lambda: "last" in heard.named)
        assert heard.named == {"last"}
        heard.listener.close()

    def test_a_closed_listener_hears_nothing(self, storage: Storage) -> None:
        closed, open_one = listen(storage), listen(storage)
        closed.listener.close()
        closed.listener.close()

        storage.coordination.publish_change(Topic.LIVE)

        assert Topic.LIVE in open_one.named
        assert closed.topics == []
        assert not closed.listener.is_connected
        open_one.listener.close()
