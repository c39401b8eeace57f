"""The drawing of one stream: its viewers over time, and a strip of its categories with hatching
where it was not watched."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from streamwatch.dashboard.plots import WIDTH, Scale, line_path, scale_for
from streamwatch.domain.models import StreamSnapshot
from streamwatch.domain.sessions import StreamSession

FEW_SAMPLES = 3
WELL_COVERED = 0.8
"""From this coverage on a page does not mention it."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a stream with one category. `category` is None where nothing was observed;
    `color` is the category's number on the page, None for others."""

    start: datetime
    end: datetime
    category: str | None
    is_observed: bool
    color: int | None
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class StreamChart:
    """The line `path` on its `scale`, the `segments` below, and the times at equal distances."""

    path: str
    scale: Scale
    segments: list[Segment]
    times: list[datetime]


def stream_chart(
    session: StreamSession,
    samples: Sequence[StreamSnapshot],
    cap: timedelta,
    colors: Mapping[str, int],
) -> StreamChart:
    """The drawing of `session` with its `samples`, oldest first. Between two samples that are
    further apart than `cap` nobody watched: the line is interrupted there."""
    start, end = session.started_at, session.ended_at or session.seen_at
    length = max(end - start, timedelta(seconds=1))

    def x(at: datetime) -> float:
        return round(min(max((at - start) / length, 0.0), 1.0) * WIDTH, 2)

    xs: list[float] = []
    values: list[float | None] = []
    for number, sample in enumerate(samples):
        if number and sample.captured_at - samples[number - 1].captured_at > 2 * cap:
            xs.append(x(sample.captured_at))
            values.append(None)
        xs.append(x(sample.captured_at))
        values.append(float(sample.viewer_count))
    scale = scale_for([value for value in values if value is not None])
    segments = [
        Segment(
            start=begin,
            end=finish,
            category=category,
            is_observed=is_observed,
            color=colors.get(category or ""),
            x=x(begin),
            width=max(round(x(finish) - x(begin), 2), 0.0),
        )
        for begin, finish, category, is_observed in _parts(start, end, samples, cap)
        if finish > begin
    ]
    times = [start + length * part / 4 for part in range(5)]
    return StreamChart(line_path(xs, values, scale), scale, segments, times)


_Part = tuple[datetime, datetime, str | None, bool]


def _parts(
    start: datetime, end: datetime, samples: Sequence[StreamSnapshot], cap: timedelta
) -> list[_Part]:
    """The stream from `start` to `end` in parts of one category, observed or not. A sample counts
    up to the next one, for at most twice `cap`: samples are taken at slightly unequal distances."""
    parts: list[_Part] = []

    def add(begin: datetime, finish: datetime, category: str | None, *, observed: bool) -> None:
        if parts and parts[-1][2:] == (category, observed):
            parts[-1] = (parts[-1][0], finish, category, observed)
        elif finish > begin:
            parts.append((begin, finish, category, observed))

    at = start
    for number, sample in enumerate(samples):
        until = samples[number + 1].captured_at if number + 1 < len(samples) else end
        if sample.captured_at - at > 2 * cap:
            add(at, sample.captured_at, None, observed=False)
        else:
            sample_start = at
            add(sample_start, sample.captured_at, sample.category_name, observed=True)
        reach = until if until - sample.captured_at <= 2 * cap else sample.captured_at + cap
        add(sample.captured_at, reach, sample.category_name, observed=True)
        at = reach
    if at < end:
        add(at, end, None, observed=False)
    return parts
