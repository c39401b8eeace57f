"""What streams come to, day by day."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from streamwatch.domain.days import days
from streamwatch.domain.sessions import StreamSession
from streamwatch.domain.statistics import QuarterSums, SampleTotals, quarter_of

HOUR = timedelta(hours=1)
HOUR_MS = 3_600_000
BERLIN, TOKYO = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Tokyo")


def session(start: datetime, length: timedelta, viewers: int = 10) -> StreamSession:
    """A stream with as many viewers all the time; it begins with a quarter of an hour."""
    quarters = range(quarter_of(start), quarter_of(start + length))
    sums = tuple(QuarterSums(quarter, HOUR_MS // 4, viewers * HOUR_MS // 4) for quarter in quarters)
    return StreamSession(
        "s", "1", "ann", "Ann", start, start + length, start + length, SampleTotals(quarters=sums)
    )


def test_every_day_is_listed_even_without_a_stream() -> None:
    start = datetime(2026, 6, 2, 12, tzinfo=UTC)
    found = days([session(start, 2 * HOUR)], date(2026, 6, 1), date(2026, 6, 3), UTC)
    assert [day.day for day in found] == [date(2026, 6, number) for number in (1, 2, 3)]
    assert [day.hours_streamed for day in found] == [0, 2, 0]
    assert [day.hours_watched for day in found] == [0, 20, 0]
    assert [day.average_viewers for day in found] == [None, 10, None]


def test_a_stream_over_midnight_is_shared_by_both_days() -> None:
    start = datetime(2026, 6, 1, 23, tzinfo=UTC)
    found = days([session(start, 3 * HOUR)], date(2026, 6, 1), date(2026, 6, 2), UTC)
    assert [day.hours_streamed for day in found] == [1, 2]


@pytest.mark.parametrize(("zone", "day"), [(UTC, 1), (BERLIN, 1), (TOKYO, 2)])
def test_midnight_is_the_zones(zone: ZoneInfo, day: int) -> None:
    start = datetime(2026, 6, 1, 15, tzinfo=UTC)
    found = days([session(start, HOUR)], date(2026, 6, 1), date(2026, 6, 2), zone)
    assert [found_day.day.day for found_day in found if found_day.live_ms] == [day]


def test_the_day_that_summer_time_ends_on_has_25_hours() -> None:
    start = datetime(2026, 10, 24, 22, tzinfo=UTC)
    found = days([session(start, 25 * HOUR)], date(2026, 10, 24), date(2026, 10, 26), BERLIN)
    assert [day.hours_streamed for day in found] == [0, 25, 0]


def test_days_weigh_streams_by_their_observed_time() -> None:
    noon = datetime(2026, 6, 1, 12, tzinfo=UTC)
    streams = [session(noon, HOUR, 10), session(noon + 3 * HOUR, 3 * HOUR, 50)]
    [day] = days(streams, noon.date(), noon.date(), UTC)
    assert day.average_viewers == 40
