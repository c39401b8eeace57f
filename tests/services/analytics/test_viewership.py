"""The curves of those who are live, and what was watched today."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from streamwatch.analytics.memory import MemoryAnalytics
from streamwatch.analytics.testing.build import CAP, as_input, at, online, snapshot
from streamwatch.services.analytics.viewership import CURVE_POINTS, Viewership
from tests.clocks import ManualClock

MINUTE = 60


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(at(0))


@pytest.fixture
def analytics() -> MemoryAnalytics:
    return MemoryAnalytics(CAP)


@pytest.fixture
def audience(analytics: MemoryAnalytics, clock: ManualClock) -> Viewership:
    return Viewership(analytics, clock)


def test_a_curve_is_the_last_hour_oldest_first(
    audience: Viewership, analytics: MemoryAnalytics
) -> None:
    times = (-90, -61, -60, -30, -1)
    analytics.project(as_input(*(snapshot("s1", time * MINUTE, 100 + time) for time in times)))
    assert audience.curves() == {"s1": [40, 70, 99]}


def test_new_samples_are_added_and_old_samples_expire(
    audience: Viewership, analytics: MemoryAnalytics, clock: ManualClock
) -> None:
    analytics.project(as_input(snapshot("s1", -50 * MINUTE, 1), snapshot("s1", -MINUTE, 2)))
    assert audience.curves() == {"s1": [1, 2]}
    analytics.project(as_input(snapshot("s1", 14 * MINUTE, 3), snapshot("s2", 14 * MINUTE, 9)))
    clock.advance(15 * MINUTE)
    assert audience.curves() == {"s1": [2, 3], "s2": [9]}
    clock.advance(46 * MINUTE)
    assert audience.curves() == {"s1": [3], "s2": [9]}
    clock.advance(60 * MINUTE)
    assert audience.curves() == {}


def test_a_sample_that_is_projected_late_is_found(
    audience: Viewership, analytics: MemoryAnalytics, clock: ManualClock
) -> None:
    analytics.project(as_input(snapshot("s1", -10, 2)))
    audience.curves()
    analytics.project(as_input(snapshot("s2", -20, 7)))
    clock.advance(10)
    assert audience.curves() == {"s1": [2], "s2": [7]}


def test_many_samples_are_thinned_out_and_the_newest_remains(
    audience: Viewership, analytics: MemoryAnalytics
) -> None:
    analytics.project(as_input(*(snapshot("s1", -number, number) for number in range(200))))
    [curve] = audience.curves().values()
    assert len(curve) == CURVE_POINTS
    assert curve[-1] == 0
    assert curve == sorted(curve, reverse=True)


def test_today_begins_at_midnight_where_the_visitor_is(
    audience: Viewership, analytics: MemoryAnalytics
) -> None:
    """It is noon in UTC, 21 o'clock in Tokyo, and 2 in the morning in Honolulu."""
    hours = range(-20, 0)
    analytics.project(
        as_input(
            online("s1", -20 * 3600),
            *(snapshot("s1", h * 3600 + m, 6, started=-20 * 3600) for h in hours for m in (0, 600)),
        )
    )
    per_hour = 2  # 6 viewers for two times 10 minutes
    last = -1  # the newest sample stands for no time yet
    for zone, since in (("UTC", 12), ("Asia/Tokyo", 20), ("Pacific/Honolulu", 2)):
        expected = per_hour * since + last
        assert audience.hours_watched_today(ZoneInfo(zone)) == expected, zone


def test_hours_watched_today_are_cached_for_thirty_seconds(
    audience: Viewership, analytics: MemoryAnalytics, clock: ManualClock
) -> None:
    assert audience.hours_watched_today(UTC) == 0
    analytics.project(as_input(snapshot("s1", -600, 6), snapshot("s1", -1, 6)))
    assert audience.hours_watched_today(UTC) == 0
    clock.now += timedelta(seconds=31)
    assert audience.hours_watched_today(UTC) == pytest.approx(1, abs=0.01)


def test_hours_watched_today_begin_at_the_first_midnight_when_clocks_go_back_to_it(
    audience: Viewership, analytics: MemoryAnalytics, clock: ManualClock
) -> None:
    """In Havana, 1 November begins at 4:00 UTC, and at 5:00 UTC its first hour begins again."""
    midnight = datetime(2026, 11, 1, 4, tzinfo=UTC)
    clock.now = midnight + timedelta(minutes=90)
    begin = (midnight - at(0)).total_seconds()
    analytics.project(
        as_input(snapshot("s1", begin, 6, started=begin), snapshot("s1", begin + 600, 6))
    )
    assert audience.hours_watched_today(ZoneInfo("America/Havana")) == 1
