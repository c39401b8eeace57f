"""One streamer: how they do."""

from collections.abc import Callable, Sequence
from typing import Any

from flask import render_template, request

from streamwatch.analytics.base import AnalyticsUnavailable
from streamwatch.api.analytics import WINDOWS
from streamwatch.api.context import services
from streamwatch.dashboard import preferences
from streamwatch.dashboard.blueprint import blueprint
from streamwatch.dashboard.forms import page_of
from streamwatch.domain.schedule import schedule
from streamwatch.domain.sessions import StreamSession
from streamwatch.services.analytics.profiles import Profile
from streamwatch.services.errors import UnknownStreamer

SESSIONS_A_PAGE = 20

ORDERS: dict[str, Callable[[StreamSession], Any]] = {
    "started": lambda one: one.started_at,
    "duration": lambda one: one.airtime_ms,
    "average": lambda one: one.sample_totals.sums.average or 0,
    "peak": lambda one: one.sample_totals.sums.max_viewers or 0,
    "watched": lambda one: one.sample_totals.sums.viewer_ms,
}
"""What the table of sessions can be sorted by."""


@blueprint.get("/streamer/<login>")
def show_streamer(login: str) -> str:
    streamer, status = services().streamers.find(login), services().status.known(login)
    is_down, performance = False, {}
    try:
        performance = _performance(login)
    except UnknownStreamer:
        if streamer is None and status is None:
            raise
    except AnalyticsUnavailable:
        is_down = True
    return render_template(
        "dashboard/streamer.html",
        login=login.lower(),
        streamer=streamer,
        status=status,
        is_down=is_down,
        days=preferences.window(WINDOWS),
        windows=WINDOWS,
        **performance,
    )


def _performance(login: str) -> dict[str, Any]:
    """What the analytics know."""
    profile = services().profiles.profile(login, preferences.window(WINDOWS))
    chosen = _chosen(profile)
    return {
        "profile": profile,
        "chosen": chosen,
        "samples": services().profiles.curve(chosen.stream_id) if chosen else [],
        "week": schedule(profile.sessions, preferences.zone()),
        **_table(profile.sessions),
    }


def _chosen(profile: Profile) -> StreamSession | None:
    """The session that the request asks for with `stream`, else the newest of the window."""
    asked = request.args.get("stream")
    found = services().profiles.session(profile, asked) if asked else None
    return found or next(iter(profile.sessions), None)


def _table(sessions: Sequence[StreamSession]) -> dict[str, Any]:
    """The page of sessions that the request asks for with `sort`, `order` and `page`."""
    wanted = request.args.get("sort", "")
    sort = wanted if wanted in ORDERS else "started"
    is_ascending = request.args.get("order") == "asc"
    ordered = sorted(sessions, key=ORDERS[sort], reverse=not is_ascending)
    return {
        "found": page_of(ordered, SESSIONS_A_PAGE),
        "sort": sort,
        "is_ascending": is_ascending,
    }
