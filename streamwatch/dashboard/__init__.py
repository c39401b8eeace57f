"""The dashboard: HTML pages on the same services as the API.

Each module is one page (`live.py`, `streamer.py`, …): a view calls a service and renders a
template. The server renders complete pages. The scripts under `static/` keep an open page up to
date and draw interactive charts; every page works without them. Nothing is loaded from a CDN, and
nothing is built.
"""

from streamwatch.dashboard import (
    application,
    compare,
    diagnostics,
    errors,
    imports,
    live,
    login,
    manage,
    notifications,
    search,
    setup,
    streamer,
    streamers,
    top,
)
from streamwatch.dashboard.blueprint import register

__all__ = ["PAGES", "register"]

PAGES = (
    live,
    streamers,
    streamer,
    top,
    compare,
    search,
    manage,
    imports,
    diagnostics,
    notifications,
    setup,
    login,
    application,
    errors,
)
"""The modules that register their views on the blueprint."""
