from contextlib import closing, suppress
from dataclasses import replace
from functools import partial
from threading import RLock

import pytest

from streamwatch.analytics.base import AnalyticsUnavailable
from streamwatch.analytics.mongo import MongoAnalytics
from streamwatch.analytics.testing.build import (
    CAP,
    by_id,
    expected_sessions,
    offline,
    online,
    snapshot,
    together,
)
from streamwatch.domain.models import StreamEvent, StreamSnapshot
from streamwatch.domain.progress import Progress, no_progress
from streamwatch.domain.session_events import ProjectionInput
from streamwatch.domain.times import utc_now
from streamwatch.services.analytics.dead_letters import DeadLetters
from streamwatch.services.analytics.projector import BATCH, READER, Projector
from streamwatch.services.feed_reader import RECLAIM_SECONDS
from streamwatch.storage.base import MAX_TRIES, FeedEntry, FeedRecord
from streamwatch.storage.memory.feed import MemoryFeed
from tests.clocks import ManualMonotonicClock
from tests.fakes import FailingProjection
from tests.servers import mongo_server
from tests.waiting import wait_for

Piece = StreamEvent | StreamSnapshot

STREAM: list[Piece] = [
    online("s1", 0),
    *(snapshot("s1", 60 * n, n) for n in range(20)),
    offline("s1", 1200),
]


@pytest.fixture
def clock() -> ManualMonotonicClock:
    return ManualMonotonicClock()


@pytest.fixture
def feed(clock: ManualMonotonicClock) -> MemoryFeed:
    return MemoryFeed(RLock(), clock)


@pytest.fixture
def analytics() -> FailingProjection:
    return FailingProjection()


@pytest.fixture
def projector(feed: MemoryFeed, analytics: FailingProjection) -> Projector:
    return Projector(feed, analytics, "test", utc_now)


def append(feed: MemoryFeed, *pieces: Piece) -> None:
    for piece in pieces:
        events = (piece,) if isinstance(piece, StreamEvent) else ()
        sample = piece if isinstance(piece, StreamSnapshot) else None
        feed.append(FeedRecord(piece.broadcaster_id, events, sample))


def test_sessions_follow_the_feed(
    feed: MemoryFeed, analytics: FailingProjection, projector: Projector
) -> None:
    append(feed, *STREAM)
    assert projector.run_once() == len(STREAM)
    assert by_id(analytics.sessions("1337", 10)) == expected_sessions(STREAM)
    assert projector.run_once() == 0
    [state] = feed.readers()
    assert (state.name, state.lag, state.pending, state.set_aside) == (READER, 0, 0, 0)


def test_a_long_feed_is_read_in_batches(
    feed: MemoryFeed, analytics: FailingProjection, projector: Projector
) -> None:
    samples = [snapshot("s1", 60 * n, n) for n in range(BATCH + 5)]
    append(feed, *samples)
    assert [projector.run_once() for _ in range(3)] == [BATCH, 5, 0]
    assert by_id(analytics.sessions("1337", 10)) == expected_sessions(samples)


def test_the_feed_is_retained_for_a_projector_without_a_database(
    feed: MemoryFeed, analytics: FailingProjection, projector: Projector
) -> None:
    feed.register("another")
    analytics.projection_error = AnalyticsUnavailable("down")
    append(feed, *STREAM)
    with pytest.raises(AnalyticsUnavailable):
        projector.run_once()
    feed.read("another", "test", 100, reclaim_seconds=60)
    feed.acknowledge("another", [str(n + 1) for n in range(len(STREAM))])
    assert feed.trim() == 0


def test_while_the_analytics_are_down_nothing_is_handed_out(
    feed: MemoryFeed, analytics: FailingProjection, projector: Projector
) -> None:
    projector.run_once()
    analytics.error = AnalyticsUnavailable("down")
    append(feed, *STREAM)
    with pytest.raises(AnalyticsUnavailable):
        projector.run_once()
    [state] = feed.readers()
    assert (state.lag, state.pending) == (len(STREAM), 0)
    analytics.error = None
    assert projector.run_once() == len(STREAM)


def test_a_batch_that_the_analytics_did_not_take_is_read_again(
    feed: MemoryFeed, analytics: FailingProjection, clock: ManualMonotonicClock
) -> None:
    failing = FailingProjection()
    failing.projection_error = AnalyticsUnavailable("down")
    append(feed, *STREAM)
    with pytest.raises(AnalyticsUnavailable):
        Projector(feed, failing, "one", utc_now).run_once()
    projector = Projector(feed, analytics, "another", utc_now)
    assert projector.run_once() == 0
    clock.advance(RECLAIM_SECONDS)
    assert projector.run_once() == len(STREAM)
    assert by_id(analytics.sessions("1337", 10)) == expected_sessions(STREAM)


def test_an_entry_that_cannot_be_projected_becomes_a_dead_letter(
    feed: MemoryFeed, analytics: FailingProjection, projector: Projector
) -> None:
    analytics.refused_viewers = 666
    wrong: list[Piece] = [
        replace(online("s1", 0), data={}),
        snapshot("s1", 0, -1),
        snapshot("s1", 1, 666),
    ]
    append(feed, *STREAM[:5], *wrong, *STREAM[5:])
    assert projector.run_once() == len(STREAM) + len(wrong)
    assert by_id(analytics.sessions("1337", 10)) == expected_sessions(STREAM)
    aside = feed.dead_letters(READER)
    assert [letter.id for letter in aside] == ["6", "7", "8"]
    assert "no start time" in aside[0].error
    assert "not a valid number of viewers" in aside[1].error
    assert aside[2].error == "refused"
    assert projector.run_once() == 0


