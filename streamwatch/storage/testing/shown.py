"""What the API shows: the same documents as of the models, in the same order."""

import json
from collections.abc import Sequence

from streamwatch.domain.documents import Document, Json, event_document, status_document
from streamwatch.domain.models import EventType
from streamwatch.storage.base import Storage
from streamwatch.storage.testing.build import ContractBase, change, event, status, store, streamer


def documents(shown: Sequence[Json]) -> list[Document]:
    return [json.loads(document) for document in shown]


class ShownContract(ContractBase):
    def test_nothing_is_shown_at_first(self, storage: Storage) -> None:
        assert storage.status_json("ann") is None
        assert storage.live_json() == []
        assert storage.events_json(10) == []
        assert storage.events_of_type_json(EventType.ONLINE, 10) == []
        assert storage.events_of_streamer_json("ann", 10) == []

    def test_a_status_is_shown_by_login(self, storage: Storage) -> None:
        live, offline = status("1", "ann", viewers=3), status("2", "bob", live=False)
        store(storage, change(live), change(offline))

        assert documents([storage.status_json("ann") or Json(b"")]) == [status_document(live)]
        assert documents([storage.status_json("bob") or Json(b"")]) == [status_document(offline)]
        assert storage.status_json("cat") is None

    def test_who_was_removed_is_not_shown(self, storage: Storage) -> None:
        storage.add_streamers([streamer()])
        store(storage, change(status()))

        storage.remove_streamer("1")

        assert storage.status_json("ann") is None
        assert storage.live_json() == []

    def test_the_live_are_shown_with_most_viewers_first(self, storage: Storage) -> None:
        store(storage, *(change(status(str(n), f"login{n}", viewers=n % 7)) for n in range(1200)))
        store(storage, change(status("7", "login7", version=2, live=False)))

        shown = documents(storage.live_json())

        assert shown == [status_document(one) for one in storage.live()]
        assert len(shown) == 1199

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
