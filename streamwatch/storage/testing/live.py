"""Contract tests of the list of live streamers and of streams that await details."""

from streamwatch.storage.base import Storage
from streamwatch.storage.testing.build import ContractBase, at, change, status, store


class LiveContract(ContractBase):
    def test_nobody_is_live_at_first(self, storage: Storage) -> None:
        assert storage.live() == []
        assert storage.awaiting_details() == {}

    def test_live_streamers_are_sorted_by_viewers(self, storage: Storage) -> None:
        few, many, unknown = (
            status("1", "ann", viewers=9),
            status("2", "bob", viewers=10),
            status("3", "cat", viewers=None),
        )
        store(storage, change(unknown), change(few), change(many))

        assert storage.live() == [many, few, unknown]

    def test_live_streamers_with_equal_viewers_have_a_stable_order(self, storage: Storage) -> None:
        store(storage, *(change(status(key, f"l{key}", viewers=5)) for key in "2413"))

        assert [found.user_id for found in storage.live()] == ["4", "3", "2", "1"]

    def test_a_new_viewer_count_changes_the_order(self, storage: Storage) -> None:
        store(storage, change(status("1", "ann", viewers=1)), change(status("2", viewers=5)))

        store(storage, change(status("1", "ann", version=2, viewers=6)))

        assert [found.user_id for found in storage.live()] == ["1", "2"]

    def test_a_streamer_who_goes_offline_is_no_longer_listed_as_live(
        self, storage: Storage
    ) -> None:
        store(storage, change(status()))

        store(storage, change(status(version=2, live=False)))

        assert storage.live() == []
        assert storage.awaiting_details() == {}

    def test_an_offline_streamer_has_a_status(self, storage: Storage) -> None:
        store(storage, change(status(live=False)))

        assert storage.status("1") == status(live=False)
        assert storage.live() == []

    def test_a_stream_awaits_details_until_a_poll_finds_them(self, storage: Storage) -> None:
        store(storage, change(status(updated=1.5)))
        assert storage.awaiting_details() == {"1": at(1.5)}

        store(storage, change(status(version=2, updated=2.000001)))
        assert storage.awaiting_details() == {"1": at(2.000001)}

        store(storage, change(status(version=3, viewers=0)))
        assert storage.awaiting_details() == {}
        assert storage.live() == [status(version=3, viewers=0)]
