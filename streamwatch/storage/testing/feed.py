"""Contract tests of reading and acknowledging feed entries, and of dead letters."""

from streamwatch.storage.base import ReaderState, Storage
from streamwatch.storage.testing.build import (
    READER,
    ContractBase,
    at,
    event_ids,
    eventually,
    read,
    store_events,
)


class FeedContract(ContractBase):
    def test_a_new_feed_is_empty(self, storage: Storage) -> None:
        storage.feed.register(READER)

        assert read(storage) == []
        assert storage.feed.length() == 0

    def test_a_new_feed_has_no_readers(self, storage: Storage) -> None:
        assert storage.feed.readers() == []

    def test_entries_are_read_once_and_oldest_first(self, storage: Storage) -> None:
        storage.feed.register(READER)
        store_events(storage, "e1", "e2", "e3")

        assert event_ids(read(storage, count=2)) == ["e1", "e2"]
        assert event_ids(read(storage, count=2)) == ["e3"]
        assert read(storage, count=2) == []

    def test_a_new_reader_starts_with_the_oldest_retained_entry(self, storage: Storage) -> None:
        store_events(storage, "e1", "e2")

        storage.feed.register(READER)

        assert event_ids(read(storage)) == ["e1", "e2"]

    def test_registering_again_changes_nothing(self, storage: Storage) -> None:
        storage.feed.register(READER)
        store_events(storage, "e1")
        read(storage)

        storage.feed.register(READER)

        assert read(storage) == []
        assert storage.feed.readers() == [ReaderState(READER, lag=0, pending=1, set_aside=0)]

    def test_reading_registers_the_reader(self, storage: Storage) -> None:
        store_events(storage, "e1")

        assert event_ids(read(storage)) == ["e1"]

        assert [reader.name for reader in storage.feed.readers()] == [READER]

    def test_readers_are_independent_of_each_other(self, storage: Storage) -> None:
        store_events(storage, "e1", "e2", "e3")

        assert event_ids(read(storage, "fast")) == ["e1", "e2", "e3"]
        assert event_ids(read(storage, "slow", count=1)) == ["e1"]
        assert event_ids(read(storage, "slow")) == ["e2", "e3"]

    def test_consumers_of_one_reader_share_its_entries(self, storage: Storage) -> None:
        store_events(storage, "e1", "e2", "e3")

        assert event_ids(read(storage, consumer="a", count=2)) == ["e1", "e2"]
        assert event_ids(read(storage, consumer="b", count=2)) == ["e3"]

    def test_entries_of_a_dead_consumer_are_handed_out_again(self, storage: Storage) -> None:
        store_events(storage, "e1", "e2", "e3")
        first = read(storage, consumer="dead", count=2)
        assert [entry.tries for entry in first] == [1, 1]

        again = read(storage, consumer="b", after=0)

        assert event_ids(again) == ["e1", "e2", "e3"]
        assert [entry.id for entry in again[:2]] == [entry.id for entry in first]
        assert [entry.tries for entry in again] == [2, 2, 1]
        assert [entry.tries for entry in read(storage, after=0)] == [3, 3, 2]

    def test_entries_are_handed_out_again_only_after_the_reclaim_time(
        self, storage: Storage
    ) -> None:
        store_events(storage, "e1")
        read(storage, consumer="slow")

        assert read(storage, consumer="b", after=60) == []
        eventually(lambda: event_ids(read(storage, consumer="b", after=0.05)) == ["e1"])

    def test_abandoned_entries_come_before_new_ones(self, storage: Storage) -> None:
        store_events(storage, "e1", "e2")
        read(storage, consumer="dead")
        store_events(storage, "e3", "e4")

        again = read(storage, after=0, count=2)
        more = read(storage, after=0, count=3)

        assert event_ids(again) == ["e1", "e2"]
        assert event_ids(more) == ["e1", "e2", "e3"]
        assert [entry.tries for entry in more] == [3, 3, 1]

    def test_acknowledged_entries_are_not_handed_out_again(self, storage: Storage) -> None:
        store_events(storage, "e1", "e2")
        first, _ = read(storage)

        storage.feed.acknowledge(READER, [first.id])
        storage.feed.acknowledge(READER, [first.id])
        storage.feed.acknowledge(READER, [])

        assert event_ids(read(storage, after=0)) == ["e2"]

    def test_a_consumer_can_acknowledge_an_entry_that_was_reclaimed(self, storage: Storage) -> None:
        store_events(storage, "e1")
        [entry] = read(storage, consumer="slow")
        read(storage, consumer="b", after=0)

        storage.feed.acknowledge(READER, [entry.id])

        assert read(storage, after=0) == []

    def test_readers_are_listed_with_their_state(self, storage: Storage) -> None:
        store_events(storage, "e1", "e2", "e3", "e4")
        storage.feed.register("new")
        first, second, _ = read(storage, count=3)
        storage.feed.acknowledge(READER, [first.id])
        storage.feed.add_dead_letter(READER, second, "no good", at(0))

        assert storage.feed.readers() == [
            ReaderState("new", lag=4, pending=0, set_aside=0),
            ReaderState(READER, lag=1, pending=1, set_aside=1),
        ]

    def test_dead_letters_are_stored_with_error_and_record(self, storage: Storage) -> None:
        store_events(storage, "e1", "e2", "e3")
        first, second, third = read(storage)

        storage.feed.add_dead_letter(READER, third, "A line\nfeed", at(1))
        storage.feed.add_dead_letter(READER, first, "KeyError: 'x'", at(1.5))

        assert event_ids(read(storage, after=0)) == ["e2"]
        storage.feed.acknowledge(READER, [second.id])
        assert storage.feed.trim() == 3
        letters = storage.feed.dead_letters(READER)
        assert [
            (letter.id, letter.reader, letter.error, letter.at, letter.record) for letter in letters
        ] == [
            (first.id, READER, "KeyError: 'x'", at(1.5), first.record),
            (third.id, READER, "A line\nfeed", at(1), third.record),
        ]
        assert storage.feed.dead_letters("other") == []

    def test_an_acknowledged_entry_does_not_become_a_dead_letter(self, storage: Storage) -> None:
        store_events(storage, "e1")
        [entry] = read(storage)
        storage.feed.acknowledge(READER, [entry.id])
        storage.feed.trim()

        storage.feed.add_dead_letter(READER, entry, "no good", at(0))

        assert storage.feed.dead_letters(READER) == []

    def test_dead_letters_can_be_deleted(self, storage: Storage) -> None:
        store_events(storage, "e1", "e2")
        entries = read(storage)
        for entry in entries:
            storage.feed.add_dead_letter(READER, entry, "no good", at(0))

        storage.feed.drop_dead_letters(READER, [entries[0].id])
        storage.feed.drop_dead_letters(READER, [])

        [letter] = storage.feed.dead_letters(READER)
        assert letter.id == entries[1].id
