"""Formatting for templates: numbers, durations, dates, colours and sparklines."""

from collections.abc import Sequence
from datetime import date, datetime
from hashlib import sha1

from streamwatch.dashboard import preferences
from streamwatch.domain.models import StreamEvent
from streamwatch.domain.notifications.filters import changed_by
from streamwatch.domain.totals import Totals, relative_change
from streamwatch.domain.videos import link as video_link

__all__ = ["relative_change", "video_link"]
"""Used by templates, as all functions of this module."""

HUES = 12
"""The number of colours that `style.css` defines for avatars and categories."""

NONE = "\N{EN DASH}"
"""Placeholder for a missing value."""

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_THOUSAND, _MILLION = 1_000, 1_000_000


def number(value: float | None) -> str:
    """A whole number with all its digits: 12,345."""
    return NONE if value is None else f"{value:,.0f}"


def short(value: float | None) -> str:
    """An abbreviated number: 12.3K, 4.5M; below a thousand with one decimal where it has any."""
    if value is None:
        return NONE
    if round(value, -2) >= _MILLION:
        return f"{value / _MILLION:,.1f}M"
    if value >= 10 * _THOUSAND:
        return f"{value / _THOUSAND:,.1f}K"
    return f"{value:,.0f}" if value >= _THOUSAND or value == int(value) else f"{value:,.1f}"


def exact(value: float | None) -> str:
    """A number for a CSV file: 12345, or 12345.68 if it is no integer. Empty for None."""
    if value is None:
        return ""
    return str(value) if isinstance(value, int) else f"{value:.2f}"


def percent(part: float) -> str:
    """A part of 1 as a percentage: 12 %. Parts above 0 are at least 1 %."""
    return f"{max(1, round(part * 100)) if part > 0 else 0} %"


def plural(count: float, noun: str) -> str:
    """A count with its noun: 1 stream, 2 streams."""
    return f"{number(count)} {noun}{'' if count == 1 else 's'}"


def duration(seconds: float | None) -> str:
    """Hours and minutes: 3 h 07 min; below a minute seconds: 45 s."""
    if seconds is None:
        return NONE
    if seconds < _MINUTE:
        return f"{int(seconds)} s"
    minutes = int(seconds) // _MINUTE
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes:02} min" if hours else f"{minutes} min"


def uptime(start: datetime, now: datetime) -> str:
    """The time since `start` as a clock: 3:07:09."""
    seconds = max(0, int((now - start).total_seconds()))
    return f"{seconds // _HOUR}:{seconds // _MINUTE % 60:02}:{seconds % 60:02}"


def ago(time: datetime, now: datetime) -> str:
    """The time since `time` in one unit: 5 min ago."""
    seconds = max(0, int((now - time).total_seconds()))
    if seconds < _MINUTE:
        return "just now"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min ago"
    return f"{seconds // _HOUR} h ago" if seconds < 2 * _DAY else f"{seconds // _DAY} days ago"


def moment(time: datetime) -> str:
    """A date and time in the visitor's time zone: 24 Nov 2026, 14:05."""
    return f"{time.astimezone(preferences.zone()):%-d %b %Y, %H:%M}"


def clock(time: datetime) -> str:
    """A time of day in the visitor's time zone: 14:05."""
    return f"{time.astimezone(preferences.zone()):%H:%M}"


def day(time: date) -> str:
    """A date: 24 Nov 2026. Of a datetime, the date in the visitor's time zone."""
    local = time.astimezone(preferences.zone()) if isinstance(time, datetime) else time
    return f"{local:%-d %b %Y}"


def midnight(day: date) -> datetime:
    """The start of a day in the visitor's time zone."""
    return datetime.combine(day, datetime.min.time(), preferences.zone())


def change(part: float | None) -> str:
    """A relative change: +12 %."""
    if part is None:
        return ""
    sign = {"up": "+", "down": "\N{MINUS SIGN}", "level": "±"}[direction(part)]
    return f"{sign}{abs(part) * 100:,.0f} %"


def direction(part: float | None) -> str:
    """The CSS class of a relative change: up, down or level."""
    if not part or abs(part) < 0.005:  # noqa: PLR2004  it is displayed as 0 %
        return "level"
    return "up" if part > 0 else "down"


def hours_watched(totals: Totals) -> float | None:
    """The hours watched; None if there were streams and nobody counted their viewers."""
    return None if totals.streams and not totals.sums.samples else totals.sums.hours_watched


def changes(event: StreamEvent) -> str:
    """What a `channel.update` changed: title and category."""
    *others, last = changed_by(event) or ("title or category",)
    return f"{', '.join(others)} and {last}" if others else last


def hue(text: str | None) -> int:
    """The number of a colour for a name or category; equal texts have equal colours."""
    return sha1((text or "").encode()).digest()[0] % HUES  # noqa: S324  no secret


def initials(name: str) -> str:
    """One or two letters for an avatar without an image: QC for QuillAndCopper."""
    capitals = [letter for letter in name if letter.isupper()]
    return "".join(capitals[:1] + capitals[-1:]) if len(capitals) > 1 else name[:2].upper()


MIN_VIEWERS_FOR_CHANGE = 10
"""Below this a percentage says nothing: from 1 viewer to 3 is +200 %."""


def viewer_change(samples: Sequence[int]) -> float | None:
    """The relative change from the first sample of viewers to the last; None below
    MIN_VIEWERS_FOR_CHANGE."""
    if len(samples) < 2 or samples[0] < MIN_VIEWERS_FOR_CHANGE:  # noqa: PLR2004  a first and a last
        return None
    return relative_change(samples[-1], samples[0])


def points(samples: Sequence[int]) -> str:
    """The points of a sparkline: x is the sample's number, y the negated value."""
    return " ".join(f"{x},{-value}" for x, value in enumerate(samples))


def view_box(samples: Sequence[int]) -> str:
    """The SVG viewBox that contains `points(samples)`; a constant line is in its middle."""
    low, high = min(samples), max(samples)
    room = max(high - low, 1)
    return f"0 {-high - room * 0.1:.2f} {len(samples) - 1} {room * 1.2:.2f}"
