"""The query parameters of `analytics`."""

import marshmallow as ma
from marshmallow import fields, validate

from streamwatch.api import csv_export, cursors
from streamwatch.api.arguments import LoginField, TagQuery
from streamwatch.domain.times import time_zones
from streamwatch.domain.totals import PERIODS

SESSIONS_CURSOR, SNAPSHOTS_CURSOR = "sessions", "snapshots"


class TopQuery(ma.Schema):
    limit = fields.Integer(load_default=10, validate=validate.Range(1, 50))


class TopStreamersQuery(TopQuery, TagQuery):
    pass


class StatsQuery(ma.Schema):
    days = fields.Integer(load_default=None, validate=validate.OneOf(PERIODS))


class ListQuery(ma.Schema):
    """`limit` and `after` apply to JSON; CSV is always complete."""

    format = fields.String(
        load_default=None,
        validate=validate.OneOf((csv_export.JSON_NAME, csv_export.CSV_NAME)),
        metadata={
            "description": "The default depends on the header `Accept`. CSV ignores `limit`"
            " and `after`."
        },
    )


class SessionsQuery(ListQuery):
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 500))
    after = cursors.CursorField(SESSIONS_CURSOR)


class SnapshotsQuery(ListQuery):
    limit = fields.Integer(load_default=100, validate=validate.Range(1, 1000))
    after = cursors.CursorField(SNAPSHOTS_CURSOR)
    broadcaster_login = LoginField(load_default=None)


def _check_time_zone(name: str) -> None:
    """A function, not `OneOf`: the OpenAPI document must not list 600 zones."""
    if name not in time_zones():
        raise ma.ValidationError("Not an IANA time zone, such as Europe/Berlin.")


class ScheduleQuery(ma.Schema):
    tz = fields.String(
        load_default="UTC",
        validate=_check_time_zone,
        metadata={
            "description": "An IANA time zone, by which dates and hours are counted.",
            "examples": ["Europe/Berlin"],
        },
    )
    days = fields.Integer(load_default=90, validate=validate.OneOf(PERIODS))


class TrendQuery(ScheduleQuery):
    days = fields.Integer(load_default=30, validate=validate.OneOf(PERIODS))
