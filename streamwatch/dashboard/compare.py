"""Who does best, and several streamers beside each other."""

from flask import render_template, request

from streamwatch.api.analytics import WINDOWS
from streamwatch.api.context import services
from streamwatch.dashboard import preferences
from streamwatch.dashboard.blueprint import blueprint
from streamwatch.domain.totals import Ranking

SHOWN = 50
MOST_COMPARED = 5

METRICS = {
    "average_viewers": "Average viewers",
    "hours_watched": "Hours watched",
    "hours_streamed": "Hours streamed",
}
"""What can be compared day by day: properties of `domain.days.Day`."""


@blueprint.get("/top")
def show_top() -> str:
    wanted = request.args.get("by")
    ranking = Ranking(wanted) if wanted in set(Ranking) else Ranking.WATCHED
    return render_template(
        "dashboard/top.html",
        ranking=ranking,
        top=services().analytics_queries.top(ranking, SHOWN),
        games=services().analytics_queries.top_games(10),
        most=MOST_COMPARED,
    )


@blueprint.get("/compare")
def compare() -> str:
    asked = [login for value in request.args.getlist("who") for login in value.split()]
    logins = list(dict.fromkeys(login.lower() for login in asked))[:MOST_COMPARED]
    wanted = request.args.get("metric", "")
    days = preferences.window(WINDOWS)
    compared = services().profiles.compare(logins, days, preferences.zone())
    found = {one.stats.identity.latest_name.login for one in compared}
    return render_template(
        "dashboard/compare.html",
        compared=compared,
        unknown=[login for login in logins if login not in found],
        logins=logins,
        days=days,
        windows=WINDOWS,
        metric=wanted if wanted in METRICS else "average_viewers",
        metrics=METRICS,
        streamers=services().streamers.all(),
        most=MOST_COMPARED,
    )
