"""The feed's tail: read by any number of processes, without being a reader."""

import pytest

from streamwatch.storage.base import ReaderState, Storage
from streamwatch.storage.testing.build import READER, ContractBase, read, tell, told


class TailingContract(ContractBase):
    def test_a_new_feed_has_no_tail(self, storage: Storage) -> None:
        assert storage.feed.last_id() is None
        tail = storage.feed.tail(None, 10)
        assert (tail.entries, tail.complete) == ([], True)

    def test_the_tail_begins_after_an_id(self, storage: Storage) -> None:
        tell(storage, "e1", "e2", "e3", "e4")
        first, *_ = storage.feed.tail(None, 10).entries

        tail = storage.feed.tail(first.id, 2)

        assert (told(tail.entries), tail.complete) == (["e2", "e3"], True)
        last = storage.feed.tail(tail.entries[-1].id, 10)
        assert (told(last.entries), last.complete) == (["e4"], True)
        assert storage.feed.last_id() == last.entries[-1].id

    def test_after_the_last_id_there_is_what_comes_then(self, storage: Storage) -> None:
        tell(storage, "e1")
        last = storage.feed.last_id()
        assert storage.feed.tail(last, 10).entries == []

        tell(storage, "e2")

        tail = storage.feed.tail(last, 10)
        assert (told(tail.entries), tail.complete) == (["e2"], True)

    def test_a_tail_is_read_as_often_as_one_likes(self, storage: Storage) -> None:
        tell(storage, "e1", "e2")
        assert storage.feed.tail(None, 10) == storage.feed.tail(None, 10)

    def test_tailing_takes_nothing_from_readers_and_holds_nothing_back(
        self, storage: Storage
    ) -> None:
        storage.feed.register(READER)
        tell(storage, "e1", "e2")
        storage.feed.tail(None, 10)

        assert storage.feed.readers() == [ReaderState(READER, lag=2, pending=0, set_aside=0)]
        storage.feed.acknowledge(READER, [entry.id for entry in read(storage)])
        assert storage.feed.trim() == 2

    def test_what_was_dropped_is_missing_and_the_tail_says_so(self, storage: Storage) -> None:
        tell(storage, "e1", "e2", "e3")
        first, second, _ = read(storage)
        storage.feed.acknowledge(READER, [first.id, second.id])
        storage.feed.trim()

        tail = storage.feed.tail(first.id, 10)

        assert (told(tail.entries), tail.complete) == (["e3"], False)

    def test_nothing_is_missing_after_the_newest_although_it_was_dropped(
        self, storage: Storage
    ) -> None:
        tell(storage, "e1")
        [entry] = read(storage)
        storage.feed.acknowledge(READER, [entry.id])
        storage.feed.trim()

        assert storage.feed.last_id() == entry.id
        tail = storage.feed.tail(entry.id, 10)
        assert (tail.entries, tail.complete) == ([], True)

    @pytest.mark.parametrize("foreign", ["99999999999999-0", "999999", "0", "0-0", "x", "-", "+"])
    def test_an_id_of_another_feed_gives_all_that_is_kept(
        self, storage: Storage, foreign: str
    ) -> None:
        tell(storage, "e1", "e2")

        tail = storage.feed.tail(foreign, 10)

        assert (told(tail.entries), tail.complete) == (["e1", "e2"], False)

    def test_the_newest_are_kept_on_demand_though_all_are_acknowledged(
        self, storage: Storage
    ) -> None:
        tell(storage, "e1", "e2", "e3")
        storage.feed.acknowledge(READER, [entry.id for entry in read(storage)])

        assert storage.feed.trim(keep=4) == 0
        assert storage.feed.trim(keep=2) == 1
        assert told(storage.feed.tail(None, 10).entries) == ["e2", "e3"]

    def test_keeping_the_newest_drops_nothing_that_is_needed(self, storage: Storage) -> None:
        tell(storage, "e1", "e2", "e3")
        first, *_ = read(storage)
        storage.feed.acknowledge(READER, [first.id])

        assert storage.feed.trim(keep=1) == 1
        assert storage.feed.length() == 2
