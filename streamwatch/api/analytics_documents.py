"""JSON documents of sessions and statistics, with the field names of the API.

Numbers are rounded here, to 2 decimals, and nowhere before.
"""

from typing import Any

from streamwatch.domain.schedule import Cell
from streamwatch.domain.sessions import StreamSession
from streamwatch.domain.statistics import HOUR_MS, CategorySums
from streamwatch.domain.times import format_time
from streamwatch.domain.totals import (
    CategoryRank,
    Period,
    StreamerStats,
    Summary,
    Totals,
    relative_change,
)
from streamwatch.domain.trend import TrendDay
from streamwatch.services.analytics.queries import SessionDetails
from streamwatch.storage.backfills import Backfill

Document = dict[str, Any]

_MINUTE_MS = 60_000


def session_document(session: StreamSession) -> Document:
    sums, last, shown = session.sample_totals.sums, session.sample_totals.last, session.shown
    return {
        "stream_id": session.stream_id,
        "broadcaster_id": session.broadcaster_id,
        "broadcaster_login": session.broadcaster_login,
        "broadcaster_name": session.broadcaster_name,
        "started_at": format_time(session.started_at),
        "ended_at": format_time(session.ended_at) if session.ended_at else None,
        "duration_minutes": round(session.airtime_ms / _MINUTE_MS, 2),
        "max_viewers": sums.max_viewers,
        "avg_viewers": _rounded(sums.average),
        "hours_watched": round(sums.hours_watched, 2) if session.is_observed else None,
        "category_id": shown.category_id if shown else None,
        "category_name": shown.category_name if shown else None,
        "title": session.title,
        "language": session.language,
        "tags": list(last.tags) if last else [],
        "categories": [
            category_document(category) for category in session.sample_totals.categories
        ],
        "snapshot_count": sums.samples,
        "coverage": round(session.coverage, 2),
        "source": "observed" if session.is_observed else "vod",
        "vod_url": session.video.url if session.video else None,
    }


def session_details_document(details: SessionDetails) -> Document:
    is_observed = details.session.is_observed
    return {
        **session_document(details.session),
        "segments": [
            {
                "started_at": format_time(segment.started_at),
                "ended_at": format_time(segment.ended_at) if segment.ended_at else None,
                "category_id": segment.category_id,
                "category_name": segment.category_name,
                "title": segment.title,
                "hours_watched": round(segment.sums.hours_watched, 2) if is_observed else None,
                "avg_viewers": _rounded(segment.sums.average),
            }
            for segment in details.segments
        ],
        "samples": [
            {"captured_at": format_time(item.captured_at), "viewer_count": item.viewer_count}
            for item in details.samples
        ],
    }


def backfill_document(backfill: Backfill) -> Document:
    return {
        "status": backfill.status,
        "found": backfill.found,
        "added": backfill.added,
        "known": backfill.known,
        "skipped": sum(backfill.skipped.values()),
        "skipped_reasons": dict(backfill.skipped),
        "error": backfill.error,
    }


def trend_document(days: list[TrendDay]) -> list[Document]:
    return [
        {
            "date": item.day.day.isoformat(),
            "hours_streamed": round(item.day.hours_streamed, 2),
            "hours_watched": round(item.day.hours_watched, 2),
            "avg_viewers": _rounded(item.day.average_viewers),
            "max_viewers": item.max_viewers,
            "streams": item.streams,
        }
        for item in days
    ]


def category_document(category: CategorySums) -> Document:
    """`hours` are those that samples cover."""
    sums = category.sums
    return {
        "category_id": category.category_id,
        "category_name": category.category_name,
        "hours": round(sums.observed_ms / HOUR_MS, 2),
        "hours_watched": round(sums.hours_watched, 2),
        "avg_viewers": _rounded(sums.average),
        "max_viewers": sums.max_viewers,
    }


def category_rank_document(game: CategoryRank) -> Document:
    return category_document(game.category) | {"streamers": game.streamers}


def stats_document(stats: StreamerStats) -> Document:
    identity, totals = stats.identity, stats.totals
    return {
        "broadcaster_id": identity.broadcaster_id,
        "broadcaster_login": identity.latest_name.login,
        "broadcaster_name": identity.latest_name.name,
        **_totals_document(totals),
        "last_stream_at": format_time(totals.last_stream_at) if totals.last_stream_at else None,
        "first_seen_at": format_time(identity.first_seen_at),
        "updated_at": format_time(identity.latest_name.at),
    }


def _totals_document(totals: Totals) -> Document:
    ended = totals.ended_streams
    return {
        "total_streams": totals.streams,
        "total_hours_streamed": round(totals.hours_streamed, 2),
        "avg_stream_duration_minutes": _rounded(
            totals.ended_airtime_ms / ended / _MINUTE_MS if ended else None
        ),
        "max_concurrent_viewers": totals.sums.max_viewers,
        "avg_viewers_all_time": _rounded(totals.sums.average),
        "hours_watched": round(totals.sums.hours_watched, 2),
    }


def period_document(period: Period) -> Document:
    """The totals of a period, those of the period before, and the relative change of each: 0.5 is
    an increase by half, None where the previous value was 0 or missing."""
    now, before = (_period_totals(totals) for totals in (period.totals, period.before))
    return {
        "days": period.days,
        "since": format_time(period.since),
        "until": format_time(period.until),
        **{name: _rounded(value) for name, value in now.items()},
        "previous": {name: _rounded(value) for name, value in before.items()},
        "change": {
            name: _rounded(relative_change(value, before[name])) for name, value in now.items()
        },
    }


def _period_totals(totals: Totals) -> dict[str, float | None]:
    return {
        "streams": totals.streams,
        "hours_streamed": totals.hours_streamed,
        "max_viewers": totals.sums.max_viewers,
        "avg_viewers": totals.sums.average,
        "hours_watched": totals.sums.hours_watched,
    }


def summary_document(summary: Summary) -> Document:
    totals, streamers = summary.totals, summary.streamers
    return {
        "total_streamers_tracked": streamers,
        "total_stream_sessions": totals.streams,
        "active_sessions": totals.streams - totals.ended_streams,
        "completed_sessions": totals.ended_streams,
        "total_snapshots_captured": totals.sums.samples,
        "total_hours_streamed": round(totals.hours_streamed, 2),
        "avg_hours_per_streamer": round(totals.hours_streamed / streamers, 2) if streamers else 0.0,
        "total_hours_watched": round(totals.sums.hours_watched, 2),
    }


def schedule_document(cells: list[Cell]) -> list[Document]:
    return [
        {
            "weekday": cell.weekday,
            "hour": cell.hour,
            "hours_live": round(cell.live_ms / HOUR_MS, 2),
            "avg_viewers": _rounded(cell.average_viewers),
        }
        for cell in cells
    ]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
