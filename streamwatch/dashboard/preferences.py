"""Preferences of a visitor, stored in cookies by pages and scripts, and the chosen period."""

from zoneinfo import ZoneInfo

from flask import request

from streamwatch.domain.times import time_zones
from streamwatch.domain.totals import PERIODS

ZONE_COOKIE = "timezone"
THEME_COOKIE = "theme"
THEMES = ("auto", "light", "dark")
BACKGROUNDS = {"light": "#f5f5f9", "dark": "#0b0c11"}
"""A page's background by theme, for the browser's own bars: `--bg` in `style.css`."""

VIEW_COOKIE = "view"
VIEWS = ("cards", "list")
DEFAULT_PERIOD = 30


def zone() -> ZoneInfo:
    """The visitor's time zone; UTC until a script has stored it."""
    name = request.cookies.get(ZONE_COOKIE, "")
    return ZoneInfo(name if name in time_zones() else "UTC")


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


def period() -> int:
    """The period in days: the query's `days` if it is one of PERIODS, else 30."""
    days = request.args.get("days", 0, int)
    return days if days in PERIODS else DEFAULT_PERIOD
