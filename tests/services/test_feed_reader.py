"""Reading the feed: every entry is processed or becomes a dead letter, and delays no other."""

from collections.abc import Callable, Sequence
from threading import RLock

import pytest

from streamwatch.analytics.base import AnalyticsUnavailable
from streamwatch.domain.models import StreamEvent
from streamwatch.domain.times import utc_now
from streamwatch.services.feed_reader import RECLAIM_SECONDS, FeedReader
from streamwatch.storage.base import (
    MAX_TRIES,
    FeedRecord,
    StorageError,
    StorageUnavailable,
    UnreadableRecord,
)
from streamwatch.storage.memory.feed import MemoryFeed
from streamwatch.storage.testing.build import event
from tests.clocks import ManualMonotonicClock

Items = Sequence[Sequence[StreamEvent]]


class Reading:
    """A reader of a feed with three entries. `errors` has what processing an event raises."""

    def __init__(self) -> None:
        self.clock = ManualMonotonicClock()
        self.feed = MemoryFeed(RLock(), self.clock)
        self.errors: dict[str, Exception] = {}
        self.processed: list[str] = []
        self.reader = FeedReader(
            feed=self.feed,
            name="reader",
            consumer="one",
            batch=10,
            convert=lambda record: record.events,
            process=self._process,
            clock=utc_now,
        )
        self.reader.register()
        for name in ("m1", "m2", "m3"):
            self.feed.append(FeedRecord("1", (event(name),)))

    def _process(self, items: Items) -> None:
        names = [event.id for events in items for event in events]
        for name in names:
            if name in self.errors:
                raise self.errors[name]
        self.processed += names

    def again(self) -> None:
        self.clock.advance(RECLAIM_SECONDS)
        self.reader.run_once()

    @property
    def dead_letters(self) -> list[str]:
        return [letter.error for letter in self.feed.dead_letters("reader")]


@pytest.fixture
def reading() -> Reading:
    return Reading()


def test_an_unreadable_value_concerns_only_its_entry(reading: Reading) -> None:
    reading.errors["m2"] = UnreadableRecord("A stored value cannot be read.")
    reading.reader.run_once()

    assert reading.processed == ["m1", "m3"]
    assert reading.dead_letters == ["A stored value cannot be read."]


@pytest.mark.parametrize("error", [StorageUnavailable, StorageError, AnalyticsUnavailable])
def test_during_an_outage_all_entries_wait(
    reading: Reading, error: Callable[[str], Exception]
) -> None:
    reading.errors["m2"] = error("no answer")
    for _ in range(MAX_TRIES + 1):
        with pytest.raises((StorageError, AnalyticsUnavailable)):
            reading.again()
    assert reading.processed == reading.dead_letters == []

    reading.errors.clear()
    reading.again()
    assert reading.processed == ["m1", "m2", "m3"]


def test_after_an_unexpected_error_an_entry_is_read_again(reading: Reading) -> None:
    reading.errors["m2"] = ZeroDivisionError()
    for _ in range(MAX_TRIES):
        assert reading.dead_letters == []
        reading.again()

    assert reading.processed == ["m1", "m3"]
    assert reading.dead_letters == ["An unexpected error: ZeroDivisionError"]
