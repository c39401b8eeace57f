"""Contract tests of the event histories: bounded, sorted by the events' own times."""

from streamwatch.domain.models import EventType
from streamwatch.storage.base import Storage
from streamwatch.storage.testing.build import (
    ContractBase,
    OpenStorage,
    change,
    event,
    status,
    store,
    store_events,
)


class HistoryContract(ContractBase):
    def test_a_new_history_is_empty(self, storage: Storage) -> None:
        assert storage.events(10) == []
        assert storage.events_of_type(EventType.OFFLINE, 10) == []

    def test_events_are_sorted_by_their_own_times(self, storage: Storage) -> None:
        late, later, latest = event("c", 1), event("a", 1.000001), event("b", 2)

        store(storage, change(status(), later))
        store(storage, change(status(version=2), latest, late))

        assert storage.events(10) == [latest, later, late]
        assert storage.events_of_type(EventType.ONLINE, 10) == [latest, later, late]
        assert storage.events_of_streamer("ann", 10) == [latest, later, late]

    def test_events_with_equal_times_are_sorted_by_id(self, storage: Storage) -> None:
        store(storage, change(status(), event("b"), event("c"), event("a")))

        assert [found.id for found in storage.events(10)] == ["c", "b", "a"]

    def test_an_event_is_stored_once(self, storage: Storage) -> None:
        store(storage, change(status(), event("e1")))

        store(storage, change(status(version=2), event("e1")))

        assert storage.events(10) == storage.events_of_streamer("ann", 10) == [event("e1")]

    def test_a_limit_returns_the_newest_events(self, storage: Storage) -> None:
        store_events(storage, "e1", "e2", "e3")

        assert [found.id for found in storage.events(2)] == ["e3", "e2"]
        assert [found.id for found in storage.events_of_streamer("login1", 1)] == ["e3"]
        assert [found.id for found in storage.events_of_type(EventType.ONLINE, 1)] == ["e3"]

    def test_each_event_type_has_its_own_history(self, storage: Storage) -> None:
        on = event("e1", 1, event_type=EventType.ONLINE)
        off = event("e2", 2, event_type=EventType.OFFLINE)
        store(storage, change(status(), on, off))

        assert storage.events_of_type(EventType.ONLINE, 10) == [on]
        assert storage.events_of_type(EventType.OFFLINE, 10) == [off]

    def test_each_history_retains_the_newest_events(self, open_storage: OpenStorage) -> None:
        storage = open_storage(events_kept=3)
        store_events(storage, "e1", "e2", "e3", "e4", "e5")

        for history in (
            storage.events(10),
            storage.events_of_type(EventType.ONLINE, 10),
            storage.events_of_streamer("login1", 10),
        ):
            assert [found.id for found in history] == ["e5", "e4", "e3"]

    def test_a_late_event_does_not_displace_a_newer_one(self, open_storage: OpenStorage) -> None:
        storage = open_storage(events_kept=2)
        store_events(storage, "e1", "e2")

        store(storage, change(status(version=3), event("late", -1)))

        assert [found.id for found in storage.events(10)] == ["e2", "e1"]

    def test_events_of_a_quiet_streamer_are_not_displaced_by_others(
        self, open_storage: OpenStorage
    ) -> None:
        storage = open_storage(events_kept=3)
        store_events(storage, "quiet1", "quiet2", user_id="1")

        store_events(storage, *(f"loud{n}" for n in range(50)), user_id="2")

        quiet = storage.events_of_streamer("login1", 10)
        assert [found.id for found in quiet] == ["quiet2", "quiet1"]
