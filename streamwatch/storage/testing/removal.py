"""Contract tests of `Storage.remove_streamer`."""

from dataclasses import replace

from streamwatch.storage.base import Committed, Storage
from streamwatch.storage.testing.build import (
    ContractBase,
    change,
    event,
    event_ids,
    read,
    status,
    store,
    streamer,
)


class RemovalContract(ContractBase):
    def test_removal_deletes_record_and_status_and_keeps_the_history(
        self, storage: Storage
    ) -> None:
        storage.add_streamers([streamer("1", "ann"), streamer("2", "bob")])
        store(storage, change(status("1", "ann"), event("e1")), change(status("2", "bob")))

        assert storage.remove_streamer("1") == streamer("1", "ann")

        assert storage.streamers() == [streamer("2", "bob")]
        assert storage.find_streamers(["ann"]) == {}
        assert storage.status("1") is None
        assert storage.find_status("ann") is None
        assert storage.live() == [status("2", "bob")]
        assert list(storage.awaiting_details()) == ["2"]
        assert [found.id for found in storage.events(10)] == ["e1"]
        assert [found.id for found in storage.events_of_streamer("ann", 10)] == ["e1"]

    def test_removing_an_unmonitored_user_changes_nothing(self, storage: Storage) -> None:
        store(storage, change(status("1", "ann")))

        assert storage.remove_streamer("1") is None

        assert storage.status("1") == status("1", "ann")
        store(storage, change(status("1", "ann", version=2)))
        assert storage.live() == [status("1", "ann", version=2)]

    def test_late_messages_change_only_the_hidden_status(self, storage: Storage) -> None:
        storage.add_streamers([streamer("1", "ann")])
        store(storage, change(status("1", "ann"), event("e1", 1), message_id="e1"))
        storage.remove_streamer("1")
        assert storage.statuses(["1", "2"]) == {"1": replace(status("1", "ann"), is_removed=True)}

        later = replace(status("1", "ann", version=2), is_removed=True)
        late = change(later, event("e2", 2), message_id="e2")
        assert storage.commit([late, late]) == [Committed.STORED, Committed.DUPLICATE]

        assert storage.statuses(["1"]) == {"1": later}
        assert storage.status("1") is None
        assert storage.find_status("ann") is None
        assert storage.live() == []
        assert storage.awaiting_details() == {}
        assert [found.id for found in storage.events_of_streamer("ann", 10)] == ["e2", "e1"]
        assert event_ids(read(storage)) == ["e1", "e2"]

    def test_a_second_removal_before_any_change_keeps_the_hidden_status(
        self, storage: Storage
    ) -> None:
        storage.add_streamers([streamer("1", "ann")])
        store(storage, change(status("1", "ann"), event("e1")))
        storage.remove_streamer("1")
        storage.add_streamers([streamer("1", "ann")])

        storage.remove_streamer("1")

        assert storage.statuses(["1"]) == {"1": replace(status("1", "ann"), is_removed=True)}

    def test_a_change_based_on_another_version_of_the_hidden_status_is_a_conflict(
        self, storage: Storage
    ) -> None:
        storage.add_streamers([streamer("1", "ann")])
        store(storage, change(status("1", "ann"), event("e1", 1)))
        storage.remove_streamer("1")

        for version in (1, 3):
            late = change(status("1", "ann", version=version), event("e2", 2))
            assert storage.commit([late]) == [Committed.CONFLICT]

        assert [found.id for found in storage.events(10)] == ["e1"]

    def test_a_late_message_does_not_take_a_login_from_its_new_owner(
        self, storage: Storage
    ) -> None:
        storage.add_streamers([streamer("1", "ann")])
        storage.remove_streamer("1")
        store(storage, change(status("2", "ann")))

        store(storage, change(status("1", "ann"), event("e1")))

        assert storage.find_status("ann") == status("2", "ann")

    def test_a_streamer_added_again_gets_the_old_status_back(self, storage: Storage) -> None:
        storage.add_streamers([streamer("1", "ann")])
        store(storage, change(status("1", "ann")))
        storage.remove_streamer("1")

        assert storage.add_streamers([streamer("1", "ann")]) == {"1"}
        assert storage.status("1") is None
        assert storage.statuses(["1"]) == {"1": replace(status("1", "ann"), is_returning=True)}
        store(storage, change(status("1", "ann", version=2)))

        assert storage.live() == [status("1", "ann", version=2)]
        storage.remove_streamer("1")
        assert storage.statuses(["1"]) == {
            "1": replace(status("1", "ann", version=2), is_removed=True)
        }
