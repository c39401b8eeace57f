import time
from dataclasses import replace
from datetime import UTC, datetime
from threading import RLock

from streamwatch.analytics.memory import MemoryAnalytics
from streamwatch.services.analytics.dead_letters import DeadLetters
from streamwatch.services.analytics.projector import READER
from streamwatch.services.ingestion.recorder import ObservationRecorder
from streamwatch.settings import Settings
from streamwatch.storage.base import DeadLetter
from streamwatch.storage.memory import MemoryStorage
from streamwatch.storage.memory.feed import MemoryFeed
from tests.domain.build import offline, online

AT = datetime(2026, 6, 1, tzinfo=UTC)


class FeedOfBefore(MemoryFeed):
    """One entry is of another version's making, and cannot be read."""

    unreadable: str

    def dead_letters(self, reader: str) -> list[DeadLetter]:
        return [
            replace(entry, record=None) if entry.id == self.unreadable else entry
            for entry in super().dead_letters(reader)
        ]


def test_replayed_dead_letters_are_deleted_and_unreadable_ones_stay() -> None:
    storage, analytics = MemoryStorage(), MemoryAnalytics.from_settings(Settings())
    feed = storage.feed = FeedOfBefore(RLock(), time.monotonic)
    feed.register(READER)
    for change in (online("9001", 0), offline("9001", 60)):
        ObservationRecorder(storage).record([change])
    good, bad = feed.read(READER, "test", 2, reclaim_seconds=60)
    for entry in (good, bad):
        feed.add_dead_letter(READER, entry, "something was wrong", AT)
    feed.unreadable = bad.id
    progress: list[tuple[int, int]] = []

    replayed = DeadLetters(feed, analytics).replay(
        lambda done, total: progress.append((done, total))
    )

    assert replayed.done == 1
    [(left, error)] = replayed.failed
    assert (left.id, error) == (bad.id, "The stored entry cannot be read.")
    assert DeadLetters(feed, analytics).all() == [left]
    assert analytics.find("cool_user") is not None
    assert progress == [(1, 2), (2, 2)]
