from datetime import UTC, datetime

from streamwatch.analytics.memory import MemoryAnalytics
from streamwatch.services.observer import Observer
from streamwatch.services.projector import READER
from streamwatch.services.set_aside import SetAsideEntries
from streamwatch.settings import Settings
from streamwatch.storage.base import FeedEntry
from streamwatch.storage.memory import MemoryStorage
from tests.domain.build import offline, online

AT = datetime(2026, 6, 1, tzinfo=UTC)


def test_what_can_be_projected_is_forgotten_and_what_cannot_be_read_stays() -> None:
    storage, analytics = MemoryStorage(), MemoryAnalytics.from_settings(Settings())
    storage.feed.register(READER)
    for change in (online("9001", 0), offline("9001", 60)):
        Observer(storage).observe([change])
    good, bad = storage.feed.read(READER, "test", 2, reclaim_seconds=60)
    storage.feed.set_aside(READER, good, "something was wrong", AT)
    storage.feed.set_aside(READER, FeedEntry(bad.id, None), "something was wrong", AT)
    told: list[tuple[int, int]] = []

    replayed = SetAsideEntries(storage.feed, analytics).replay(
        lambda done, total: told.append((done, total))
    )

    assert replayed.done == 1
    [(left, error)] = replayed.failed
    assert (left.id, error) == (bad.id, "What is stored cannot be read.")
    assert SetAsideEntries(storage.feed, analytics).all() == [left]
    assert analytics.find("cool_user") is not None
    assert told == [(1, 2), (2, 2)]
