"""Analytics: sessions, samples and statistics."""

from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, jsonify

from streamwatch.api import csv_export, cursors
from streamwatch.api.analytics_documents import (
    backfill_document,
    category_document,
    category_rank_document,
    period_document,
    schedule_document,
    session_details_document,
    session_document,
    stats_document,
    summary_document,
    trend_document,
)
from streamwatch.api.analytics_parameters import (
    SESSIONS_CURSOR,
    SNAPSHOTS_CURSOR,
    ScheduleQuery,
    SessionsQuery,
    SnapshotsQuery,
    StatsQuery,
    TopQuery,
    TopStreamersQuery,
    TrendQuery,
)
from streamwatch.api.analytics_schemas import (
    BackfillSchema,
    CategoriesSchema,
    RecalculatedSchema,
    ScheduleSchema,
    SessionDetailsSchema,
    SessionSchema,
    SessionsSchema,
    SnapshotSchema,
    SnapshotsSchema,
    StatsOfStreamerSchema,
    SummarySchema,
    TopGamesSchema,
    TopStreamersSchema,
    TrendSchema,
)
from streamwatch.api.blueprint import Blueprint
from streamwatch.api.context import services, tagged
from streamwatch.api.documents import snapshot_document
from streamwatch.api.responses import cached
from streamwatch.api.schemas import MessageSchema
from streamwatch.domain.totals import Ranking
from streamwatch.storage.base import Topic
from streamwatch.twitch.base import TwitchNotConfigured

blueprint = Blueprint(
    "analytics", __name__, url_prefix="/analytics", description="Sessions, samples and statistics."
)

STREAMER = '/streamer/<login(name="login"):login>'
# A new field of the schema becomes a column at the end.
SESSION_COLUMNS = [name for name in SessionSchema().fields if name != "categories"]
SNAPSHOT_COLUMNS = list(SnapshotSchema().fields)

Query = dict[str, Any]


@blueprint.get("/summary")
@blueprint.response(200, SummarySchema)
@blueprint.problems(503)
@cached(Topic.ANALYTICS)
def get_summary() -> Response:
    """Show the totals of all streamers

    The totals count all sessions of all streamers.
    """
    return jsonify(summary_document(services().analytics_queries.summary()))


@blueprint.get(f"{STREAMER}/stats")
@blueprint.arguments(StatsQuery, location="query")
@blueprint.response(200, StatsOfStreamerSchema)
@blueprint.problems(404, 503)
@cached(Topic.ANALYTICS)
def get_stats(query: Query, login: str) -> Response:
    """Show a streamer's statistics

    Shows the statistics of all time. With `days`, `window` has those of the last `days` days, and
    of the same number of days before.
    """
    queries, days = services().analytics_queries, query["days"]
    stats = queries.stats(login)
    window = period_document(queries.period(stats, days)) if days else None
    return jsonify(stats_document(stats) | {"window": window})


@blueprint.post(f"{STREAMER}/recalculate")
@blueprint.response(200, RecalculatedSchema)
@blueprint.problems(404, 503)
def recalculate_streamer(login: str) -> Response:
    """Recalculate a streamer's statistics

    Recalculates them from the stored samples and events. They change only if the stored statistics
    were wrong. Statistics whose samples have been deleted do not change.
    """
    stats = stats_document(services().analytics_queries.recalculate(login))
    message = f"Recalculated {stats['broadcaster_login']}"
    return jsonify(message=message, stats=stats)


@blueprint.get(f"{STREAMER}/sessions")
@blueprint.arguments(SessionsQuery, location="query")
@blueprint.response(200, SessionsSchema, headers=cursors.LINK_HEADER)
@blueprint.alt_response(200, schema=csv_export.SCHEMA, content_type=csv_export.CSV)
@blueprint.problems(404, 503)
@cached(Topic.ANALYTICS)
def list_sessions(query: Query, login: str) -> Response:
    """List a streamer's sessions

    Lists sessions newest first: a page of them as JSON, or all of them as CSV.
    """
    queries = services().analytics_queries
    if csv_export.is_wanted(query["format"]):
        rows = (session_document(session) for session in queries.each_session(login))
        return csv_export.csv_response(f"{login.lower()}-sessions", SESSION_COLUMNS, rows)
    stats = queries.stats(login)
    page = cursors.page(SESSIONS_CURSOR, query, partial(queries.sessions, stats))
    response = page.respond(
        broadcaster_login=stats.identity.latest_name.login,
        sessions=[session_document(session) for session in page.items],
    )
    return csv_export.negotiated(response)


@blueprint.get(f"{STREAMER}/sessions/<stream_id>")
@blueprint.response(200, SessionDetailsSchema)
@blueprint.problems(404, 503)
@cached(Topic.ANALYTICS)
def get_session(login: str, stream_id: str) -> Response:
    """Show one session

    Shows a session with its segments, which cover the session without gaps, and at most 1,000
    samples.
    """
    details = services().analytics_queries.session_details(login, stream_id)
    return jsonify(session_details_document(details))


@blueprint.get(f"{STREAMER}/trend")
@blueprint.arguments(TrendQuery, location="query")
@blueprint.response(200, TrendSchema)
@blueprint.problems(404, 503)
def get_trend(query: Query, login: str) -> Response:
    """Show a streamer's statistics of each day

    Shows the last `days` dates in the time zone `tz`, oldest first, ending with today.
    """
    queries = services().analytics_queries
    found = trend_document(queries.trend(login, ZoneInfo(query["tz"]), query["days"]))
    current_login = queries.stats(login).identity.latest_name.login
    return jsonify(broadcaster_login=current_login, days=found, count=len(found))


