"""The current time, and conversion between RFC 3339 (as Twitch writes it) and aware datetimes."""

import re
from datetime import MAXYEAR, UTC, datetime, timedelta
from functools import cache
from zoneinfo import available_timezones

_RFC3339 = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:[Zz]|[+-]\d{2}:\d{2})", re.ASCII
)

EARLIEST_START = datetime(2011, 1, 1, tzinfo=UTC)
"""Twitch has existed since 2011; no stream started before."""

MAX_START_AHEAD = timedelta(days=1)
"""How far ahead of its observation a stream's start may be, for clocks that differ."""


def utc_now() -> datetime:
    """The current time of this machine, as an aware UTC time."""
    return datetime.now(UTC)


def parse_time(text: str) -> datetime:
    """The aware UTC time that `text` names, cut to microseconds.

    Raises ValueError for anything but RFC 3339 with a zone.
    """
    if _RFC3339.fullmatch(text) is None:
        raise ValueError("not an RFC 3339 time")
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except OverflowError:  # year 1 or 9999, moved out of range by its zone
        raise ValueError("a time out of range") from None


def parse_start(text: str, observed_at: datetime) -> datetime:
    """The start of a stream that was observed at `observed_at`.

    Raises ValueError as `parse_time` does, and for a time at which no stream can have started.
    """
    started_at = parse_time(text)
    if not EARLIEST_START <= started_at <= observed_at + MAX_START_AHEAD:
        raise ValueError("no stream can have started then")
    return started_at


NOT_A_TIME = "Not a time in RFC 3339 of the years 2011 to 9998."
"""What is said of a value for which `is_time` is false."""


def is_time(value: object) -> bool:
    """Whether `value` is a text that `parse_time` reads, of a year from 2011 to 9998: every time
    zone has these times."""
    try:
        time = parse_time(value)  # type: ignore[arg-type]  # its own error for other types
    except (TypeError, ValueError):
        return False
    return time >= EARLIEST_START and time.year < MAXYEAR


def format_time(time: datetime) -> str:
    """`time` in RFC 3339 with `Z`; microseconds only where there are any."""
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


@cache
def time_zones() -> frozenset[str]:
    """The names of all IANA time zones, such as Europe/Berlin."""
    return frozenset(available_timezones())


def to_milliseconds(time: datetime) -> datetime:
    """`time` cut to whole milliseconds, the precision of MongoDB."""
    return time.replace(microsecond=time.microsecond // 1000 * 1000)