def test_an_entry_that_shows_a_defect_delays_nothing_and_becomes_a_dead_letter(
    feed: MemoryFeed,
    clock: ManualMonotonicClock,
    analytics: FailingProjection,
    projector: Projector,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def project(observed: ProjectionInput) -> None:
        if any(sample.viewer_count == 666 for sample in observed.samples):
            raise ZeroDivisionError
        FailingProjection.project(analytics, observed)

    untimed = replace(online("s1", 0), timestamp=None)  # type: ignore[arg-type]
    wrong: list[Piece] = [untimed, snapshot("s1", 1, 666)]
    append(feed, *STREAM[:5], *wrong, *STREAM[5:])
    letters = DeadLetters(feed, analytics)
    with monkeypatch.context() as defective:
        defective.setattr(analytics, "project", project)
        assert projector.run_once() == len(STREAM) + len(wrong)
        assert by_id(analytics.sessions("1337", 10)) == expected_sessions(STREAM)
        assert (feed.readers()[0].pending, feed.dead_letters(READER)) == (2, [])
        for _ in range(MAX_TRIES - 1):
            clock.advance(RECLAIM_SECONDS)
            projector.run_once()
        failed = [(letter.id, error) for letter, error in letters.replay(no_progress).failed]
    assert failed == [
        ("6", "An unexpected error: AttributeError"),
        ("7", "An unexpected error: ZeroDivisionError"),
    ]
    assert projector.run_once() == feed.readers()[0].pending == 0


def test_a_conversion_of_older_analytics_is_logged_at_its_start_and_each_tenth(
    feed: MemoryFeed, analytics: FailingProjection, caplog: pytest.LogCaptureFixture
) -> None:
    def migrate(progress: Progress) -> list[str]:
        for done in range(1001):
            progress(done, 1000)
        return ["imported 1000 lines"]

    caplog.set_level("INFO")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(analytics, "migrate", migrate)
        projector = Projector(feed, analytics, "test", utc_now)
        projector.run_once()
        projector.run_once()
    assert caplog.messages == [
        *(f"Analytics: converted {10 * n} % of what an earlier version stored" for n in range(11)),
        "Analytics: imported 1000 lines",
    ]


def test_an_entry_that_cannot_be_read_is_set_aside(analytics: FailingProjection) -> None:
    class UnreadableRecord(MemoryFeed):
        def read(self, *args: object, **options: object) -> list[FeedEntry]:
            entries = super().read(*args, **options)  # type: ignore[arg-type]
            return [replace(entry, record=None, error="not JSON") for entry in entries]

    feed = UnreadableRecord(RLock(), ManualMonotonicClock())
    append(feed, STREAM[0])
    assert Projector(feed, analytics, "test", utc_now).run_once() == 1
    assert [letter.error for letter in feed.dead_letters(READER)] == ["not JSON"]
    assert feed.readers()[0].pending == 0


def caught_up(feed: MemoryFeed, clock: ManualMonotonicClock, projectors: list[Projector]) -> bool:
    """Whether everything is projected, after one more turn a while later; a MongoDB that has just
    started may still be too slow."""
    clock.advance(RECLAIM_SECONDS)
    with suppress(AnalyticsUnavailable):
        together(*(projector.run_once for projector in projectors))
    return all(reader.lag + reader.pending == 0 for reader in feed.readers())


@pytest.mark.xdist_group("mongo")
def test_an_hour_without_mongodb_costs_no_sample(
    feed: MemoryFeed, clock: ManualMonotonicClock
) -> None:
    with (
        mongo_server() as server,
        closing(MongoAnalytics(server.url, "streamwatch", CAP)) as analytics,
    ):
        projectors = [Projector(feed, analytics, name, utc_now) for name in ("one", "two")]
        append(feed, *STREAM[:7])
        wait_for(lambda: caught_up(feed, clock, projectors))
        server.freeze()
        append(feed, *STREAM[7:])
        for _ in range(2):
            with pytest.raises(AnalyticsUnavailable):
                projectors[0].run_once()
        server.thaw()
        server.stop()
        with pytest.raises(AnalyticsUnavailable):
            projectors[0].run_once()
        server.start()
        wait_for(lambda: caught_up(feed, clock, projectors))
        assert by_id(analytics.sessions("1337", 10)) == expected_sessions(STREAM)
        assert len(analytics.snapshots(None, 100)) == 20
        assert [reader.lag + reader.pending for reader in feed.readers()] == [0]


@pytest.mark.xdist_group("mongo")
def test_two_projectors_at_once_project_everything_once(
    feed: MemoryFeed, mongodb_url: str, mongodb_database: str
) -> None:
    stores = [MongoAnalytics(mongodb_url, mongodb_database, CAP) for _ in range(2)]
    users = [f"user-{n}" for n in range(30)]
    pieces: dict[str, list[Piece]] = {
        user: [
            online(f"{user}-s", 0, user_id=user),
            *(snapshot(f"{user}-s", 60 * n, n, user_id=user) for n in range(40)),
            offline(None, 2400, user_id=user),
        ]
        for user in users
    }
    append(feed, *(piece for several in zip(*pieces.values(), strict=True) for piece in several))

    def run(projector: Projector) -> None:
        while projector.run_once():
            pass

    together(*(partial(run, Projector(feed, s, str(n), utc_now)) for n, s in enumerate(stores)))
    for user in users:
        assert by_id(stores[0].sessions(user, 10)) == expected_sessions(pieces[user])
    assert stores[0].summary().totals.sums.samples == 30 * 40
    for store in stores:
        store.close()
