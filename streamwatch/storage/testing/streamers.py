"""Contract tests of the records of monitored streamers."""

from dataclasses import replace

from streamwatch.domain.models import Streamer
from streamwatch.storage.base import Committed, Storage
from streamwatch.storage.testing.build import (
    START,
    ContractBase,
    OpenStorage,
    at,
    run_concurrently,
    streamer,
)


class StreamersContract(ContractBase):
    def test_nobody_is_monitored_at_first(self, storage: Storage) -> None:
        assert storage.streamers() == []
        assert storage.streamers_by_id(["1"]) == {}
        assert storage.find_streamers(["ann"]) == {}

    def test_every_field_of_a_streamer_is_stored(self, storage: Storage) -> None:
        full = Streamer(
            "1",
            "ann",
            "安娜 ♥",
            START,
            "sub-on",
            None,
            profile_image_url="https://example.com/ann.png",
            tags=("fps", "friends"),
        )

        storage.add_streamers([full])

        assert storage.streamers() == [full]

    def test_streamers_are_listed_newest_first(self, storage: Storage) -> None:
        old, new, newest = (
            streamer("3", "cat", added=1),
            streamer("1", "ann", added=2),
            streamer("2", "bob", added=3),
        )

        storage.add_streamers([new, newest, old])

        assert storage.streamers() == [newest, new, old]

    def test_streamers_added_at_the_same_time_have_a_stable_order(self, storage: Storage) -> None:
        storage.add_streamers([streamer(user_id, f"login{user_id}") for user_id in "2413"])

        assert [found.user_id for found in storage.streamers()] == ["4", "3", "2", "1"]

    def test_streamers_are_found_by_id_and_by_login(self, storage: Storage) -> None:
        ann, bob = streamer("1", "ann"), streamer("2", "bob")
        storage.add_streamers([ann, bob])

        assert storage.streamers_by_id(["2", "1", "3"]) == {"1": ann, "2": bob}
        assert storage.find_streamers(["bob", "cat"]) == {"bob": bob}

    def test_empty_arguments_return_empty_results(self, storage: Storage) -> None:
        assert storage.add_streamers([]) == set()
        assert storage.commit_streamers([]) == []
        assert storage.streamers_by_id([]) == {}
        assert storage.find_streamers([]) == {}
        assert storage.statuses([]) == {}
        assert storage.commit([]) == []

    def test_adding_returns_the_ids_that_were_new(self, storage: Storage) -> None:
        assert storage.add_streamers([streamer("1", "ann")]) == {"1"}
        assert storage.add_streamers([streamer("1", "ann"), streamer("2", "bob")]) == {"2"}

    def test_adding_again_does_not_change_the_record(self, storage: Storage) -> None:
        known = replace(streamer(), online_subscription_id="sub-on")
        storage.add_streamers([known])

        storage.add_streamers([streamer(added=5)])

        assert storage.streamers() == [known]

    def test_a_thousand_streamers_are_added_and_found_in_one_call(self, storage: Storage) -> None:
        many = [streamer(str(n), f"login{n}", added=n) for n in range(1001)]

        assert len(storage.add_streamers(many)) == 1001

        assert storage.streamers() == many[::-1]
        assert len(storage.streamers_by_id([added.user_id for added in many])) == 1001
        assert len(storage.find_streamers([added.login for added in many])) == 1001

    def test_only_one_of_many_concurrent_callers_adds_a_streamer(self, storage: Storage) -> None:
        added = run_concurrently(16, lambda n: storage.add_streamers([streamer(added=n)]))

        assert sorted(map(len, added)) == [0] * 15 + [1]

    def test_the_next_version_replaces_the_record(self, storage: Storage) -> None:
        storage.add_streamers([streamer()])
        changed = replace(
            streamer(),
            online_subscription_id="on",
            offline_subscription_id="off",
            display_name="ANN",
            update_subscription_id="update",
            named_at=at(1.5),
            tags=("friends",),
            version=2,
        )

        assert storage.commit_streamers([changed]) == [Committed.STORED]

        assert storage.find_streamers(["ann"]) == {"ann": changed}

    def test_a_record_at_another_version_is_not_replaced(self, storage: Storage) -> None:
        storage.add_streamers([streamer("1", "ann"), streamer("2", "bob"), streamer("3", "cat")])
        renamed = [
            replace(streamer("1", "anna"), version=3),
            replace(streamer("2", "bobby"), version=2),
            replace(streamer("3", "cathy"), version=1),
        ]

        assert storage.commit_streamers(renamed) == ["conflict", "stored", "conflict"]

        assert [found.login for found in storage.streamers()] == ["cat", "bobby", "ann"]
        assert storage.find_streamers(["bob", "anna", "cathy"]) == {}

    def test_only_one_of_many_concurrent_changes_is_stored(self, storage: Storage) -> None:
        storage.add_streamers([streamer()])
        decided = [replace(streamer(), display_name=f"name {n}", version=2) for n in range(16)]

        results = run_concurrently(16, lambda n: storage.commit_streamers([decided[n]]))

        assert sorted(result for [result] in results) == ["conflict"] * 15 + ["stored"]
        assert storage.streamers() == [decided[results.index([Committed.STORED])]]

    def test_a_thousand_records_are_replaced_in_one_call(self, storage: Storage) -> None:
        storage.add_streamers([streamer(str(n), f"login{n}", added=n) for n in range(1001)])
        renamed = [replace(streamer(str(n), f"new{n}", added=n), version=2) for n in range(1001)]

        assert storage.commit_streamers(renamed) == [Committed.STORED] * 1001

        assert storage.streamers() == renamed[::-1]

    def test_a_removed_record_cannot_be_replaced(self, storage: Storage) -> None:
        storage.add_streamers([streamer()])
        storage.remove_streamer("1")

        assert storage.commit_streamers([replace(streamer(), version=2)]) == [Committed.CONFLICT]

        assert storage.streamers() == []

    def test_a_change_decided_before_a_removal_is_a_conflict_after_it(
        self, storage: Storage
    ) -> None:
        storage.add_streamers([streamer()])
        storage.commit_streamers([replace(streamer(), version=2)])
        decided = replace(streamer(), online_subscription_id="old", version=3)
        storage.remove_streamer("1")
        storage.add_streamers([streamer(added=5)])

        assert storage.commit_streamers([decided]) == [Committed.CONFLICT]
        [again] = storage.streamers()
        assert again == replace(streamer(added=5), version=again.version)
        assert storage.commit_streamers([replace(again, version=again.version + 1)]) == ["stored"]

    def test_other_processes_see_changes_of_a_shared_storage(
        self, storage: Storage, open_storage: OpenStorage
    ) -> None:
        storage.add_streamers([streamer()])

        assert bool(open_storage().streamers()) is storage.shared

    def test_a_reachable_storage_answers_a_ping(self, storage: Storage) -> None:
        storage.ping()

        storage.close()
