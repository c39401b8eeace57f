"""What the API shows: the same documents as of the models, in the same order."""

import json
from typing import Any

from streamwatch.domain.documents import JsonList, event_document, status_document, to_json
from streamwatch.domain.models import EventType, StreamStatus
from streamwatch.storage.base import Storage
from streamwatch.storage.testing.build import (
    ContractBase,
    OpenStorage,
    change,
    event,
    status,
    store,
    streamer,
)


def documents(shown: JsonList) -> Any:
    found = json.loads(shown.array)
    assert len(found) == shown.count
    return found


def _shown(live: list[StreamStatus]) -> JsonList:
    return JsonList.of([to_json(status_document(one)) for one in live])


class ShownContract(ContractBase):
    def test_nothing_is_shown_at_first(self, storage: Storage) -> None:
        assert storage.status_json("ann") is None
        nothing = JsonList.of([])
        assert storage.live_json() == nothing
        assert storage.events_json(10) == nothing
        assert storage.events_of_type_json(EventType.ONLINE, 10) == nothing
        assert storage.events_of_streamer_json("ann", 10) == nothing

    def test_a_status_is_shown_by_login(self, storage: Storage) -> None:
        live, offline = status("1", "ann", viewers=3), status("2", "bob", live=False)
        store(storage, change(live), change(offline))

        assert json.loads(storage.status_json("ann") or b"") == status_document(live)
        assert json.loads(storage.status_json("bob") or b"") == status_document(offline)
        assert storage.status_json("cat") is None

    def test_who_was_removed_is_not_shown(self, storage: Storage) -> None:
        storage.add_streamers([streamer()])
        store(storage, change(status()))

        storage.remove_streamer("1")

        assert storage.status_json("ann") is None
        assert documents(storage.live_json()) == []

    def test_the_live_are_shown_with_most_viewers_first(self, storage: Storage) -> None:
        store(storage, *(change(status(str(n), f"login{n}", viewers=n % 7)) for n in range(1200)))
        store(storage, change(status("7", "login7", version=2, live=False)))

        shown = documents(storage.live_json())

        assert shown == [status_document(one) for one in storage.live()]
        assert len(shown) == 1199

    def test_the_live_are_shown_as_they_are_now(self, open_storage: OpenStorage) -> None:
        one = open_storage()
        other = open_storage() if one.shared else one
        one.add_streamers([streamer()])
        changes = [
            change(status(viewers=1)),
            change(status(version=2, viewers=2)),
            change(status("2", "bob", viewers=3)),
            change(status(version=3, live=False)),
        ]
        for each in changes:
            store(one, each)
            assert other.live_json() == one.live_json() == _shown(one.live())
        store(one, change(status(version=4)))
        assert other.live_json().count == 2

        one.remove_streamer("1")

        assert other.live_json() == _shown(one.live())

    def test_events_are_shown_newest_first(self, storage: Storage) -> None:
        on = event("e1", 1, title='A "title" ♥\n')
        off = event("e2", 2, event_type=EventType.OFFLINE)
        store(storage, change(status(), on, off))

        assert documents(storage.events_json(10)) == [event_document(off), event_document(on)]
        assert documents(storage.events_json(1)) == [event_document(off)]
        assert documents(storage.events_of_type_json(EventType.ONLINE, 10)) == [event_document(on)]
        assert documents(storage.events_of_streamer_json("ann", 10)) == [
            event_document(off),
            event_document(on),
        ]
