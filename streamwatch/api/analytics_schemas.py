"""Schemas of the analytics' responses, for OpenAPI. `analytics_documents` builds the documents."""

from marshmallow import fields, validate

from streamwatch.api.arguments import LOGIN_SCHEMA
from streamwatch.api.schemas import Document, MessageSchema, PageSchema
from streamwatch.storage.backfills import BackfillStatus


def _login() -> fields.String:
    return fields.String(metadata=LOGIN_SCHEMA)


def _count() -> fields.Integer:
    return fields.Integer(validate=validate.Range(min=0))


def _number(description: str | None = None, *, nullable: bool = False) -> fields.Float:
    metadata = {"description": description} if description else {}
    return fields.Float(allow_none=nullable, metadata=metadata, validate=validate.Range(min=0))


def _viewers() -> fields.Integer:
    """A peak; null without samples."""
    return fields.Integer(allow_none=True, validate=validate.Range(min=0))


class CategorySchema(Document):
    """Totals of one category."""

    category_id = fields.String()
    category_name = fields.String()
    hours = _number("Hours of streams in this category, as far as samples cover them.")
    hours_watched = _number()
    avg_viewers = _number(nullable=True)
    max_viewers = _viewers()


class TopCategorySchema(CategorySchema):
    """One category over all streamers."""

    streamers = _count()


class SessionSchema(Document):
    stream_id = fields.String()
    broadcaster_id = fields.String()
    broadcaster_login = _login()
    broadcaster_name = fields.String()
    started_at = fields.DateTime()
    ended_at = fields.DateTime(
        allow_none=True,
        metadata={
            "description": "Null while the stream is live; the other fields then have the values so"
            " far."
        },
    )
    duration_minutes = _number()
    max_viewers = _viewers()
    avg_viewers = _number("Average weighted by time; null without samples.", nullable=True)
    hours_watched = _number("Null if `source` is `vod`.", nullable=True)
    category_id = fields.String(
        allow_none=True, metadata={"description": "The last category of the session."}
    )
    category_name = fields.String(allow_none=True)
    title = fields.String(allow_none=True)
    language = fields.String(allow_none=True)
    tags = fields.List(fields.String())
    categories = fields.List(fields.Nested(CategorySchema))
    snapshot_count = _count()
    coverage = fields.Float(
        validate=validate.Range(0, 1),
        metadata={
            "description": "The part of the session's airtime that samples cover, from 0 to 1."
        },
    )
    source = fields.String(
        validate=validate.OneOf(["observed", "vod"]),
        metadata={
            "description": "`vod` if the session is known only from an archived video, else"
            " `observed`."
        },
    )
    vod_url = fields.String(
        allow_none=True, metadata={"description": "The archived video, if one is known."}
    )


class BackfillSchema(Document):
    """The last backfill, which reads a streamer's archived videos. Of the `found` videos, `added`
    gave a session that was not known, `known` are of known sessions, and `skipped` gave none."""

    status = fields.Enum(BackfillStatus, by_value=True)
    found = _count()
    added = _count()
    known = _count()
    skipped = _count()
    skipped_reasons = fields.Dict(keys=fields.String(), values=_count())
    error = fields.String(
        allow_none=True, metadata={"description": "Why the backfill failed or is queued again."}
    )


class SegmentSchema(Document):
    """A part of a session with one category and title, which are null until they are known. It
    begins at the message about the change, or at the poll that first saw it: after the first 1,000
    updates of a stream always at a poll."""

    started_at = fields.DateTime()
    ended_at = fields.DateTime(
        allow_none=True,
        metadata={"description": "Null for the last segment of an ongoing session."},
    )
    category_id = fields.String(allow_none=True)
    category_name = fields.String(allow_none=True)
    title = fields.String(allow_none=True)
    hours_watched = _number("Null if the session's `source` is `vod`.", nullable=True)
    avg_viewers = _number(nullable=True)


class SampleSchema(Document):
    captured_at = fields.DateTime()
    viewer_count = _count()


class SessionDetailsSchema(SessionSchema):
    """A session with its segments and at most 1,000 samples, the peaks among them."""

    segments = fields.List(fields.Nested(SegmentSchema))
    samples = fields.List(fields.Nested(SampleSchema), validate=validate.Length(max=1000))


