"""A streamer's page: status, trend, one stream in detail, habits, records and all streams."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import render_template, request

from streamwatch.analytics.base import AnalyticsUnavailable
from streamwatch.api.context import services
from streamwatch.dashboard import preferences
from streamwatch.dashboard.blueprint import blueprint
from streamwatch.dashboard.filters import hours_watched
from streamwatch.dashboard.forms import page_of
from streamwatch.dashboard.stream_chart import stream_chart
from streamwatch.dashboard.trend import METRICS, draw_trend
from streamwatch.domain.schedule import schedule
from streamwatch.domain.sessions import StreamSession
from streamwatch.domain.times import utc_now
from streamwatch.domain.totals import PERIODS
from streamwatch.domain.usual_times import PERIOD, usual_time
from streamwatch.services.analytics.profiles import Profile
from streamwatch.services.analytics.queries import SessionDetails
from streamwatch.services.errors import UnknownSession, UnknownStreamer
from streamwatch.storage.backfills import Backfill

SESSIONS_PER_PAGE = 20
COLORED_CATEGORIES = 5
"""Categories with a colour of their own; the others share one."""

ORDERS: dict[str, Callable[[StreamSession], Any]] = {
    "started": lambda session: session.started_at,
    "duration": lambda session: session.airtime_ms,
    "average": lambda session: session.sample_totals.sums.average or 0,
    "peak": lambda session: session.sample_totals.sums.max_viewers or 0,
    "watched": lambda session: session.sample_totals.sums.viewer_ms,
}
"""What the table of streams can be sorted by."""

RECORDS: dict[str, tuple[str, str]] = {
    "peak": ("Highest peak", "viewers"),
    "average": ("Highest average", "viewers"),
    "watched": ("Most watched", "hours watched"),
    "duration": ("Longest stream", ""),
}
"""The records that are shown: orders with their titles and units."""


@blueprint.get("/streamer/<login>")
def show_streamer(login: str) -> str:
    position = services().broadcaster.position()  # before all that the page shows
    streamer, status = services().streamers.find(login), services().status.known(login)
    is_down, statistics, backfill = False, {}, Backfill()
    try:
        statistics = _statistics(login)
    except UnknownStreamer:
        if streamer is None and status is None:
            raise
        if streamer is not None:
            backfill = services().backfills.find(login)
    except AnalyticsUnavailable:
        is_down = True
    return render_template(
        "dashboard/streamer.html",
        position=position,
        login=login.lower(),
        streamer=streamer,
        status=status,
        is_down=is_down,
        backfill=backfill,
        days=preferences.period(),
        periods=PERIODS,
        metrics=METRICS,
        **statistics,
    )


def _statistics(login: str) -> dict[str, Any]:
    """The streamer's statistics, for the template."""
    zone, length = preferences.zone(), preferences.period()
    profile = services().profiles.profile(login, length)
    metric = request.args.get("metric", "")
    if metric not in METRICS:
        has_viewers = hours_watched(profile.period.totals) is not None
        metric = "hours_watched" if has_viewers else "hours_streamed"
    colors = {
        category.category_name: number
        for number, category in enumerate(profile.categories[:COLORED_CATEGORIES])
    }
    now = utc_now()
    starts = services().profiles.starts_since(profile.stats.identity.broadcaster_id, now - PERIOD)
    days = services().analytics_queries.trend(login, zone, 2 * length)
    return {
        "profile": profile,
        "trend": draw_trend(days, metric, colors),
        "usual": usual_time(starts, now, zone),
        "week": schedule(profile.sessions, zone),
        "colors": colors,
        "records": _records(profile.sessions),
        "archived": sum(not session.is_observed for session in profile.sessions),
        **_chosen_stream(profile, colors),
        **_table(profile.sessions),
    }


def _chosen_stream(profile: Profile, colors: Mapping[str, int]) -> dict[str, Any]:
    """The stream that the query's `stream` asks for, else the newest one."""
    details = _details(profile, request.args.get("stream"))
    if details is None:
        return {"chosen": None, "samples": []}
    return {
        "chosen": details.session,
        "samples": details.samples,
        "retention_days": services().settings.snapshot_retention_days,
        "chart": stream_chart(details, colors),
        "neighbours": services().profiles.neighbours(details.session),
    }


def _details(profile: Profile, stream_id: str | None) -> SessionDetails | None:
    login = profile.stats.identity.latest_name.login
    queries = services().analytics_queries
    if stream_id:
        try:
            return queries.session_details(login, stream_id)
        except UnknownSession:
            pass  # the newest one is shown
    newest = next(queries.each_session(login), None)
    return queries.session_details(login, newest.stream_id) if newest else None


def _records(sessions: Sequence[StreamSession]) -> list[tuple[str, StreamSession]]:
    """The streams of the period that were the best of each kind, by the keys of RECORDS."""
    best = ((name, max(sessions, key=ORDERS[name], default=None)) for name in RECORDS)
    return [(name, session) for name, session in best if session and ORDERS[name](session)]


def _table(sessions: Sequence[StreamSession]) -> dict[str, Any]:
    """The page of streams that the query's `sort`, `order` and `page` ask for."""
    asked = request.args.get("sort", "")
    sort = asked if asked in ORDERS else "started"
    is_ascending = request.args.get("order") == "asc"
    ordered = sorted(sessions, key=ORDERS[sort], reverse=not is_ascending)
    return {
        "found": page_of(ordered, SESSIONS_PER_PAGE),
        "sort": sort,
        "is_ascending": is_ascending,
        "record_titles": RECORDS,
    }
