"""Contract tests of pages of the histories: no event is missed or repeated."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random

from streamwatch.domain.models import EventReference, EventType, StreamEvent
from streamwatch.domain.positions import Position
from streamwatch.storage.base import Storage
from streamwatch.storage.testing.build import (
    ContractBase,
    OpenStorage,
    at,
    change,
    event,
    status,
    store,
)

ReadPage = Callable[[int, Position | None], list[StreamEvent]]


class PagingContract(ContractBase):
    def test_a_page_starts_after_the_position_of_an_event(self, storage: Storage) -> None:
        stored = [event(f"e{n}", n // 3) for n in range(8)]  # three with each time
        store(storage, change(status(), *stored))

        for read in _histories(storage):
            pages = list(_pages(read, 3))
            assert [len(page) for page in pages] == [3, 3, 2]
            assert [found for page in pages for found in page] == stored[::-1]

    def test_a_position_between_events_is_allowed(self, storage: Storage) -> None:
        store(storage, change(status(), event("e1", 1), event("e3", 3)))

        for read in _histories(storage):
            assert read(5, Position(at(2), "e2")) == [event("e1", 1)]
            assert read(5, Position(at(3), "e2")) == [event("e1", 1)]
            assert read(5, Position(at(3), "e4")) == [event("e3", 3), event("e1", 1)]
            assert read(5, Position(at(0), "e0")) == []

    def test_a_corrected_event_keeps_its_position_among_others_of_its_time(
        self, storage: Storage
    ) -> None:
        names = ("poll:b", "poll:c", "poll:a")
        store(storage, change(status(), *(event(name) for name in names)))
        positions = [found.position for found in storage.events(3)]

        for version, (name, corrected) in enumerate(
            zip(("poll:a", "poll:c"), ("zzz", "000"), strict=True), start=2
        ):
            message = replace(event(corrected, 9), replaces=name)
            reference = EventReference(name, EventType.ONLINE, at(0))
            store(storage, change(status(version=version), message, replaced_events=(reference,)))

        for read in _histories(storage):
            assert [found.id for found in read(3, None)] == ["000", "poll:b", "zzz"]
            assert [found.position for found in read(3, None)] == positions
            assert [found.id for page in _pages(read, 1) for found in page] == [
                "000",
                "poll:b",
                "zzz",
            ]

    def test_a_walk_while_events_arrive_shows_each_earlier_event_once(
        self, open_storage: OpenStorage
    ) -> None:
        storage, random = open_storage(events_kept=10_000), Random(3)  # noqa: S311  reproducible
        version = 0

        def arrive(count: int) -> list[StreamEvent]:
            nonlocal version
            version += 1
            new = [event(f"e{random.random()}", random.randrange(20)) for _ in range(count)]
            store(storage, change(status(version=version), *new))
            return new

        before = {found.id for found in arrive(150)}
        shown: list[str] = []
        for page in _pages(storage.events, 7):
            shown += [found.id for found in page]
            arrive(5)

        assert len(shown) == len(set(shown))
        assert before <= set(shown)


def _histories(storage: Storage) -> list[ReadPage]:
    """The three histories that have the events of `ann`."""
    return [
        storage.events,
        lambda limit, after: storage.events_of_type(EventType.ONLINE, limit, after),
        lambda limit, after: storage.events_of_streamer("ann", limit, after),
    ]


def _pages(read: ReadPage, limit: int) -> Iterator[list[StreamEvent]]:
    after = None
    while page := read(limit, after):
        yield page
        after = page[-1].position
