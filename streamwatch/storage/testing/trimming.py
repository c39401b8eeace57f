"""Contract tests of `Feed.trim`: entries are retained for the slowest reader."""

from streamwatch.storage.base import ReaderState, Storage
from streamwatch.storage.testing.build import READER, ContractBase, event_ids, read, store_events


class TrimmingContract(ContractBase):
    def test_a_feed_without_readers_is_not_trimmed(self, storage: Storage) -> None:
        assert storage.feed.trim() == 0
        store_events(storage, "e1")

        assert storage.feed.trim() == 0
        assert storage.feed.length() == 1

    def test_unread_entries_are_retained(self, storage: Storage) -> None:
        storage.feed.register(READER)
        store_events(storage, "e1", "e2")

        assert storage.feed.trim() == 0
        assert event_ids(read(storage)) == ["e1", "e2"]

    def test_entries_acknowledged_by_all_readers_are_dropped(self, storage: Storage) -> None:
        store_events(storage, "e1", "e2", "e3")
        for reader in ("a", "b"):
            entries = read(storage, reader, count=2)
            storage.feed.acknowledge(reader, [entry.id for entry in entries])

        assert storage.feed.trim() == 2

        assert storage.feed.length() == 1
        assert event_ids(read(storage, "a")) == event_ids(read(storage, "b")) == ["e3"]

    def test_entries_are_retained_for_the_slowest_reader(self, storage: Storage) -> None:
        store_events(storage, "e1", "e2", "e3")
        fast, slow = read(storage, "fast"), read(storage, "slow", count=1)
        storage.feed.acknowledge("fast", [entry.id for entry in fast])
        storage.feed.acknowledge("slow", [entry.id for entry in slow])

        assert storage.feed.trim() == 1
        assert event_ids(read(storage, "slow")) == ["e2", "e3"]

    def test_entries_are_retained_for_a_reader_that_never_read(self, storage: Storage) -> None:
        store_events(storage, "e1", "e2")
        storage.feed.register("never")
        storage.feed.acknowledge(READER, [entry.id for entry in read(storage)])

        assert storage.feed.trim() == 0
        assert event_ids(read(storage, "never")) == ["e1", "e2"]

    def test_unacknowledged_entries_are_retained(self, storage: Storage) -> None:
        store_events(storage, "e1", "e2", "e3")
        first, _, third = read(storage, consumer="dead")
        storage.feed.acknowledge(READER, [first.id, third.id])

        assert storage.feed.trim() == 1

        assert event_ids(read(storage, consumer="b", after=0)) == ["e2"]
        assert storage.feed.length() == 2

    def test_an_emptied_feed_accepts_new_entries(self, storage: Storage) -> None:
        store_events(storage, "e1")
        storage.feed.acknowledge(READER, [entry.id for entry in read(storage)])
        assert storage.feed.trim() == 1
        assert storage.feed.trim() == 0

        store_events(storage, "e2")
        storage.feed.register("late")

        assert event_ids(read(storage)) == event_ids(read(storage, "late")) == ["e2"]

    def test_lag_is_correct_after_trimming(self, storage: Storage) -> None:
        storage.feed.register("slow")
        store_events(storage, *(f"e{n}" for n in range(10)))
        storage.feed.acknowledge("slow", [entry.id for entry in read(storage, "slow", count=3)])
        storage.feed.acknowledge(READER, [entry.id for entry in read(storage)])
        storage.feed.trim()
        store_events(storage, "more")
        storage.feed.register("new")

        assert storage.feed.readers() == [
            ReaderState("new", lag=8, pending=0, set_aside=0),
            ReaderState(READER, lag=1, pending=0, set_aside=0),
            ReaderState("slow", lag=8, pending=0, set_aside=0),
        ]
