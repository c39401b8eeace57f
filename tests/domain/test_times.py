from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamwatch.domain.times import format_time, parse_time


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2019-11-16T10:11:12.634234626Z", datetime(2019, 11, 16, 10, 11, 12, 634234, UTC)),
        ("2020-10-11T10:11:12.123Z", datetime(2020, 10, 11, 10, 11, 12, 123000, UTC)),
        ("2020-10-11T10:11:12Z", datetime(2020, 10, 11, 10, 11, 12, tzinfo=UTC)),
        ("2020-10-11t12:11:12+02:00", datetime(2020, 10, 11, 10, 11, 12, tzinfo=UTC)),
    ],
)
def test_times_are_read_as_twitch_writes_them(text: str, time: datetime) -> None:
    assert parse_time(text) == time
    assert parse_time(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2020-10-11",
        "2020-10-11T10:11:12",
        "2020-13-11T10:11:12Z",
        "2020-10-11T10:11:12.Z",
        "2020-10-11T10:11:12.1234567890Z",
        "0001-01-01T00:00:00+23:00",
        "2020-10-11T10:11:12Z\n",
        "٢٠٢٠-10-11T10:11:12Z",
    ],
)
def test_an_invalid_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"time|month|year"):
        parse_time(text)


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_written_time_is_read_back(time: datetime) -> None:
    assert parse_time(format_time(time)) == time


def test_times_are_written_in_utc() -> None:
    time = datetime(2020, 10, 11, 12, 0, tzinfo=timezone(timedelta(hours=2)))
    assert format_time(time) == "2020-10-11T10:00:00Z"
