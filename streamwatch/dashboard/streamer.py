"""One streamer: how they do."""

import csv
import io
from collections.abc import Callable, Sequence
from typing import Any

from flask import Response, abort, render_template, request

from streamwatch.analytics.base import AnalyticsUnavailable
from streamwatch.api.context import services
from streamwatch.dashboard import visitor
from streamwatch.dashboard.blueprint import blueprint
from streamwatch.dashboard.forms import page_of
from streamwatch.domain.reports import session_document
from streamwatch.domain.schedule import schedule
from streamwatch.domain.sessions import StreamSession
from streamwatch.services.errors import NotMonitored

WINDOWS = (7, 30, 90, 365)
"""Days."""

SESSIONS_A_PAGE = 20

ORDERS: dict[str, Callable[[StreamSession], Any]] = {
    "started": lambda one: one.started_at,
    "duration": lambda one: one.airtime_ms,
    "peak": lambda one: one.sampled.sums.max_viewers or 0,
    "average": lambda one: one.sampled.sums.average or 0,
    "watched": lambda one: one.sampled.sums.viewer_ms,
}
"""What the table of sessions can be sorted by."""


@blueprint.get("/streamer/<login:login>")
def show_streamer(login: str) -> str:
    streamer, status = services().streamers.find(login), services().statuses.known(login)
    profile = chosen = None
    is_down = False
    try:
        profile = services().performance.profile(login, visitor.window(WINDOWS))
        chosen = _chosen(profile.sessions, request.args.get("stream")) if profile else None
        samples = services().performance.curve(chosen.stream_id) if chosen else []
    except AnalyticsUnavailable:
        is_down = True
        samples = []
    if not (streamer or status or profile or is_down):
        raise NotMonitored(login.lower())
    return render_template(
        "dashboard/streamer.html",
        login=login.lower(),
        streamer=streamer,
        status=status,
        is_down=is_down,
        days=visitor.window(WINDOWS),
        windows=WINDOWS,
        profile=profile,
        chosen=chosen,
        samples=samples,
        **(_table(profile.sessions) if profile else {}),
        week=schedule(profile.sessions, visitor.zone()) if profile else [],
    )


@blueprint.get("/streamer/<login:login>/sessions.csv")
def download_sessions(login: str) -> Response:
    """The sessions of the window that is shown."""
    profile = services().performance.profile(login, visitor.window(WINDOWS))
    if profile is None:
        abort(404, f"Nothing was ever observed of {login!r}.")
    response = Response(_csv(profile.sessions), content_type="text/csv; charset=utf-8")
    filename = f"{login.lower()}-sessions-{profile.window.days}-days.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


def _chosen(sessions: Sequence[StreamSession], stream_id: str | None) -> StreamSession | None:
    """The session that is asked for, else the newest."""
    asked = (one for one in sessions if one.stream_id == stream_id)
    return next(asked, None) or next(iter(sessions), None)


def _table(sessions: list[StreamSession]) -> dict[str, Any]:
    wanted = request.args.get("sort", "")
    sort = wanted if wanted in ORDERS else "started"
    is_ascending = request.args.get("order") == "asc"
    ordered = sorted(sessions, key=ORDERS[sort], reverse=not is_ascending)
    return {
        "found": page_of(ordered, SESSIONS_A_PAGE),
        "sort": sort,
        "is_ascending": is_ascending,
    }


def _csv(sessions: list[StreamSession]) -> str:
    columns = (
        *("stream_id", "started_at", "ended_at", "duration_minutes", "max_viewers", "avg_viewers"),
        *("hours_watched", "category_name", "title", "language", "snapshot_count", "coverage"),
    )
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(
        {k: _harmless(v) for k, v in session_document(one).items()} for one in sessions
    )
    return text.getvalue()


def _harmless(value: Any) -> Any:
    """A title that a spreadsheet would take for a formula, as text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(tuple("=+-@\t\r")) else value
