"""Contract tests of the queue of backfills."""

from streamwatch.storage.backfills import Backfill, BackfillStatus
from streamwatch.storage.base import Storage
from streamwatch.storage.testing.build import ContractBase, at

DONE = Backfill(BackfillStatus.DONE, 5, 2, 1, {"no stream id": 2})


class BackfillContract(ContractBase):
    def test_entries_come_in_the_order_in_which_they_are_due(self, storage: Storage) -> None:
        queue = storage.backfills
        queue.plan({"0 ann": at(20), "0 bob": at(10), "1 ann": at(30)})
        queue.plan({})

        assert queue.next(at(9)) is None
        assert queue.next(at(10)) == queue.next(at(40)) == "0 bob"
        queue.finish("0 bob", "bob", DONE)
        queue.finish("0 bob", "bob", DONE)
        assert queue.next(at(40)) == "0 ann"
        assert queue.find(["ann", "bob"]) == {"bob": DONE}

    def test_a_known_entry_gets_the_new_time(self, storage: Storage) -> None:
        queue = storage.backfills
        queue.plan({"0 ann": at(10), "0 bob": at(20)})
        queue.plan({"0 ann": at(30)})

        assert queue.next(at(30)) == "0 bob"
        queue.finish("0 bob", "bob", DONE)
        assert queue.next(at(29)) is None
        assert queue.next(at(30)) == "0 ann"

    def test_the_last_backfill_of_a_user_is_stored(self, storage: Storage) -> None:
        queue = storage.backfills
        failed = Backfill(BackfillStatus.FAILED, error="Twitch refused it")
        queue.save({"ann": Backfill(BackfillStatus.QUEUED), "bob": failed})
        queue.save({"ann": DONE})
        queue.save({})

        assert queue.find(["ann", "bob", "carol"]) == {"ann": DONE, "bob": failed}
        assert queue.find([]) == {}
