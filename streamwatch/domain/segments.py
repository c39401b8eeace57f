"""Parts of a stream with one category and title."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby, pairwise

from streamwatch.domain.models import StreamSnapshot
from streamwatch.domain.sessions import StreamSession
from streamwatch.domain.statistics import Sums, compute_totals

MAX_POINTS = 1_000


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a session. `ended_at` is None for the last part of an ongoing session; category
    and title are None until they are known."""

    started_at: datetime
    ended_at: datetime | None
    category_id: str | None
    category_name: str | None
    title: str | None
    sums: Sums


@dataclass(frozen=True, slots=True)
class Gap:
    """A part of a session that was not observed."""

    started_at: datetime
    ended_at: datetime


def segments(
    session: StreamSession, samples: Sequence[StreamSnapshot], cap: timedelta
) -> list[Segment]:
    """The session's segments, without gaps, whose sums add up to those of the session.

    `samples` are its samples in the order of their times. A segment begins at the sample that first
    shows its category and title. The sums of samples that have expired are those of the first
    segment, whose names are not known; without any samples the session is one segment.
    """
    last, total = session.sample_totals.last, session.sample_totals.sums
    if not samples:
        whole = _segment(session.started_at, session.ended_at, last, total)
        return [replace(whole, title=session.title)]
    found = list(_by_names(session, samples, cap))
    rest = _minus(total, sum((segment.sums for segment in found), Sums()))
    first = found[0].started_at
    if first > session.started_at:
        found.insert(0, _segment(session.started_at, first, None, rest))
    return found


def gaps(session: StreamSession, samples: Sequence[StreamSnapshot], cap: timedelta) -> list[Gap]:
    """The parts of the session, each of `cap` or longer, for which no sample counts. `samples` are
    in the order of their times; what lies before the first one is no gap if samples have expired.
    """
    end = session.ended_at or session.seen_at
    at = session.started_at
    if not session.is_observed:
        return [Gap(at, end)]
    if len(samples) < session.sample_totals.sums.samples:
        at = samples[0].captured_at if samples else end
    found = []
    for sample in samples:
        found.append(Gap(at, min(sample.captured_at, end)))
        at = max(at, sample.captured_at + cap)
    found.append(Gap(at, end))
    return [gap for gap in found if gap.ended_at - gap.started_at >= cap]


def thin(samples: Sequence[StreamSnapshot], limit: int = MAX_POINTS) -> list[StreamSnapshot]:
    """At most `limit` of the samples, in the order of their times: the first, the last, and the
    highest of each part between."""
    if len(samples) <= limit:
        return list(samples)
    between, parts = samples[1:-1], limit - 2
    bounds = [number * len(between) // parts for number in range(parts + 1)]
    highest = [
        max(between[begin:end], key=lambda sample: sample.viewer_count)
        for begin, end in pairwise(bounds)
    ]
    return [samples[0], *highest, samples[-1]]


def _by_names(
    session: StreamSession, samples: Sequence[StreamSnapshot], cap: timedelta
) -> Iterator[Segment]:
    """Groups of consecutive samples with the same names. Samples after the end add no segment."""
    end = session.ended_at
    within = [sample for sample in samples if end is None or sample.captured_at < end]
    groups = [list(group) for _, group in groupby(within or samples, _names)]
    if within and len(within) < len(samples):
        groups[-1] += samples[len(within) :]
    starts = [max(group[0].captured_at, session.started_at) for group in groups]
    if end is not None:
        starts = [min(start, end) for start in starts]
    for group, start, until in zip(groups, starts, [*starts[1:], end], strict=True):
        yield _segment(start, until, group[-1], compute_totals(group, until, cap).sums)


def _names(sample: StreamSnapshot) -> tuple[str | None, str | None]:
    return sample.category_id, sample.title


def _segment(
    started_at: datetime,
    ended_at: datetime | None,
    sample: StreamSnapshot | None,
    sums: Sums,
) -> Segment:
    return Segment(
        started_at,
        ended_at,
        sample.category_id if sample else None,
        sample.category_name if sample else None,
        sample.title if sample else None,
        sums,
    )


def _minus(sums: Sums, other: Sums) -> Sums:
    """The sums of the samples that are in `sums` and not in `other`. Their peak is not known."""
    return Sums(
        samples=sums.samples - other.samples,
        viewer_sum=sums.viewer_sum - other.viewer_sum,
        observed_ms=sums.observed_ms - other.observed_ms,
        viewer_ms=sums.viewer_ms - other.viewer_ms,
    )
