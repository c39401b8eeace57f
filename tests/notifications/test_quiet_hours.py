from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamwatch.domain.notifications.quiet_hours import QuietHours

BERLIN = "Europe/Berlin"
NIGHT = QuietHours(time(23), time(7), BERLIN)

clock_times = st.times().map(lambda t: t.replace(second=0, microsecond=0))
moments = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  hypothesis adds the zone


def berlin(*parts: int, fold: int = 0) -> datetime:
    return datetime(*parts, tzinfo=ZoneInfo(BERLIN), fold=fold).astimezone(UTC)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("moment", "is_quiet"),
    [
        (berlin(2026, 6, 1, 22, 59), False),
        (berlin(2026, 6, 1, 23, 0), True),
        (berlin(2026, 6, 2, 6, 59), True),
        (berlin(2026, 6, 2, 7, 0), False),
        (berlin(2026, 12, 1, 23, 0), True),
        (berlin(2026, 12, 1, 22, 59), False),
    ],
)
def test_the_clock_on_the_wall_decides_in_summer_and_in_winter(
    moment: datetime, is_quiet: bool
) -> None:
    assert NIGHT.contains(moment) is is_quiet


def test_the_hour_that_comes_twice_is_quiet_twice() -> None:
    quiet = QuietHours(time(2), time(3), BERLIN)

    assert quiet.contains(berlin(2026, 10, 25, 2, 30))
    assert quiet.contains(berlin(2026, 10, 25, 2, 30, fold=1))
    assert not quiet.contains(berlin(2026, 10, 25, 3, 0))


def test_the_hour_that_is_skipped_is_never_quiet() -> None:
    quiet = QuietHours(time(2), time(3), BERLIN)
    night = berlin(2026, 3, 29, 0, 0)

    assert not any(quiet.contains(night + timedelta(minutes=minute)) for minute in range(300))


def test_the_night_of_a_change_ends_by_the_clock() -> None:
    assert NIGHT.contains(berlin(2026, 3, 29, 6, 59))
    assert not NIGHT.contains(berlin(2026, 3, 29, 7, 0))
    assert f"{NIGHT.ends_after(berlin(2026, 3, 28, 23, 30)):%H:%M}" == "07:00"


@given(clock_times, clock_times, moments)
def test_every_time_is_inside_the_hours_or_inside_their_complement(
    start: time, end: time, moment: datetime
) -> None:
    if start == end:
        return
    quiet, loud = QuietHours(start, end, BERLIN), QuietHours(end, start, BERLIN)

    assert quiet.contains(moment) != loud.contains(moment)


@given(clock_times, clock_times, moments)
def test_quiet_hours_end_at_their_end(start: time, end: time, moment: datetime) -> None:
    quiet = QuietHours(start, end, BERLIN)
    if start == end or not quiet.contains(moment):
        return

    ends = quiet.ends_after(moment)

    assert ends.time() == end
    assert ends.astimezone(UTC) - moment <= timedelta(hours=26)
