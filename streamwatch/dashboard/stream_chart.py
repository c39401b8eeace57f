"""The drawing of one stream: its viewers over time, and a strip of its categories with hatching
where it was not observed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter

from streamwatch.dashboard.plots import WIDTH, Scale, line_path, scale_for
from streamwatch.domain.segments import Gap, Segment
from streamwatch.services.analytics.queries import SessionDetails


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a stream with one category, which is None while it is not known and where nothing
    was observed. `color` is the category's number on the page, None for others; `x` and `width` are
    the part's place in the strip."""

    start: datetime
    end: datetime
    category: str | None
    is_observed: bool
    color: int | None
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class StreamChart:
    """The line `path` on its `scale`, the `parts` below, and the times at equal distances."""

    path: str
    scale: Scale
    parts: list[Part]
    times: list[datetime]


_MIN_WIDTH = 2.0
"""The width of a part that has just begun."""

_Span = tuple[datetime, datetime, str | None]
"""Start, end and category."""


def stream_chart(details: SessionDetails, colors: Mapping[str, int]) -> StreamChart:
    """The drawing of a session. The line is interrupted where the session was not observed."""
    session = details.session
    start, end = session.started_at, session.ended_at or _last_known(details)
    length = max(end - start, timedelta(seconds=1))

    def x(at: datetime) -> float:
        return round(min(max((at - start) / length, 0.0), 1.0) * WIDTH, 2)

    def part(span: _Span, *, is_observed: bool) -> Part:
        begin, finish, category = span
        width = max(round(x(finish) - x(begin), 2), _MIN_WIDTH)
        color = colors.get(category or "")
        return Part(
            begin, finish, category, is_observed, color, min(x(begin), WIDTH - _MIN_WIDTH), width
        )

    points = _points(details)
    values = [value for _, value in points]
    scale = scale_for([value for value in values if value is not None])
    observed = [part(span, is_observed=True) for span in _observed(details, end)]
    unobserved = [
        part((gap.started_at, gap.ended_at, None), is_observed=False) for gap in details.gaps
    ]
    return StreamChart(
        path=line_path([x(at) for at, _ in points], values, scale),
        scale=scale,
        parts=sorted([*observed, *unobserved], key=lambda each: each.start),
        times=[start + length * number / 4 for number in range(5)],
    )


def _last_known(details: SessionDetails) -> datetime:
    """When an ongoing session was last seen on, or its last segment began."""
    return max([details.session.seen_at, *(part.started_at for part in details.segments)])


def _points(details: SessionDetails) -> list[tuple[datetime, float | None]]:
    """The samples, with a missing value where a gap begins."""
    samples = [(sample.captured_at, float(sample.viewer_count)) for sample in details.samples]
    breaks = [(gap.started_at, None) for gap in details.gaps]
    return sorted([*samples, *breaks], key=itemgetter(0))


def _observed(details: SessionDetails, end: datetime) -> Iterator[_Span]:
    """The observed spans, each of one category."""
    for category, group in groupby(_named(details.segments), key=lambda named: named[1]):
        segments = [segment for segment, _ in group]
        spans: list[_Span] = [
            (segments[0].started_at, segments[-1].ended_at or end, category),
        ]
        for gap in details.gaps:
            spans = [rest for span in spans for rest in _without(span, gap)]
        yield from spans


def _named(segments: Sequence[Segment]) -> list[tuple[Segment, str | None]]:
    """The segments with their categories. A first segment of which nothing is known has the
    category of the next one."""
    named = [(segment, segment.category_name or None) for segment in segments]
    if len(named) > 1 and segments[0].category_id is None and not segments[0].sums.samples:
        named[0] = (segments[0], named[1][1])
    return named


def _without(span: _Span, gap: Gap) -> Iterator[_Span]:
    """The parts of a span before and after a gap. A span that has only just begun has no length."""
    start, end, category = span
    if start == end and not gap.started_at <= start < gap.ended_at:
        yield span
        return
    before, after = min(end, gap.started_at), max(start, gap.ended_at)
    if start < before:
        yield start, before, category
    if after < end:
        yield after, end, category