class TrendDaySchema(Document):
    """One date. Hours are split at midnight; a stream counts on the date it began."""

    date = fields.Date()
    hours_streamed = _number()
    hours_watched = _number()
    avg_viewers = _number("Average weighted by time; null without samples.", nullable=True)
    max_viewers = _viewers()
    streams = _count()


class TrendSchema(Document):
    broadcaster_login = _login()
    days = fields.List(fields.Nested(TrendDaySchema))
    count = _count()


class SessionsSchema(PageSchema):
    broadcaster_login = _login()
    sessions = fields.List(fields.Nested(SessionSchema))


class SnapshotSchema(Document):
    stream_id = fields.String()
    broadcaster_id = fields.String()
    broadcaster_login = _login()
    broadcaster_name = fields.String()
    captured_at = fields.DateTime()
    started_at = fields.DateTime()
    viewer_count = _count()
    category_id = fields.String(allow_none=True)
    category_name = fields.String(allow_none=True)
    title = fields.String(allow_none=True)
    language = fields.String(allow_none=True)
    tags = fields.List(fields.String())


class SnapshotsSchema(PageSchema):
    snapshots = fields.List(fields.Nested(SnapshotSchema))
    broadcaster_login = fields.String(allow_none=True)


class StatsSchema(Document):
    """A streamer's statistics; ongoing streams count in all but `avg_stream_duration_minutes`."""

    broadcaster_id = fields.String()
    broadcaster_login = _login()
    broadcaster_name = fields.String()
    total_streams = _count()
    total_hours_streamed = _number()
    avg_stream_duration_minutes = _number(
        "Average over ended streams; null before the first has ended.", nullable=True
    )
    max_concurrent_viewers = _viewers()
    avg_viewers_all_time = _number("Average weighted by time; null without samples.", nullable=True)
    hours_watched = _number()
    last_stream_at = fields.DateTime(
        allow_none=True, metadata={"description": "Start of the last stream."}
    )
    first_seen_at = fields.DateTime()
    updated_at = fields.DateTime(
        metadata={"description": "Time of the newest observation of the streamer."}
    )


class PeriodSchema(Document):
    """Totals of the streams that started within a period."""

    streams = fields.Float()
    hours_streamed = fields.Float()
    max_viewers = fields.Float(allow_none=True)
    avg_viewers = fields.Float(allow_none=True)
    hours_watched = fields.Float()


class ChangeSchema(Document):
    """Relative changes: 0.5 is an increase by half; null where the previous value was 0 or
    missing."""

    streams = fields.Float(allow_none=True)
    hours_streamed = fields.Float(allow_none=True)
    max_viewers = fields.Float(allow_none=True)
    avg_viewers = fields.Float(allow_none=True)
    hours_watched = fields.Float(allow_none=True)


class ComparedPeriodSchema(PeriodSchema):
    """Totals of the last days, compared with the same number of days before."""

    days = _count()
    since = fields.DateTime()
    until = fields.DateTime()
    previous = fields.Nested(PeriodSchema)
    change = fields.Nested(ChangeSchema)


class StatsOfStreamerSchema(StatsSchema):
    window = fields.Nested(
        ComparedPeriodSchema,
        allow_none=True,
        metadata={"description": "Statistics of the last `days` days; null without `days`."},
    )


class RecalculatedSchema(MessageSchema):
    stats = fields.Nested(StatsSchema)


class TopStreamersSchema(Document):
    top_streamers = fields.List(fields.Nested(StatsSchema))
    count = _count()


class TopGamesSchema(Document):
    top_games = fields.List(fields.Nested(TopCategorySchema))
    count = _count()


class CategoriesSchema(Document):
    broadcaster_login = _login()
    categories = fields.List(fields.Nested(CategorySchema))
    count = _count()


class HourSchema(Document):
    """One hour of the week; weekday 0 is Monday."""

    weekday = fields.Integer(validate=validate.Range(0, 6))
    hour = fields.Integer(validate=validate.Range(0, 23))
    hours_live = _number()
    avg_viewers = _number(nullable=True)


class ScheduleSchema(Document):
    broadcaster_login = _login()
    tz = fields.String()
    days = _count()
    schedule = fields.List(fields.Nested(HourSchema), validate=validate.Length(equal=168))
    count = _count()


class SummarySchema(Document):
    total_streamers_tracked = _count()
    total_stream_sessions = _count()
    active_sessions = _count()
    completed_sessions = _count()
    total_snapshots_captured = _count()
    total_hours_streamed = _number()
    avg_hours_per_streamer = _number()
    total_hours_watched = _number()