@blueprint.post(f"{STREAMER}/backfill")
@blueprint.response(202, MessageSchema)
@blueprint.problems(404, 503)
def backfill_streamer(login: str) -> tuple[Response, int]:
    """Start a backfill of a streamer's past streams

    The worker reads the streamer's archived videos at Twitch. The sessions appear within seconds.
    """
    if not services().settings.has_twitch_credentials:
        raise TwitchNotConfigured
    services().backfills.request(login)
    return jsonify(message=f"Queued: {login.lower()}"), 202


@blueprint.get(f"{STREAMER}/backfill")
@blueprint.response(200, BackfillSchema)
@blueprint.problems(404, 503)
def show_backfill(login: str) -> Response:
    """Show the status of the last backfill

    A backfill runs after a streamer is added, after each of the streamer's streams, after the
    worker was off for 15 minutes or more, and on request.
    """
    return jsonify(backfill_document(services().backfills.find(login)))


@blueprint.get(f"{STREAMER}/categories")
@blueprint.response(200, CategoriesSchema)
@blueprint.problems(404, 503)
@cached(Topic.ANALYTICS)
def list_categories(login: str) -> Response:
    """List the categories of a streamer

    Lists the category with the most hours first.
    """
    found = [
        category_document(category) for category in services().analytics_queries.categories(login)
    ]
    return jsonify(broadcaster_login=login.lower(), categories=found, count=len(found))


@blueprint.get(f"{STREAMER}/schedule")
@blueprint.arguments(ScheduleQuery, location="query")
@blueprint.response(200, ScheduleSchema)
@blueprint.problems(404, 503)
@cached(Topic.ANALYTICS)
def get_schedule(query: Query, login: str) -> Response:
    """Show when a streamer is usually live

    Shows the 168 hours of the week in the time zone `tz`, from Monday on, computed from the streams
    of the last `days` days.
    """
    zone, days = ZoneInfo(query["tz"]), query["days"]
    cells = schedule_document(services().analytics_queries.schedule(login, zone, days))
    return jsonify(
        broadcaster_login=login.lower(),
        tz=query["tz"],
        days=days,
        schedule=cells,
        count=len(cells),
    )


_RANKED_BY = {
    Ranking.HOURS: "hours streamed",
    Ranking.WATCHED: "hours watched",
    Ranking.PEAK: "peak viewers",
    Ranking.AVERAGE: "average viewers",
}


def _serve_top_streamers(ranking: Ranking) -> None:
    """Register one path for each ranking, so that each is documented by its name."""

    @blueprint.get(f"/top-streamers/{ranking}", endpoint=f"list_top_streamers_by_{ranking}")
    @blueprint.doc(summary=f"List the top streamers by {_RANKED_BY[ranking]}")
    @blueprint.arguments(TopStreamersQuery, location="query")
    @blueprint.response(200, TopStreamersSchema)
    @blueprint.problems(503)
    @cached(Topic.ANALYTICS, Topic.STREAMERS)
    def list_top_streamers(query: Query) -> Response:
        """List the top streamers

        Ranks all streamers, or those with a tag, over all of their streams.
        """
        user_ids = tagged(query["tag"])
        stats = services().analytics_queries.top(ranking, query["limit"], user_ids)
        top = [stats_document(streamer) for streamer in stats]
        return jsonify(top_streamers=top, count=len(top))


for each in Ranking:
    _serve_top_streamers(each)


@blueprint.get("/games/top")
@blueprint.arguments(TopQuery, location="query")
@blueprint.response(200, TopGamesSchema)
@blueprint.problems(503)
@cached(Topic.ANALYTICS)
def list_top_games(query: Query) -> Response:
    """List the top categories

    Ranks the categories of all streamers by hours watched.
    """
    top = [
        category_rank_document(category)
        for category in services().analytics_queries.top_categories(query["limit"])
    ]
    return jsonify(top_games=top, count=len(top))


@blueprint.get("/snapshots")
@blueprint.arguments(SnapshotsQuery, location="query")
@blueprint.response(200, SnapshotsSchema, headers=cursors.LINK_HEADER)
@blueprint.alt_response(200, schema=csv_export.SCHEMA, content_type=csv_export.CSV)
@blueprint.problems(503)
@cached(Topic.ANALYTICS)
def list_snapshots(query: Query) -> Response:
    """List the snapshots

    Lists snapshots of all streamers, or of `broadcaster_login`, newest first: a page of them as
    JSON, or all of them as CSV.
    """
    queries, login = services().analytics_queries, query["broadcaster_login"]
    if csv_export.is_wanted(query["format"]):
        rows = (snapshot_document(snapshot) for snapshot in queries.each_snapshot(login))
        return csv_export.csv_response("snapshots", SNAPSHOT_COLUMNS, rows)
    page = cursors.page(SNAPSHOTS_CURSOR, query, partial(queries.snapshots, login))
    response = page.respond(
        snapshots=[snapshot_document(snapshot) for snapshot in page.items],
        broadcaster_login=login.lower() if login else None,
    )
    return csv_export.negotiated(response)
