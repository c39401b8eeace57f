"""Contract tests of logins: a login can change, and can pass to another user."""

from dataclasses import replace

from streamwatch.storage.base import Committed, Storage
from streamwatch.storage.testing.build import ContractBase, change, event, status, store, streamer


class LoginContract(ContractBase):
    def test_a_status_is_found_by_id_and_by_login(self, storage: Storage) -> None:
        ann = status("1", "ann")
        store(storage, change(ann))

        assert storage.status("1") == storage.find_status("ann") == ann
        assert storage.statuses(["1", "2"]) == {"1": ann}

    def test_nothing_is_found_for_an_unknown_user(self, storage: Storage) -> None:
        assert storage.status("1") is None
        assert storage.find_status("ann") is None
        assert storage.events_of_streamer("ann", 10) == []

    def test_a_streamer_without_a_status_has_no_status_by_login(self, storage: Storage) -> None:
        storage.add_streamers([streamer("1", "ann")])

        assert storage.find_status("ann") is None
        assert storage.events_of_streamer("ann", 10) == []

    def test_a_renamed_record_is_found_by_the_new_login_only(self, storage: Storage) -> None:
        storage.add_streamers([streamer("1", "ann")])
        store(storage, change(status("1", "ann"), event("e1")))
        renamed = replace(streamer("1", "ann"), login="anna", version=2)

        assert storage.commit_streamers([renamed]) == [Committed.STORED]

        assert storage.find_streamers(["ann", "anna"]) == {"anna": renamed}
        assert storage.find_status("ann") is None
        assert storage.find_status("anna") == status("1", "ann")
        assert [found.id for found in storage.events_of_streamer("anna", 10)] == ["e1"]
        assert storage.events_of_streamer("ann", 10) == []

    def test_a_renamed_status_is_found_by_the_new_login_only(self, storage: Storage) -> None:
        storage.add_streamers([streamer("1", "ann")])
        store(storage, change(status("1", "ann"), event("e1", 1)))
        renamed = status("1", "anna", version=2)

        store(storage, change(renamed, event("e2", 2), previous_login="ann"))

        assert storage.find_status("ann") is None
        assert storage.find_status("anna") == renamed
        assert storage.find_streamers(["ann", "anna"]) == {"anna": streamer("1", "ann")}
        assert [found.id for found in storage.events_of_streamer("anna", 10)] == ["e2", "e1"]

    def test_a_released_login_can_be_taken_by_another_user(self, storage: Storage) -> None:
        store(storage, change(status("1", "ann"), event("e1", user_id="1")))
        store(storage, change(status("1", "anna", version=2), previous_login="ann"))

        store(storage, change(status("2", "ann"), event("e2", user_id="2")))

        assert [found.id for found in storage.events_of_streamer("ann", 10)] == ["e2"]
        assert [found.id for found in storage.events_of_streamer("anna", 10)] == ["e1"]

    def test_releasing_a_login_does_not_take_it_from_its_new_owner(self, storage: Storage) -> None:
        store(storage, change(status("1", "ann")))
        store(storage, change(status("2", "ann")))

        store(storage, change(status("1", "anna", version=2), previous_login="ann"))

        assert storage.find_status("ann") == status("2", "ann")

    def test_a_user_who_lost_a_login_does_not_take_it_back(self, storage: Storage) -> None:
        storage.add_streamers([streamer("1", "ann")])
        store(storage, change(status("1", "ann")))
        store(storage, change(status("2", "ann")))

        store(storage, change(status("1", "ann", version=2)))
        storage.commit_streamers([replace(streamer("1", "ann"), version=2)])

        assert storage.find_status("ann") == status("2", "ann")

    def test_a_new_streamer_takes_their_login_from_another(self, storage: Storage) -> None:
        storage.add_streamers([streamer("1", "ann")])

        storage.add_streamers([streamer("2", "ann")])

        assert storage.find_streamers(["ann"]) == {"ann": streamer("2", "ann")}

    def test_two_streamers_can_swap_their_logins(self, storage: Storage) -> None:
        storage.add_streamers([streamer("1", "ann"), streamer("2", "bob")])

        bob = replace(streamer("1", "bob"), version=2)
        ann = replace(streamer("2", "ann"), version=2)
        storage.commit_streamers([bob, ann])

        assert storage.find_streamers(["ann", "bob"]) == {"ann": ann, "bob": bob}
