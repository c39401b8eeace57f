from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamwatch.analytics.testing.build import (
    Piece,
    at,
    expected_sessions,
    history,
    offline,
    online,
    snapshot,
)
from streamwatch.domain.schedule import Cell, schedule

HOUR, HOUR_MS = 3600, 3_600_000
UTC = ZoneInfo("UTC")


def hours(zone: str, *pieces: Piece) -> dict[tuple[int, int], Cell]:
    """The hours of the week that anything is known of."""
    cells = schedule(expected_sessions(pieces).values(), ZoneInfo(zone))
    return {(cell.weekday, cell.hour): cell for cell in cells if cell.live_ms or cell.observed_ms}


def test_the_week_has_168_hours_and_begins_on_monday() -> None:
    cells = schedule([], UTC)
    assert [(cell.weekday, cell.hour) for cell in cells[:25:24]] == [(0, 0), (1, 0)]
    assert len(cells) == 168
    assert {cell.average_viewers for cell in cells} == {None}


def test_a_stream_counts_in_the_hours_that_it_was_on() -> None:
    found = hours("UTC", online("s1", 1800), offline("s1", 1800 + 2 * HOUR))  # Monday 12:30
    assert {hour: cell.live_ms for hour, cell in found.items()} == {
        (0, 12): HOUR_MS // 2,
        (0, 13): HOUR_MS,
        (0, 14): HOUR_MS // 2,
    }


def test_viewers_count_in_the_hours_in_which_they_watched() -> None:
    samples = [snapshot("s1", 3300, 10), snapshot("s1", 3900, 40)]
    found = hours("UTC", online("s1", 0), *samples, offline("s1", 4200))
    assert found[0, 12].average_viewers == 10
    assert found[0, 13].average_viewers == 25
    assert found[0, 13].observed_ms == 600_000


@pytest.mark.parametrize(
    ("zone", "hour"),
    [("Europe/Berlin", (0, 14)), ("Pacific/Auckland", (1, 0)), ("Asia/Kolkata", (0, 17))],
)
def test_hours_are_those_of_the_time_zone(zone: str, hour: tuple[int, int]) -> None:
    first = min(hours(zone, online("s1", 0), offline("s1", 900)))
    assert first == hour


def test_the_same_hour_on_the_clock_counts_together_over_a_change_of_time() -> None:
    winter = (at(0).replace(month=12, day=7, hour=13) - at(0)).total_seconds()  # a Monday
    pieces = [
        online("s1", 0),
        offline("s1", HOUR),
        online("s2", winter),
        offline("s2", winter + HOUR),
    ]
    found = hours("Europe/Berlin", *pieces)
    assert {hour: cell.live_ms for hour, cell in found.items()} == {(0, 14): 2 * HOUR_MS}


@given(st.randoms(use_true_random=False), st.sampled_from(["UTC", "Asia/Kathmandu"]))
def test_the_hours_add_up_to_the_streams(random: Random, zone: str) -> None:
    sessions = expected_sessions(history(random)).values()
    cells = schedule(sessions, ZoneInfo(zone))
    assert sum(cell.live_ms for cell in cells) == sum(session.airtime_ms for session in sessions)
    sums = [session.sample_totals.sums for session in sessions]
    assert sum(cell.viewer_ms for cell in cells) == sum(each.viewer_ms for each in sums)
    assert sum(cell.observed_ms for cell in cells) == sum(each.observed_ms for each in sums)
