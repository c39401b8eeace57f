"""Figures, times and pictures in the form in which pages show them."""

from collections.abc import Sequence
from datetime import date, datetime
from hashlib import sha1

from streamwatch.dashboard import preferences

HUES = 12
"""As many colours as `style.css` has for previews."""

NONE = "\N{EN DASH}"
"""What stands for a figure that there is not."""

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_THOUSAND, _MILLION = 1_000, 1_000_000


def number(value: float | None) -> str:
    """All digits of a whole number: 12,345; a dash where there is none."""
    return NONE if value is None else f"{value:,.0f}"


def short(value: float | None) -> str:
    """A number at a glance: 12.3K, 4.5M; below a thousand one decimal where it has any."""
    if value is None:
        return NONE
    if value >= _MILLION:
        return f"{value / _MILLION:,.1f}M"
    if value >= 10 * _THOUSAND:
        return f"{value / _THOUSAND:,.1f}K"
    return f"{value:,.0f}" if value >= _THOUSAND or value == int(value) else f"{value:,.1f}"


def duration(seconds: float | None) -> str:
    """Hours and minutes: 3 h 07 min."""
    if seconds is None:
        return NONE
    minutes = int(seconds) // _MINUTE
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes:02} min" if hours else f"{minutes} min"


def uptime(start: datetime, now: datetime) -> str:
    """As a clock: 3:07:09."""
    seconds = max(0, int((now - start).total_seconds()))
    return f"{seconds // _HOUR}:{seconds // _MINUTE % 60:02}:{seconds % 60:02}"


def ago(time: datetime, now: datetime) -> str:
    """How long ago, in one unit."""
    seconds = max(0, int((now - time).total_seconds()))
    if seconds < _MINUTE:
        return "just now"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min ago"
    return f"{seconds // _HOUR} h ago" if seconds < 2 * _DAY else f"{seconds // _DAY} days ago"


def moment(time: datetime) -> str:
    """A time in the visitor's zone: 24 Nov 2026, 14:05."""
    return f"{time.astimezone(preferences.zone()):%-d %b %Y, %H:%M}"


def day(time: date) -> str:
    """24 Nov 2026: a date, or the visitor's of a time."""
    when = time.astimezone(preferences.zone()) if isinstance(time, datetime) else time
    return f"{when:%-d %b %Y}"


def midnight(day: date) -> datetime:
    """When a day begins for the preferences."""
    return datetime.combine(day, datetime.min.time(), preferences.zone())


def change(part: float | None) -> str:
    """A change by a part of what was: +12 %."""
    if part is None:
        return ""
    sign = {"up": "+", "down": "\N{MINUS SIGN}", "level": "±"}[direction(part)]
    return f"{sign}{abs(part) * 100:.0f} %"


def direction(part: float | None) -> str:
    """The class of a change: up, down or level."""
    if not part or abs(part) < 0.005:  # noqa: PLR2004  what shows as 0 %
        return "level"
    return "up" if part > 0 else "down"


def hue(text: str | None) -> int:
    """The colour of a category or a name, always the same for the same."""
    return sha1((text or "").encode()).digest()[0] % HUES  # noqa: S324  no secret


def initials(name: str) -> str:
    """One or two letters that stand for a name: QC for QuillAndCopper."""
    capitals = [letter for letter in name if letter.isupper()]
    return "".join(capitals[:1] + capitals[-1:]) if len(capitals) > 1 else name[:2].upper()


def trend(samples: Sequence[int]) -> float | None:
    """By what part the viewers changed over these samples."""
    return (samples[-1] - samples[0]) / samples[0] if len(samples) > 1 and samples[0] else None


def points(samples: Sequence[int]) -> str:
    """The points of a sparkline: one unit right for each sample, and up as negative numbers."""
    return " ".join(f"{x},{-value}" for x, value in enumerate(samples))


def view_box(samples: Sequence[int]) -> str:
    """The part of the plane that these points fill; a level line lies in its middle."""
    low, high = min(samples), max(samples)
    room = max(high - low, 1)
    return f"0 {-high - room * 0.1:.2f} {len(samples) - 1} {room * 1.2:.2f}"
