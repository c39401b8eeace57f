"""The feed: everything, in order, at least once, to each reader at its own pace."""

from streamwatch.storage.base import ReaderState, Storage
from streamwatch.storage.testing.build import READER, ContractBase, at, eventually, read, tell, told


class FeedContract(ContractBase):
    def test_there_is_nothing_to_read_at_first(self, storage: Storage) -> None:
        storage.feed.register(READER)

        assert read(storage) == []
        assert storage.feed.length() == 0

    def test_a_feed_that_nobody_knows_has_no_readers(self, storage: Storage) -> None:
        assert storage.feed.readers() == []

    def test_entries_come_oldest_first_and_once(self, storage: Storage) -> None:
        storage.feed.register(READER)
        tell(storage, "e1", "e2", "e3")

        assert told(read(storage, count=2)) == ["e1", "e2"]
        assert told(read(storage, count=2)) == ["e3"]
        assert read(storage, count=2) == []

    def test_a_reader_starts_with_the_oldest_entry_that_is_kept(self, storage: Storage) -> None:
        tell(storage, "e1", "e2")

        storage.feed.register(READER)

        assert told(read(storage)) == ["e1", "e2"]

    def test_registering_again_changes_nothing(self, storage: Storage) -> None:
        storage.feed.register(READER)
        tell(storage, "e1")
        read(storage)

        storage.feed.register(READER)

        assert read(storage) == []
        assert storage.feed.readers() == [ReaderState(READER, lag=0, pending=1, set_aside=0)]

    def test_reading_registers(self, storage: Storage) -> None:
        tell(storage, "e1")

        assert told(read(storage)) == ["e1"]

        assert [reader.name for reader in storage.feed.readers()] == [READER]

    def test_each_reader_has_its_own_pace(self, storage: Storage) -> None:
        tell(storage, "e1", "e2", "e3")

        assert told(read(storage, "fast")) == ["e1", "e2", "e3"]
        assert told(read(storage, "slow", count=1)) == ["e1"]
        assert told(read(storage, "slow")) == ["e2", "e3"]

    def test_consumers_of_one_reader_share_its_entries(self, storage: Storage) -> None:
        tell(storage, "e1", "e2", "e3")

        assert told(read(storage, consumer="a", count=2)) == ["e1", "e2"]
        assert told(read(storage, consumer="b", count=2)) == ["e3"]

    def test_entries_of_a_consumer_that_died_are_handed_out_again(self, storage: Storage) -> None:
        tell(storage, "e1", "e2", "e3")
        first = read(storage, consumer="dead", count=2)
        assert [entry.tries for entry in first] == [1, 1]

        again = read(storage, consumer="b", after=0)

        assert told(again) == ["e1", "e2", "e3"]
        assert [entry.id for entry in again[:2]] == [entry.id for entry in first]
        assert [entry.tries for entry in again] == [2, 2, 1]
        assert [entry.tries for entry in read(storage, after=0)] == [3, 3, 2]

    def test_entries_are_not_handed_out_again_before_their_time(self, storage: Storage) -> None:
        tell(storage, "e1")
        read(storage, consumer="slow")

        assert read(storage, consumer="b", after=60) == []
        eventually(lambda: told(read(storage, consumer="b", after=0.05)) == ["e1"])

    def test_abandoned_entries_come_before_new_ones(self, storage: Storage) -> None:
        tell(storage, "e1", "e2")
        read(storage, consumer="dead")
        tell(storage, "e3", "e4")

        again = read(storage, after=0, count=2)
        more = read(storage, after=0, count=3)

        assert told(again) == ["e1", "e2"]
        assert told(more) == ["e1", "e2", "e3"]
        assert [entry.tries for entry in more] == [3, 3, 1]

    def test_what_is_acknowledged_is_not_handed_out_again(self, storage: Storage) -> None:
        tell(storage, "e1", "e2")
        first, _ = read(storage)

        storage.feed.acknowledge(READER, [first.id])
        storage.feed.acknowledge(READER, [first.id])
        storage.feed.acknowledge(READER, [])

        assert told(read(storage, after=0)) == ["e2"]

    def test_who_was_taken_for_dead_can_still_acknowledge(self, storage: Storage) -> None:
        tell(storage, "e1")
        [entry] = read(storage, consumer="slow")
        read(storage, consumer="b", after=0)

        storage.feed.acknowledge(READER, [entry.id])

        assert read(storage, after=0) == []

    def test_the_state_of_readers_is_told(self, storage: Storage) -> None:
        tell(storage, "e1", "e2", "e3", "e4")
        storage.feed.register("new")
        first, second, _ = read(storage, count=3)
        storage.feed.acknowledge(READER, [first.id])
        storage.feed.add_dead_letter(READER, second, "no good", at(0))

        assert storage.feed.readers() == [
            ReaderState("new", lag=4, pending=0, set_aside=0),
            ReaderState(READER, lag=1, pending=1, set_aside=1),
        ]

    def test_an_entry_that_is_set_aside_is_kept_for_an_operator(self, storage: Storage) -> None:
        tell(storage, "e1", "e2", "e3")
        first, second, third = read(storage)

        storage.feed.add_dead_letter(READER, third, "A line\nfeed", at(1))
        storage.feed.add_dead_letter(READER, first, "KeyError: 'x'", at(1.5))

        assert told(read(storage, after=0)) == ["e2"]
        storage.feed.acknowledge(READER, [second.id])
        assert storage.feed.trim() == 3
        kept = storage.feed.dead_letters(READER)
        assert [(one.id, one.reader, one.error, one.at, one.record) for one in kept] == [
            (first.id, READER, "KeyError: 'x'", at(1.5), first.record),
            (third.id, READER, "A line\nfeed", at(1), third.record),
        ]
        assert storage.feed.dead_letters("other") == []

    def test_what_was_processed_after_all_is_not_set_aside(self, storage: Storage) -> None:
        tell(storage, "e1")
        [entry] = read(storage)
        storage.feed.acknowledge(READER, [entry.id])
        storage.feed.trim()

        storage.feed.add_dead_letter(READER, entry, "no good", at(0))

        assert storage.feed.dead_letters(READER) == []

    def test_what_was_set_aside_can_be_dropped(self, storage: Storage) -> None:
        tell(storage, "e1", "e2")
        entries = read(storage)
        for entry in entries:
            storage.feed.add_dead_letter(READER, entry, "no good", at(0))

        storage.feed.drop_dead_letters(READER, [entries[0].id])
        storage.feed.drop_dead_letters(READER, [])

        kept = storage.feed.dead_letters(READER)
        assert [one.id for one in kept] == [entries[1].id]
