"""The history of events: what is read to find those that are wanted."""

from dataclasses import replace
from datetime import timedelta

from streamwatch.analytics.testing.build import at, online
from streamwatch.domain.models import EventType, StreamEvent
from streamwatch.domain.positions import Position
from streamwatch.services.events import EventHistory
from streamwatch.storage.memory import MemoryStorage


class LongHistory(MemoryStorage):
    """A storage with 100,000 events of one streamer, and the sizes of all reads."""

    def __init__(self) -> None:
        super().__init__()
        newest = online("s1", 0)
        self.newest_first = [
            replace(newest, id=f"{number:06}", timestamp=at(0) - timedelta(seconds=number))
            for number in range(100_000)
        ]
        self.limits: list[int] = []

    def events(self, limit: int, after: Position | None = None) -> list[StreamEvent]:
        self.limits.append(limit)
        begin = 0 if after is None else int(after.id) + 1
        return self.newest_first[begin : begin + limit]

    def events_of_type(
        self, event_type: EventType, limit: int, after: Position | None = None
    ) -> list[StreamEvent]:
        return self.events(limit, after)


def test_a_search_without_a_match_reads_the_history_in_small_pieces() -> None:
    storage = LongHistory()
    assert EventHistory(storage).newest(51, user_ids={"2"}) == []
    assert sum(storage.limits) >= 100_000
    assert max(storage.limits) <= 1001


def test_events_beyond_the_first_piece_are_found() -> None:
    storage = LongHistory()
    oldest = storage.newest_first[-1] = replace(storage.newest_first[-1], broadcaster_id="2")
    assert EventHistory(storage).newest(51, user_ids={"2"}) == [oldest]


def test_events_of_nobody_are_not_searched() -> None:
    storage = LongHistory()
    assert EventHistory(storage).newest(51, user_ids=()) == []
    assert EventHistory(storage).of_type(EventType.ONLINE, 51, user_ids=()) == []
    assert storage.limits == []
