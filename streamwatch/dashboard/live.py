"""Who is live now, and what happened last."""

import logging
from typing import Any

from flask import render_template, request, url_for

from streamwatch.analytics.base import AnalyticsUnavailable
from streamwatch.api.context import services
from streamwatch.dashboard import preferences
from streamwatch.dashboard.blueprint import blueprint
from streamwatch.dashboard.forms import added_streamers
from streamwatch.services.live_directory import Order
from streamwatch.services.monitoring.health import CONNECTED

log = logging.getLogger(__name__)

EVENTS_SHOWN = 20


@blueprint.get("/")
def show_live() -> str:
    return _page()


@blueprint.post("/streamers")
def add_first_streamers() -> str:
    """What `POST /streamers` does, on the page of who has none yet."""
    return _page(**added_streamers())


def _page(**more: Any) -> str:
    wanted = request.args
    order = Order(wanted["sort"]) if wanted.get("sort") in set(Order) else Order.VIEWERS
    search, category = wanted.get("q", ""), wanted.get("category", "")
    health = services().health.check()
    curves, watched_today = _audience() if health.analytics == CONNECTED else ({}, None)
    return render_template(
        "dashboard/live.html",
        overview=services().live_directory.look(search, category, order),
        events=services().events.newest(EVENTS_SHOWN),
        health=health,
        settings=services().settings,
        search=search,
        category=category,
        order=order,
        icons=url_for("dashboard.static", filename="icons.svg"),
        curves=curves,
        watched_today=watched_today,
        **more,
    )


def _audience() -> tuple[dict[str, list[int]], float | None]:
    """The curves of viewers and the hours watched today: the page goes without, if need be."""
    audience = services().viewership
    try:
        return audience.curves(), audience.hours_watched_today(preferences.zone())
    except AnalyticsUnavailable as error:
        log.warning("Who is live is shown without its curves: %s", error)
        return {}, None
