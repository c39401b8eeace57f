"""The start page: streams that are on, and the latest events."""

import logging
from http import HTTPStatus
from urllib.parse import urlencode

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from streamwatch.analytics.base import AnalyticsUnavailable
from streamwatch.api.context import services
from streamwatch.dashboard import images, preferences
from streamwatch.dashboard.blueprint import asset_url, blueprint
from streamwatch.dashboard.forms import add_result, add_streamers_from
from streamwatch.services.live_directory import Order
from streamwatch.services.monitoring.health import CONNECTED

log = logging.getLogger(__name__)

EVENTS_SHOWN = 20


@blueprint.get("/")
def show_live() -> str:
    position = services().broadcaster.position()  # before all that the page shows
    query = request.args
    order = Order(query["sort"]) if query.get("sort") in set(Order) else Order.VIEWERS
    search, category = query.get("q", ""), query.get("category", "")
    health = services().health.check()
    curves, watched_today = _viewership() if health.analytics == CONNECTED else ({}, None)
    directory = services().live_directory.find_with_totals(search, category, order)
    same = (name for name in directory.categories if name.casefold() == category.casefold())
    return render_template(
        "dashboard/live.html",
        position=position,
        directory=directory,
        avatars=images.avatars(),
        events=services().events.newest(EVENTS_SHOWN),
        health=health,
        settings=services().settings,
        search=search,
        category=next(same, category),
        order=order,
        view=preferences.view(),
        icons=asset_url("icons.svg"),
        curves=curves,
        watched_today=watched_today,
        result=add_result(),
    )


@blueprint.post("/streamers")
def add_first_streamers() -> Response:
    """Add streamers as `POST /streamers` does, also without a login where the API is open. A form
    for one streamer (`then=streamer`) leads to that streamer's page."""
    result = add_streamers_from(request.form.get("logins", ""))
    login = request.form.get("logins", "")
    if request.form.get("then") == "streamer" and {"added", "existing"} & result.keys():
        return redirect(url_for("dashboard.show_streamer", login=login), HTTPStatus.SEE_OTHER)
    return redirect(f"{url_for('dashboard.show_live')}?{urlencode(result)}", HTTPStatus.SEE_OTHER)


def _viewership() -> tuple[dict[str, list[int]], float | None]:
    """Sparklines by stream id, and the hours watched today. If the analytics fail meanwhile, the
    page is rendered without them."""
    viewership = services().viewership
    try:
        return viewership.curves(), viewership.hours_watched_today(preferences.zone())
    except AnalyticsUnavailable as error:
        log.warning("The start page is rendered without sparklines: %s", error)
        return {}, None
