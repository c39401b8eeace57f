"""Contract tests of `Feed.tail`, which reads without being a registered reader."""

import pytest

from streamwatch.storage.base import ReaderState, Storage
from streamwatch.storage.testing.build import READER, ContractBase, event_ids, read, store_events


class TailingContract(ContractBase):
    def test_the_tail_of_a_new_feed_is_empty(self, storage: Storage) -> None:
        assert storage.feed.last_id() is None
        tail = storage.feed.tail(None, 10)
        assert (tail.entries, tail.complete) == ([], True)

    def test_the_tail_starts_after_the_given_id(self, storage: Storage) -> None:
        store_events(storage, "e1", "e2", "e3", "e4")
        first, *_ = storage.feed.tail(None, 10).entries

        tail = storage.feed.tail(first.id, 2)

        assert (event_ids(tail.entries), tail.complete) == (["e2", "e3"], True)
        last = storage.feed.tail(tail.entries[-1].id, 10)
        assert (event_ids(last.entries), last.complete) == (["e4"], True)
        assert storage.feed.last_id() == last.entries[-1].id

    def test_the_tail_after_the_last_id_has_later_entries(self, storage: Storage) -> None:
        store_events(storage, "e1")
        last = storage.feed.last_id()
        assert storage.feed.tail(last, 10).entries == []

        store_events(storage, "e2")

        tail = storage.feed.tail(last, 10)
        assert (event_ids(tail.entries), tail.complete) == (["e2"], True)

    def test_a_tail_can_be_read_repeatedly(self, storage: Storage) -> None:
        store_events(storage, "e1", "e2")
        assert storage.feed.tail(None, 10) == storage.feed.tail(None, 10)

    def test_tailing_does_not_affect_readers_or_trimming(self, storage: Storage) -> None:
        storage.feed.register(READER)
        store_events(storage, "e1", "e2")
        storage.feed.tail(None, 10)

        assert storage.feed.readers() == [ReaderState(READER, lag=2, pending=0, set_aside=0)]
        storage.feed.acknowledge(READER, [entry.id for entry in read(storage)])
        assert storage.feed.trim() == 2

    def test_a_tail_after_a_trimmed_entry_is_incomplete(self, storage: Storage) -> None:
        store_events(storage, "e1", "e2", "e3")
        first, second, _ = read(storage)
        storage.feed.acknowledge(READER, [first.id, second.id])
        storage.feed.trim()

        tail = storage.feed.tail(first.id, 10)

        assert (event_ids(tail.entries), tail.complete) == (["e3"], False)

    def test_a_tail_after_a_trimmed_newest_entry_is_complete(self, storage: Storage) -> None:
        store_events(storage, "e1")
        [entry] = read(storage)
        storage.feed.acknowledge(READER, [entry.id])
        storage.feed.trim()

        assert storage.feed.last_id() == entry.id
        tail = storage.feed.tail(entry.id, 10)
        assert (tail.entries, tail.complete) == ([], True)

    @pytest.mark.parametrize("foreign", ["99999999999999-0", "999999", "0", "0-0", "x", "-", "+"])
    def test_an_unknown_id_returns_all_retained_entries(
        self, storage: Storage, foreign: str
    ) -> None:
        store_events(storage, "e1", "e2")

        tail = storage.feed.tail(foreign, 10)

        assert (event_ids(tail.entries), tail.complete) == (["e1", "e2"], False)

    def test_trimming_can_retain_the_newest_acknowledged_entries(self, storage: Storage) -> None:
        store_events(storage, "e1", "e2", "e3")
        storage.feed.acknowledge(READER, [entry.id for entry in read(storage)])

        assert storage.feed.trim(keep=4) == 0
        assert storage.feed.trim(keep=2) == 1
        assert event_ids(storage.feed.tail(None, 10).entries) == ["e2", "e3"]

    def test_retaining_the_newest_never_drops_unacknowledged_entries(
        self, storage: Storage
    ) -> None:
        store_events(storage, "e1", "e2", "e3")
        first, *_ = read(storage)
        storage.feed.acknowledge(READER, [first.id])

        assert storage.feed.trim(keep=1) == 1
        assert storage.feed.length() == 2
