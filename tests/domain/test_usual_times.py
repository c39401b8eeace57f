"""When a streamer usually goes live."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamwatch.domain.usual_times import PERIOD, UsualTime, usual_time

NOW = datetime(2026, 6, 28, 12, tzinfo=UTC)  # a Sunday
TUESDAY, THURSDAY = datetime(2026, 6, 23, 19, tzinfo=UTC), datetime(2026, 6, 25, 19, tzinfo=UTC)


def weekly(start: datetime, weeks: int) -> list[datetime]:
    return [start - timedelta(weeks=week) for week in range(weeks)]


def test_weekdays_with_regular_streams_are_usual() -> None:
    starts = [*weekly(TUESDAY, 8), *weekly(THURSDAY, 8)]
    assert usual_time(starts, NOW, UTC) == UsualTime((1, 3), 19 * 60)


def test_single_stream_on_another_weekday_is_not_usual() -> None:
    starts = [*weekly(TUESDAY, 8), TUESDAY - timedelta(days=1)]
    assert usual_time(starts, NOW, UTC) == UsualTime((1,), 19 * 60)


def test_time_is_local() -> None:
    starts = weekly(TUESDAY, 4)
    assert usual_time(starts, NOW, ZoneInfo("Asia/Tokyo")) == UsualTime((2,), 4 * 60)


def test_times_around_midnight_are_close_to_each_other() -> None:
    midnight = datetime(2026, 6, 23, tzinfo=UTC)
    starts = [
        at + timedelta(minutes=number % 3 * 20) for number, at in enumerate(weekly(midnight, 6))
    ]
    usual = usual_time(starts, NOW, UTC)
    assert usual
    assert usual.minutes in {0, 30}


@pytest.mark.parametrize(
    "starts", [[], weekly(TUESDAY, 2), weekly(TUESDAY - PERIOD - timedelta(weeks=1), 8)]
)
def test_few_or_old_streams_are_not_usual(starts: list[datetime]) -> None:
    assert usual_time(starts, NOW, UTC) is None


@given(
    st.lists(st.datetimes(datetime(2026, 5, 1), datetime(2026, 6, 28)), max_size=60)  # noqa: DTZ001  made aware below
)
def test_usual_weekdays_come_from_the_streams(naive: list[datetime]) -> None:
    starts = [start.replace(tzinfo=UTC) for start in naive]
    usual = usual_time(starts, NOW, UTC)
    if usual is not None:
        assert set(usual.weekdays) <= {start.weekday() for start in starts}
        assert usual.minutes % 30 == 0
        assert 0 <= usual.minutes < 24 * 60
