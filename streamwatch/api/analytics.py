"""How everyone's streams have been doing: sessions, samples and figures."""

from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import marshmallow as ma
from flask import Response, jsonify
from marshmallow import fields, validate

from streamwatch.api import csv_export
from streamwatch.api.analytics_documents import (
    category_document,
    game_document,
    schedule_document,
    session_details_document,
    session_document,
    stats_document,
    summary_document,
    trend_document,
    window_document,
)
from streamwatch.api.analytics_schemas import (
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
from streamwatch.api.arguments import LoginField
from streamwatch.api.blueprint import Blueprint
from streamwatch.api.context import services
from streamwatch.api.documents import snapshot_document
from streamwatch.api.responses import cached
from streamwatch.domain.totals import Ranking
from streamwatch.storage.base import Topic

blueprint = Blueprint(
    "analytics", __name__, url_prefix="/analytics", description="How streams have been doing."
)

STREAMER = '/streamer/<login(name="login"):login>'
WINDOWS = (7, 30, 90, 365)
SESSION_COLUMNS = [name for name in SessionSchema().fields if name != "categories"]
SNAPSHOT_COLUMNS = list(SnapshotSchema().fields)

Query = dict[str, Any]


class TopQuery(ma.Schema):
    limit = fields.Integer(load_default=10, validate=validate.Range(1, 50))


class StatsQuery(ma.Schema):
    days = fields.Integer(load_default=None, validate=validate.OneOf(WINDOWS))


class ListQuery(ma.Schema):
    """`limit` counts in JSON; CSV is complete."""

    format = fields.String(
        load_default=None,
        validate=validate.OneOf((csv_export.JSON_NAME, csv_export.CSV_NAME)),
        metadata={"description": "Else `Accept` decides. CSV is complete whatever `limit` is."},
    )


class SessionsQuery(ListQuery):
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 500))


class SnapshotsQuery(ListQuery):
    limit = fields.Integer(load_default=100, validate=validate.Range(1, 1000))
    broadcaster_login = LoginField(load_default=None)


def _check_time_zone(name: str) -> None:
    """A function, so that the OpenAPI document does not list 600 zones."""
    if name not in _time_zones():
        raise ma.ValidationError("Not an IANA time zone, such as Europe/Berlin.")


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


class ScheduleQuery(ma.Schema):
    tz = fields.String(
        load_default="UTC",
        validate=_check_time_zone,
        metadata={"description": "An IANA time zone.", "examples": ["Europe/Berlin"]},
    )
    days = fields.Integer(load_default=90, validate=validate.OneOf(WINDOWS))


class TrendQuery(ScheduleQuery):
    days = fields.Integer(load_default=30, validate=validate.OneOf(WINDOWS))


@blueprint.get("/summary")
@blueprint.response(200, SummarySchema)
@blueprint.problems(503)
@cached(Topic.ANALYTICS)
def get_summary() -> Response:
    """Everyone together

    Over all sessions that were ever observed.
    """
    return jsonify(summary_document(services().analytics_queries.summary()))


@blueprint.get(f"{STREAMER}/stats")
@blueprint.arguments(StatsQuery, location="query")
@blueprint.response(200, StatsOfStreamerSchema)
@blueprint.problems(404, 503)
@cached(Topic.ANALYTICS)
def get_stats(query: Query, login: str) -> Response:
    """A streamer's figures

    Of all time; with `days` also of as many days, compared with those before.
    """
    queries, days = services().analytics_queries, query["days"]
    stats = queries.stats(login)
    window = window_document(queries.window(stats, days)) if days else None
    return jsonify(stats_document(stats) | {"window": window})


@blueprint.post(f"{STREAMER}/recalculate")
@blueprint.response(200, RecalculatedSchema)
@blueprint.problems(404, 503)
def recalculate_streamer(login: str) -> Response:
    """Make a streamer's figures anew

    From the samples and events that are kept; it finds what is shown already. Figures whose samples
    are no longer kept stay as they are.
    """
    stats = stats_document(services().analytics_queries.recalculate(login))
    message = f"Recalculated {stats['broadcaster_login']}"
    return jsonify(message=message, stats=stats)


