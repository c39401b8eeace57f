"""Who is live now, and what happened last."""

import logging
from typing import Any

from flask import render_template, request, url_for

from streamwatch.analytics.base import AnalyticsUnavailable
from streamwatch.api.context import services
from streamwatch.dashboard import visitor
from streamwatch.dashboard.blueprint import blueprint
from streamwatch.dashboard.forms import added_streamers
from streamwatch.services.health import CONNECTED
from streamwatch.services.overview import Order

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
        overview=services().overview.look(search, category, order),
        events=services().history.newest(EVENTS_SHOWN),
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
    audience = services().audience
    try:
        return audience.curves(), audience.hours_watched_today(visitor.zone())
    except AnalyticsUnavailable as error:
        log.warning("Who is live is shown without its curves: %s", error)
        return {}, None
