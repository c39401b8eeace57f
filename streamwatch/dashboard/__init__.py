"""The dashboard: pages for people, on the same services as the API.

One module a page (`live.py`, `streamer.py`, …): a view is its route, a call of a service and a
template. Pages come complete from the server; the few scripts under `static/` only keep them up to
date, draw charts and save a click. Nothing is loaded from elsewhere, and nothing is built.
"""

from streamwatch.dashboard import compare, errors, live, login, manage, setup, streamer
from streamwatch.dashboard.blueprint import register

__all__ = ["PAGES", "register"]

PAGES = (live, streamer, compare, manage, setup, login, errors)
"""The modules that put their pages into the blueprint."""
