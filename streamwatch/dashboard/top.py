"""The ranking of streamers by period, and the most watched categories."""

from flask import render_template, request

from streamwatch.api.context import services
from streamwatch.dashboard import images
from streamwatch.dashboard.blueprint import blueprint
from streamwatch.dashboard.compare import MAX_COMPARED
from streamwatch.dashboard.forms import page_of
from streamwatch.domain.totals import PERIODS, Ranking

STREAMERS_PER_PAGE = 50
CATEGORIES_SHOWN = 10

COLUMNS = {
    Ranking.WATCHED: "Hours watched",
    Ranking.HOURS: "Hours streamed",
    Ranking.PEAK: "Peak",
    Ranking.AVERAGE: "Average",
}


@blueprint.get("/top")
def show_top() -> str:
    asked = request.args.get("by")
    ranking = Ranking(asked) if asked in set(Ranking) else Ranking.WATCHED
    days = request.args.get("days", 0, int)
    period = days if days in PERIODS else None
    top = services().period_rankings.top(ranking, period)
    return render_template(
        "dashboard/top.html",
        ranking=ranking,
        avatars=images.avatars(),
        columns=COLUMNS,
        found=page_of(top, STREAMERS_PER_PAGE),
        period=period,
        periods=PERIODS,
        categories=services().analytics_queries.top_categories(CATEGORIES_SHOWN),
        max_compared=MAX_COMPARED,
    )
