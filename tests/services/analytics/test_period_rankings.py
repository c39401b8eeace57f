"""Rankings by period, and how often they are computed."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import datetime
from threading import Event

import pytest

from streamwatch.analytics.base import AnalyticsUnavailable
from streamwatch.analytics.memory import MemoryAnalytics
from streamwatch.analytics.testing.build import CAP, as_input, at, offline, online
from streamwatch.domain.positions import Position
from streamwatch.domain.sessions import StreamSession
from streamwatch.domain.totals import Ranking
from streamwatch.services.analytics.period_rankings import PeriodRankings
from tests.clocks import ManualClock
from tests.waiting import wait_for

HOUR, DAY = 3600, 86_400
SECONDS = 30


class GatedAnalytics(MemoryAnalytics):
    """Counts the reads of sessions, each of which waits until `gate` is set."""

    def __init__(self) -> None:
        super().__init__(CAP)
        self.gate = Event()
        self.gate.set()
        self.reads = 0

    def each_session(
        self, user_id: str, since: datetime | None = None, after: Position | None = None
    ) -> Iterator[StreamSession]:
        self.reads += 1
        assert self.gate.wait(SECONDS)
        return super().each_session(user_id, since, after)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(at(0))


@pytest.fixture
def analytics() -> GatedAnalytics:
    """One streamer with streams of 1, 2 and 3 hours, 5, 10 and 20 days ago."""
    analytics = GatedAnalytics()
    for hours, days in ((1, 5), (2, 10), (3, 20)):
        start = -days * DAY
        analytics.project(
            as_input(online(f"s{days}", start), offline(f"s{days}", start + hours * HOUR))
        )
    analytics.reads = 0
    return analytics


@pytest.fixture
def rankings(analytics: GatedAnalytics, clock: ManualClock) -> PeriodRankings:
    return PeriodRankings(analytics, clock)


def hours(rankings: PeriodRankings, days: int = 7) -> tuple[float, float]:
    """The hours of the only streamer in the period and in the one before."""
    [entry] = rankings.top(Ranking.WATCHED, days)
    assert entry.before is not None
    return entry.stats.totals.hours_streamed, entry.before.hours_streamed


def test_sessions_are_read_once_for_a_period_and_the_one_before(
    rankings: PeriodRankings, analytics: GatedAnalytics
) -> None:
    assert hours(rankings) == (1, 2)
    assert analytics.reads == 1
    assert hours(rankings, 30) == (6, 0)
    assert analytics.reads == 2


def test_a_streamer_without_a_stream_in_the_period_is_not_ranked(
    rankings: PeriodRankings, clock: ManualClock
) -> None:
    clock.advance(3 * DAY)
    assert rankings.top(Ranking.WATCHED, 7) == []


def test_a_ranking_that_many_ask_for_is_computed_once(
    rankings: PeriodRankings, analytics: GatedAnalytics
) -> None:
    analytics.gate.clear()
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(hours, rankings, 365) for _ in range(8)]
        wait_for(lambda: analytics.reads > 0)
        analytics.gate.set()
        assert [each.result(SECONDS) for each in asked] == [(6, 0)] * 8
    assert analytics.reads == 1


def test_the_previous_ranking_is_shown_while_a_new_one_is_computed(
    rankings: PeriodRankings, analytics: GatedAnalytics, clock: ManualClock
) -> None:
    assert hours(rankings) == (1, 2)
    clock.advance(4 * DAY)
    analytics.project(as_input(online("s0", DAY), offline("s0", DAY + 4 * HOUR)))
    analytics.gate.clear()
    with ThreadPoolExecutor(1) as pool:
        computing = pool.submit(hours, rankings)
        wait_for(lambda: analytics.reads == 2)
        assert hours(rankings) == (1, 2)
        analytics.gate.set()
        assert computing.result(SECONDS) == (4, 3)
    assert hours(rankings) == (4, 3)
    assert analytics.reads == 2


def test_a_ranking_that_took_long_is_cached_from_its_end(
    analytics: GatedAnalytics, clock: ManualClock, rankings: PeriodRankings
) -> None:
    analytics.gate.clear()
    with ThreadPoolExecutor(1) as pool:
        computing = pool.submit(hours, rankings)
        wait_for(lambda: analytics.reads == 1)
        clock.advance(120)
        analytics.gate.set()
        wait([computing], SECONDS)
    assert hours(rankings) == (1, 2)
    assert analytics.reads == 1
    clock.advance(60)
    assert hours(rankings) == (1, 2)
    assert analytics.reads == 2


def test_waiting_for_the_first_ranking_ends(
    rankings: PeriodRankings, analytics: GatedAnalytics
) -> None:
    analytics.gate.clear()
    with ThreadPoolExecutor(1) as pool:
        computing = pool.submit(hours, rankings)
        wait_for(lambda: analytics.reads == 1)
        with pytest.raises(AnalyticsUnavailable):
            rankings.top(Ranking.WATCHED, 7)
        analytics.gate.set()
        assert computing.result(SECONDS) == (1, 2)


def test_another_request_computes_a_ranking_after_a_failure(
    rankings: PeriodRankings, analytics: GatedAnalytics, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(ranking: Ranking, limit: int) -> None:
        raise AnalyticsUnavailable("no answer")

    with monkeypatch.context() as patched:
        patched.setattr(analytics, "top", fail)
        with pytest.raises(AnalyticsUnavailable):
            rankings.top(Ranking.WATCHED, 7)
    assert hours(rankings) == (1, 2)
