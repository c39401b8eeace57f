"""Parts of a stream with one category and title."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, pairwise

from streamwatch.domain.channel import Channel, ShownInfo
from streamwatch.domain.models import StreamSnapshot
from streamwatch.domain.sessions import StreamSession
from streamwatch.domain.statistics import Sums, durations

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
    """The session's segments, without gaps, whose sums add up to those of the session if `cap` is
    the one that it was computed with.

    `samples` are its samples in the order of their times. A segment begins at the update that
    changes the category or title, or at the sample that first shows other ones. The sums of samples
    that have expired are those of the first segment, whose names are not known; where all have
    expired the session is one segment.
    """
    total = session.sample_totals.sums
    is_complete = len(samples) >= total.samples
    if not samples and not is_complete:
        return [_segment(session.started_at, session.ended_at, session.shown, total)]
    channel = Channel(session.updates)
    borders = _borders(session, channel, samples, is_complete=is_complete)
    starts = [at for at, _ in borders]
    sums = [Sums()] * len(borders)

    def add(at: datetime, more: Sums) -> None:
        number = max(bisect_right(starts, at) - 1, 0)
        sums[number] += more

    for sample, length_ms in durations(samples, session.ended_at, cap):
        viewers = sample.viewer_count
        add(sample.captured_at, Sums(1, viewers, viewers))
        for at, _, part_ms in channel.during(sample, length_ms):
            add(at, Sums(observed_ms=part_ms, viewer_ms=viewers * part_ms))
    if not is_complete:
        sums[0] = _minus(total, sum(sums, Sums()))
    ends = [*starts[1:], session.ended_at]
    return [
        _segment(at, until, shown, part)
        for (at, shown), until, part in zip(borders, ends, sums, strict=True)
    ]


def gaps(session: StreamSession, samples: Sequence[StreamSnapshot], cap: timedelta) -> list[Gap]:
    """The parts of the session, each of `cap` or longer, for which no sample counts. `samples` are
    in the order of their times; the time before the first one is not a gap if samples have expired.
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


def _borders(
    session: StreamSession,
    channel: Channel,
    samples: Sequence[StreamSnapshot],
    *,
    is_complete: bool,
) -> list[tuple[datetime, ShownInfo | None]]:
    """The start of each segment with what was shown from then on. Where samples have expired
    nothing is known before the first that is left."""
    shown_at: dict[datetime, ShownInfo | None] = {session.started_at: None}
    changes = [(update.at, ShownInfo(*update.info)) for update in session.updates]
    changes += [(sample.captured_at, channel.at_sample(sample)) for sample in samples]
    changes.sort(key=lambda change: change[0])  # a sample after an update of the same time
    for at, shown in changes:
        if session.ended_at is not None and at >= session.ended_at:
            break
        if is_complete or at >= samples[0].captured_at:
            shown_at[max(at, session.started_at)] = shown
    if len(shown_at) == 1 and shown_at[session.started_at] is None:
        return [(session.started_at, session.shown)]
    groups = groupby(shown_at.items(), key=lambda item: _names(item[1]))
    return [next(group) for _, group in groups]


def _names(shown: ShownInfo | None) -> tuple[str | None, str | None] | None:
    return (shown.category_id, shown.title) if shown else None


def _segment(
    started_at: datetime, ended_at: datetime | None, shown: ShownInfo | None, sums: Sums
) -> Segment:
    return Segment(
        started_at,
        ended_at,
        shown.category_id if shown else None,
        shown.category_name if shown else None,
        shown.title if shown else None,
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
