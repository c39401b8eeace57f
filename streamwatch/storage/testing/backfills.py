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

        assert queue.claim(at(9), at(50)) is None
        assert queue.claim(at(25), at(50)) == "0 bob"
        queue.finish("0 bob", at(50), "bob", DONE)
        queue.finish("0 bob", at(50), "bob", DONE)
        assert [queue.claim(at(60), at(90)) for _ in range(3)] == ["0 ann", "1 ann", None]
        assert queue.find(["ann", "bob"]) == {"bob": DONE}

    def test_a_known_entry_gets_the_new_time(self, storage: Storage) -> None:
        queue = storage.backfills
        queue.plan({"0 ann": at(10), "0 bob": at(20)})
        queue.plan({"0 ann": at(30)})

        assert queue.claim(at(29), at(60)) == "0 bob"
        assert queue.claim(at(29), at(60)) is None
        assert queue.claim(at(30), at(60)) == "0 ann"

    def test_an_entry_that_is_not_finished_is_due_again(self, storage: Storage) -> None:
        queue = storage.backfills
        queue.plan({"0 ann": at(10)})

        assert queue.claim(at(10), at(40)) == "0 ann"
        assert queue.claim(at(39), at(60)) is None
        assert queue.claim(at(40), at(70)) == "0 ann"

    def test_an_entry_that_is_planned_again_while_it_is_claimed_stays(
        self, storage: Storage
    ) -> None:
        queue = storage.backfills
        queue.plan({"0 ann": at(10)})
        assert queue.claim(at(10), at(40)) == "0 ann"
        queue.plan({"0 ann": at(10)})
        queue.finish("0 ann", at(40), "ann", DONE)

        assert queue.claim(at(20), at(50)) == "0 ann"

    def test_the_last_backfill_of_a_user_is_stored(self, storage: Storage) -> None:
        queue = storage.backfills
        failed = Backfill(BackfillStatus.FAILED, error="Twitch refused it")
        queue.save({"ann": Backfill(BackfillStatus.QUEUED), "bob": failed})
        queue.save({"ann": DONE})
        queue.save({})

        assert queue.find(["ann", "bob", "carol"]) == {"ann": DONE, "bob": failed}
        assert queue.find([]) == {}
