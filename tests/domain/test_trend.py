from collections.abc import Sequence
from datetime import UTC, date, tzinfo
from zoneinfo import ZoneInfo

import pytest

from streamwatch.analytics.testing.build import (
    CAP,
    CHESS,
    GO,
    Piece,
    expected_sessions,
    offline,
    online,
    snapshot,
)
from streamwatch.domain.models import StreamSnapshot
from streamwatch.domain.sessions import StreamSession
from streamwatch.domain.statistics import HOUR_MS
from streamwatch.domain.trend import TrendDay, trend

HOUR = 3600
JUNE_1, JUNE_3 = date(2026, 6, 1), date(2026, 6, 3)

NIGHT: list[Piece] = [
    online("s1", 10 * HOUR),
    *(
        snapshot("s1", 10 * HOUR + 600 * n, 100 if n < 12 else 40, started=10 * HOUR)
        for n in range(18)
    ),
    offline("s1", 13 * HOUR),
]
"""From 22:00 to 01:00 in UTC, with 100 viewers before midnight and 40 after."""


def of(
    pieces: Sequence[Piece], zone: tzinfo = UTC, *, have_expired: bool = False
) -> list[TrendDay]:
    def samples(session: StreamSession) -> list[StreamSnapshot]:
        found = [piece for piece in pieces if isinstance(piece, StreamSnapshot)]
        return [] if have_expired else [s for s in found if s.stream_id == session.stream_id]

    return trend(expected_sessions(pieces).values(), JUNE_1, JUNE_3, zone, samples, CAP)


def test_a_stream_counts_on_the_day_it_began_and_its_hours_are_split_at_midnight() -> None:
    first, second, third = of(NIGHT)
    assert [item.streams for item in (first, second, third)] == [1, 0, 0]
    assert (first.day.live_ms, second.day.live_ms) == (2 * HOUR_MS, HOUR_MS)
    assert (first.day.viewer_ms, second.day.viewer_ms) == (200 * HOUR_MS, 40 * HOUR_MS)
    assert (first.day.average_viewers, second.day.average_viewers) == (100, 40)
    assert (first.max_viewers, second.max_viewers) == (100, 40)


def test_main_category_of_a_day_is_that_of_the_longest_time() -> None:
    days = of(
        [
            online("s1", 10 * HOUR),
            snapshot("s1", 10 * HOUR, 10, category=CHESS, started=10 * HOUR),
            *(
                snapshot("s1", 11 * HOUR + 60 * n, 10, category=GO, started=10 * HOUR)
                for n in range(60)
            ),
            offline("s1", 12 * HOUR),
        ]
    )
    assert [day.category_name for day in days] == ["Go", "Go", None]


def test_a_day_without_streams_has_zeros_and_no_viewers() -> None:
    third = of(NIGHT)[2]
    assert (third.day.live_ms, third.day.viewer_ms, third.streams) == (0, 0, 0)
    assert third.day.average_viewers is None
    assert third.max_viewers is None


def test_a_sample_that_counts_until_after_midnight_is_a_peak_of_both_days() -> None:
    start = 11 * HOUR + 3000
    pieces: list[Piece] = [
        online("s1", start),
        snapshot("s1", 12 * HOUR - 300, 100, started=start),
        snapshot("s1", 12 * HOUR + 60, 40, started=start),
        offline("s1", 12 * HOUR + 90),
    ]
    first, second, _ = of(pieces)
    assert (first.max_viewers, second.max_viewers) == (100, 100)
    assert second.day.average_viewers == 80
    [last, following, _] = of([*pieces[:2], offline("s1", 12 * HOUR + 90)])
    assert (last.max_viewers, following.max_viewers) == (100, 100)


def test_a_sample_after_the_end_is_a_peak_of_the_day_on_which_the_stream_ended() -> None:
    """The message about the end was late, and a poll after midnight still showed the stream."""
    start, end = 11 * HOUR, 12 * HOUR - 10
    late = snapshot("s1", 12 * HOUR + 30, 900, started=start)
    pieces: list[Piece] = [
        online("s1", start),
        snapshot("s1", end - 240, 60, started=start),
        late,
        offline("s1", end),
    ]
    assert [day.max_viewers for day in of(pieces)] == [900, None, None]
    assert [day.max_viewers for day in of(pieces, have_expired=True)] == [900, None, None]
    only_late = [
        piece for piece in pieces if piece is late or not isinstance(piece, StreamSnapshot)
    ]
    assert [day.max_viewers for day in of(only_late)] == [900, None, None]


def test_a_sample_after_the_end_of_a_stream_across_midnight_is_a_peak_of_its_last_day() -> None:
    """It ends at midnight at the end of its second day."""
    start, end = 10 * HOUR, 36 * HOUR
    pieces: list[Piece] = [
        online("s1", start),
        *(snapshot("s1", at, 70, started=start) for at in range(start, end, HOUR)),
        snapshot("s1", end, 900, started=start),
        offline("s1", end),
    ]
    assert [day.max_viewers for day in of(pieces)] == [70, 900, None]
    assert [day.max_viewers for day in of(pieces, have_expired=True)] == [900, 900, None]


def test_the_peak_of_a_session_without_samples_counts_on_both_days() -> None:
    first, second, _ = of(NIGHT, have_expired=True)
    assert (first.max_viewers, second.max_viewers) == (100, 100)


@pytest.mark.parametrize(
    ("zone", "hours"),
    [("America/New_York", [3, 0, 0]), ("Asia/Tokyo", [0, 3, 0]), ("Asia/Kathmandu", [0, 3, 0])],
)
def test_days_are_those_of_the_time_zone(zone: str, hours: list[int]) -> None:
    found = of(NIGHT, ZoneInfo(zone))
    assert [item.day.day for item in found] == [JUNE_1, date(2026, 6, 2), JUNE_3]
    assert [item.day.live_ms // HOUR_MS for item in found] == hours


def test_hours_of_several_streams_add_up_before_they_are_rounded() -> None:
    pieces: list[Piece] = []
    for number in range(3):
        pieces += [online(f"s{number}", 100 * number), offline(f"s{number}", 100 * number + 12)]
    first = of(pieces)[0]
    assert first.streams == 3
    assert first.day.live_ms == 36_000
    assert round(first.day.hours_streamed, 2) == 0.01


def test_the_peak_of_a_session_without_samples_counts_on_each_of_three_days() -> None:
    start, end = 10 * HOUR, 38 * HOUR
    pieces: list[Piece] = [
        online("s1", start),
        *(snapshot("s1", at, 70, started=start) for at in range(start, end, HOUR)),
        offline("s1", end),
    ]
    assert [day.max_viewers for day in of(pieces)] == [70, 70, 70]
    assert [day.max_viewers for day in of(pieces, have_expired=True)] == [70, 70, 70]