@blueprint.get(f"{STREAMER}/sessions")
@blueprint.arguments(SessionsQuery, location="query")
@blueprint.response(200, SessionsSchema)
@blueprint.alt_response(200, schema=csv_export.SCHEMA, content_type=csv_export.CSV)
@blueprint.problems(404, 503)
@cached(Topic.ANALYTICS)
def list_sessions(query: Query, login: str) -> Response:
    """A streamer's sessions

    The newest first, as JSON, or all as CSV.
    """
    reports = services().analytics_queries
    if csv_export.is_wanted(query["format"]):
        rows = (session_document(one) for one in reports.each_session(login))
        return csv_export.csv_response(f"{login.lower()}-sessions", SESSION_COLUMNS, rows)
    current_login, sessions = reports.sessions(login, query["limit"])
    return jsonify(
        broadcaster_login=current_login,
        sessions=[session_document(one) for one in sessions],
        count=len(sessions),
    )


@blueprint.get(f"{STREAMER}/sessions/<stream_id>")
@blueprint.response(200, SessionDetailsSchema)
@blueprint.problems(404, 503)
@cached(Topic.ANALYTICS)
def get_session(login: str, stream_id: str) -> Response:
    """One session

    With its segments, which add up to it, and at most 1,000 samples.
    """
    details = services().analytics_queries.session_details(login, stream_id)
    return jsonify(session_details_document(details))


@blueprint.get(f"{STREAMER}/trend")
@blueprint.arguments(TrendQuery, location="query")
@blueprint.response(200, TrendSchema)
@blueprint.problems(404, 503)
def get_trend(query: Query, login: str) -> Response:
    """A streamer's trend, day by day

    The last dates of a time zone, the oldest first, today as the last.
    """
    queries = services().analytics_queries
    found = trend_document(queries.trend(login, ZoneInfo(query["tz"]), query["days"]))
    current_login = queries.stats(login).identity.latest_name.login
    return jsonify(broadcaster_login=current_login, days=found, count=len(found))


@blueprint.get(f"{STREAMER}/categories")
@blueprint.response(200, CategoriesSchema)
@blueprint.problems(404, 503)
@cached(Topic.ANALYTICS)
def list_categories(login: str) -> Response:
    """What a streamer played

    The most hours first.
    """
    found = [category_document(one) for one in services().analytics_queries.categories(login)]
    return jsonify(broadcaster_login=login.lower(), categories=found, count=len(found))


@blueprint.get(f"{STREAMER}/schedule")
@blueprint.arguments(ScheduleQuery, location="query")
@blueprint.response(200, ScheduleSchema)
@blueprint.problems(404, 503)
@cached(Topic.ANALYTICS)
def get_schedule(query: Query, login: str) -> Response:
    """When a streamer streams

    The 168 hours of the week in a time zone, Monday's first, by the streams of the last days.
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


def _serve_top_streamers(ranking: Ranking) -> None:
    """A path for each ranking, so that each is documented by its name."""

    @blueprint.get(f"/top-streamers/{ranking}", endpoint=f"list_top_streamers_by_{ranking}")
    @blueprint.arguments(TopQuery, location="query")
    @blueprint.response(200, TopStreamersSchema)
    @blueprint.problems(503)
    @cached(Topic.ANALYTICS)
    def list_top_streamers(query: Query) -> Response:
        """The first streamers

        By hours streamed, hours watched, peak or average viewers, as the path says.
        """
        stats = services().analytics_queries.top(ranking, query["limit"])
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
    """The first categories

    By hours watched, over all streamers.
    """
    top = [game_document(game) for game in services().analytics_queries.top_games(query["limit"])]
    return jsonify(top_games=top, count=len(top))


@blueprint.get("/snapshots")
@blueprint.arguments(SnapshotsQuery, location="query")
@blueprint.response(200, SnapshotsSchema)
@blueprint.alt_response(200, schema=csv_export.SCHEMA, content_type=csv_export.CSV)
@blueprint.problems(503)
@cached(Topic.ANALYTICS)
def list_snapshots(query: Query) -> Response:
    """The samples

    Of all streamers or of one, the newest first, as JSON, or all as CSV.
    """
    reports, login = services().analytics_queries, query["broadcaster_login"]
    if csv_export.is_wanted(query["format"]):
        rows = (snapshot_document(one) for one in reports.each_snapshot(login))
        return csv_export.csv_response("snapshots", SNAPSHOT_COLUMNS, rows)
    found = [snapshot_document(one) for one in reports.snapshots(login, query["limit"])]
    asked = login.lower() if login else None
    return jsonify(snapshots=found, count=len(found), broadcaster_login=asked)
