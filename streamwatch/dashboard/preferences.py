"""What a page knows of who looks at it: what they chose, and two cookies that its scripts set."""

from collections.abc import Sequence
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from flask import request

ZONE_COOKIE = "timezone"
THEME_COOKIE = "theme"
THEMES = ("auto", "light", "dark")


def zone() -> ZoneInfo:
    """The visitor's time zone; UTC until their browser has told."""
    name = request.cookies.get(ZONE_COOKIE, "")
    return ZoneInfo(name if name in _zones() else "UTC")


def theme() -> str:
    """One of THEMES."""
    name = request.cookies.get(THEME_COOKIE)
    return name if name in THEMES else THEMES[0]


def window(choices: Sequence[int]) -> int:
    """How many days they look at: one of `choices`, of which the second is usual."""
    days = request.args.get("days", 0, int)
    return days if days in choices else choices[1]


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
