"""Preferences of a visitor, which pages and scripts keep in cookies, and the chosen period."""

from collections.abc import Sequence
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from flask import request

ZONE_COOKIE = "timezone"
THEME_COOKIE = "theme"
THEMES = ("auto", "light", "dark")
VIEW_COOKIE = "view"
VIEWS = ("cards", "list")


def zone() -> ZoneInfo:
    """The visitor's time zone; UTC until a script has stored it."""
    name = request.cookies.get(ZONE_COOKIE, "")
    return ZoneInfo(name if name in _zones() else "UTC")


def zone_is_known() -> bool:
    """Whether the visitor's browser has stored its time zone."""
    return request.cookies.get(ZONE_COOKIE, "") in _zones()


def theme() -> str:
    """One of THEMES."""
    name = request.cookies.get(THEME_COOKIE)
    return name if name in THEMES else THEMES[0]


def view() -> str:
    """How live streams are listed, one of VIEWS: the query's choice, else the remembered one."""
    for name in (request.args.get("view"), request.cookies.get(VIEW_COOKIE)):
        if name in VIEWS:
            return name
    return VIEWS[0]


def period(choices: Sequence[int]) -> int:
    """The period in days: the query's `days` if it is one of `choices`, else the second choice."""
    days = request.args.get("days", 0, int)
    return days if days in choices else choices[1]


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
