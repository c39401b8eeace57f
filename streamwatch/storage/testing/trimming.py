"""The feed is trimmed behind the slowest reader, and never before it."""

from streamwatch.storage.base import ReaderState, Storage
from streamwatch.storage.testing.build import READER, ContractBase, read, tell, told


class TrimmingContract(ContractBase):
    def test_a_feed_without_readers_is_not_trimmed(self, storage: Storage) -> None:
        assert storage.feed.trim() == 0
        tell(storage, "e1")

        assert storage.feed.trim() == 0
        assert storage.feed.length() == 1

    def test_what_nobody_has_read_is_kept(self, storage: Storage) -> None:
        storage.feed.register(READER)
        tell(storage, "e1", "e2")

        assert storage.feed.trim() == 0
        assert told(read(storage)) == ["e1", "e2"]

    def test_what_is_acknowledged_by_all_is_dropped(self, storage: Storage) -> None:
        tell(storage, "e1", "e2", "e3")
        for reader in ("a", "b"):
            entries = read(storage, reader, count=2)
            storage.feed.acknowledge(reader, [entry.id for entry in entries])

        assert storage.feed.trim() == 2

        assert storage.feed.length() == 1
        assert told(read(storage, "a")) == told(read(storage, "b")) == ["e3"]

    def test_the_slowest_reader_holds_the_feed(self, storage: Storage) -> None:
        tell(storage, "e1", "e2", "e3")
        fast, slow = read(storage, "fast"), read(storage, "slow", count=1)
        storage.feed.acknowledge("fast", [entry.id for entry in fast])
        storage.feed.acknowledge("slow", [entry.id for entry in slow])

        assert storage.feed.trim() == 1
        assert told(read(storage, "slow")) == ["e2", "e3"]

    def test_a_reader_that_never_read_holds_the_feed(self, storage: Storage) -> None:
        tell(storage, "e1", "e2")
        storage.feed.register("never")
        storage.feed.acknowledge(READER, [entry.id for entry in read(storage)])

        assert storage.feed.trim() == 0
        assert told(read(storage, "never")) == ["e1", "e2"]

    def test_an_entry_that_is_not_acknowledged_holds_the_feed(self, storage: Storage) -> None:
        tell(storage, "e1", "e2", "e3")
        first, _, third = read(storage, consumer="dead")
        storage.feed.acknowledge(READER, [first.id, third.id])

        assert storage.feed.trim() == 1

        assert told(read(storage, consumer="b", after=0)) == ["e2"]
        assert storage.feed.length() == 2

    def test_an_empty_feed_goes_on(self, storage: Storage) -> None:
        tell(storage, "e1")
        storage.feed.acknowledge(READER, [entry.id for entry in read(storage)])
        assert storage.feed.trim() == 1
        assert storage.feed.trim() == 0

        tell(storage, "e2")
        storage.feed.register("late")

        assert told(read(storage)) == told(read(storage, "late")) == ["e2"]

    def test_lag_is_right_after_trimming(self, storage: Storage) -> None:
        storage.feed.register("slow")
        tell(storage, *(f"e{n}" for n in range(10)))
        storage.feed.acknowledge("slow", [entry.id for entry in read(storage, "slow", count=3)])
        storage.feed.acknowledge(READER, [entry.id for entry in read(storage)])
        storage.feed.trim()
        tell(storage, "more")
        storage.feed.register("new")

        assert storage.feed.readers() == [
            ReaderState("new", lag=8, pending=0, set_aside=0),
            ReaderState(READER, lag=1, pending=0, set_aside=0),
            ReaderState("slow", lag=8, pending=0, set_aside=0),
        ]
