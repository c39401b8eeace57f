"""The page that compares streamers day by day."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import render_template, request

from streamwatch.api.context import services
from streamwatch.dashboard import images, preferences
from streamwatch.dashboard.blueprint import blueprint
from streamwatch.dashboard.plots import WIDTH, Scale, line_path, scale_for
from streamwatch.domain.days import Day
from streamwatch.domain.logins import login_from
from streamwatch.domain.totals import PERIODS, Period, StreamerStats
from streamwatch.services.analytics.profiles import Compared

MAX_COMPARED = 5

METRICS = {
    "average_viewers": "Average viewers",
    "hours_watched": "Hours watched",
    "hours_streamed": "Hours streamed",
}
"""What can be compared day by day: properties of `domain.days.Day`."""


@dataclass(frozen=True, slots=True)
class Line:
    """A streamer's `values` by day, None on days without a stream; their drawing, and the
    streamer's totals of the period and the one before."""

    stats: StreamerStats
    period: Period
    values: list[float | None]
    path: str


@blueprint.get("/compare")
def compare() -> str:
    asked = [text for value in request.args.getlist("who") for text in value.split()]
    logins = list(dict.fromkeys(login_from(text) or text.lower() for text in asked))
    chosen = logins[:MAX_COMPARED]
    metric = request.args.get("metric", "")
    metric = metric if metric in METRICS else "average_viewers"
    is_log, is_share = "log" in request.args, "share" in request.args
    days = preferences.period()
    compared = services().profiles.compare(chosen, days, preferences.zone())
    found = {streamer.stats.identity.latest_name.login for streamer in compared}
    lines, scale = _lines(compared, days, metric, is_share=is_share, is_log=is_log)
    return render_template(
        "dashboard/compare.html",
        lines=lines,
        scale=scale,
        avatars=images.avatars(),
        dates=[day.day for day in compared[0].days] if compared else [],
        unknown=[login for login in chosen if login not in found],
        left_out=logins[MAX_COMPARED:],
        logins=chosen,
        days=days,
        periods=PERIODS,
        metric=metric,
        metrics=METRICS,
        is_log=is_log,
        is_share=is_share,
        streamers=services().streamers.all(),
        max_compared=MAX_COMPARED,
    )


def _lines(
    compared: Sequence[Compared], days: int, metric: str, *, is_share: bool, is_log: bool
) -> tuple[list[Line], Scale]:
    """A line for each streamer, all on one scale."""
    values_of_each = [_values(streamer.days, metric, is_share=is_share) for streamer in compared]
    known = [value for values in values_of_each for value in values if value is not None]
    scale = scale_for(known, is_log=is_log)
    lines = [
        Line(
            stats=streamer.stats,
            period=services().analytics_queries.period(streamer.stats, days),
            values=values,
            path=line_path(_xs(len(values)), values, scale),
        )
        for streamer, values in zip(compared, values_of_each, strict=True)
    ]
    return lines, scale


def _values(days: Sequence[Day], metric: str, *, is_share: bool) -> list[float | None]:
    """The metric by day, None where there was no stream, or nobody counted viewers. With `is_share`
    in percent of the streamer's own average over the days that have a value."""
    values: list[float | None] = [
        getattr(day, metric)
        if day.live_ms and (day.observed_ms or metric == "hours_streamed")
        else None
        for day in days
    ]
    known = [value for value in values if value is not None]
    average = sum(known) / len(known) if known else 0.0
    if is_share and average:
        return [None if value is None else 100 * value / average for value in values]
    return values


def _xs(count: int) -> list[float]:
    return [WIDTH * number / max(count - 1, 1) for number in range(count)]
