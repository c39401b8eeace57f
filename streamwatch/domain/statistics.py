"""What samples of viewers come to: the figures of a stream, and of a streamer.

Sample i of a stream stands for the time Δᵢ until the next one, the last for the time until the
stream's end (none while it is on); never for more than a cap, so that a gap in our watching does
not invent viewers. Averages are weighted by that time.

All sums are whole milliseconds, or viewers times milliseconds: exact, and therefore the same in
whatever order they are added up. 64 bits hold 2.5e12 hours watched, a hundred times what all of
Twitch is watched in a year. Rounding is left to the documents.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from streamwatch.domain.models import StreamSnapshot

HOUR_MS = 3_600_000
QUARTER_MS = 900_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Sums:
    """What samples add up to. `viewer_sum` is Σ vᵢ, `observed_ms` Σ Δᵢ, `viewer_ms` Σ vᵢΔᵢ;
    `max_viewers` is None without samples."""

    samples: int = 0
    viewer_sum: int = 0
    max_viewers: int | None = None
    observed_ms: int = 0
    viewer_ms: int = 0

    def __add__(self, other: "Sums") -> "Sums":
        peaks = [peak for peak in (self.max_viewers, other.max_viewers) if peak is not None]
        return Sums(
            samples=self.samples + other.samples,
            viewer_sum=self.viewer_sum + other.viewer_sum,
            max_viewers=max(peaks, default=None),
            observed_ms=self.observed_ms + other.observed_ms,
            viewer_ms=self.viewer_ms + other.viewer_ms,
        )

    @property
    def average(self) -> float | None:
        """The average viewers: Σ vᵢΔᵢ / Σ Δᵢ, or the plain mean while no time was observed."""
        if self.observed_ms:
            return self.viewer_ms / self.observed_ms
        return self.viewer_sum / self.samples if self.samples else None

    @property
    def hours_watched(self) -> float:
        return self.viewer_ms / HOUR_MS


@dataclass(frozen=True, slots=True)
class CategorySums:
    """What the samples of one category come to; its name is the last that was seen."""

    category_id: str
    category_name: str
    sums: Sums


@dataclass(frozen=True, slots=True)
class QuarterSums:
    """What was observed within one quarter of an hour, counted from 1970: time zones differ by
    whole quarters, so that an hour of any of them is four of these."""

    quarter: int
    observed_ms: int
    viewer_ms: int


@dataclass(frozen=True, slots=True)
class Sampled:
    """What the samples of one stream come to. `last_ms` is what the last sample stands for."""

    sums: Sums = field(default_factory=Sums)
    categories: tuple[CategorySums, ...] = ()
    quarters: tuple[QuarterSums, ...] = ()
    first_at: datetime | None = None
    last: StreamSnapshot | None = None
    last_ms: int = 0


def sampled(
    samples: Sequence[StreamSnapshot],
    end: datetime | None,
    cap: timedelta,
    before: Sampled | None = None,
) -> Sampled:
    """What `samples`, in the order of their times, come to; `end` is None while the stream is on.

    `before` is what earlier samples came to that are no longer kept: it is carried on with the
    samples after its last one.
    """
    before = before or Sampled()
    tally = _Tally(before)
    last = before.last
    if last is not None:
        tally.credit(last, -before.last_ms)
        samples = [sample for sample in samples if sample.captured_at > last.captured_at]
    for sample in samples:
        tally.count(sample)
    chain = [*([last] if last else []), *samples]
    for sample, following in pairwise(chain):
        tally.credit(sample, _stands_for(sample, following.captured_at, cap))
    if not chain:
        return before
    last = chain[-1]
    last_ms = _stands_for(last, end, cap) if end else 0
    tally.credit(last, last_ms)
    return Sampled(
        sums=tally.sums,
        categories=tuple(tally.categories[key] for key in sorted(tally.categories)),
        quarters=tuple(tally.quarter_sums()),
        first_at=before.first_at or chain[0].captured_at,
        last=last,
        last_ms=last_ms,
    )


def milliseconds(duration: timedelta) -> int:
    """Whole milliseconds of a duration between times that are whole milliseconds."""
    return duration // _MS


def spread(start: datetime, length_ms: int) -> Iterator[tuple[int, int]]:
    """The quarters of an hour that `length_ms` from `start` on lie in, each with its part."""
    at = milliseconds(start - _EPOCH)
    end = at + length_ms
    while at < end:
        quarter = at // QUARTER_MS
        part = min(end, (quarter + 1) * QUARTER_MS) - at
        yield quarter, part
        at += part


def quarter_of(time: datetime) -> int:
    """The quarter of an hour that `time` lies in, as `spread` counts them."""
    return (time - _EPOCH) // _MS // QUARTER_MS


def quarter_start(quarter: int) -> datetime:
    """When a quarter of an hour that `spread` gives begins."""
    return _EPOCH + timedelta(milliseconds=quarter * QUARTER_MS)


def _stands_for(sample: StreamSnapshot, until: datetime, cap: timedelta) -> int:
    return milliseconds(max(min(until - sample.captured_at, cap), timedelta(0)))


class _Tally:
    """Adds samples up, from what others came to."""

    def __init__(self, before: Sampled) -> None:
        self.sums = before.sums
        self.categories = {one.category_id: one for one in before.categories}
        self._quarters = {one.quarter: (one.observed_ms, one.viewer_ms) for one in before.quarters}

    def count(self, sample: StreamSnapshot) -> None:
        """Take in a sample that was not counted yet."""
        viewers = sample.viewer_count
        sums = Sums(samples=1, viewer_sum=viewers, max_viewers=viewers)
        self.sums += sums
        key = sample.category_id
        if key:  # a stream may be without a category
            known = self.categories.get(key)
            self.categories[key] = CategorySums(
                category_id=key,
                category_name=sample.category_name or "",
                sums=known.sums + sums if known else sums,
            )

    def credit(self, sample: StreamSnapshot, length_ms: int) -> None:
        """Let a counted sample stand for `length_ms`; less than 0 takes back what was credited."""
        if not length_ms:
            return
        viewers = sample.viewer_count
        sums = Sums(observed_ms=length_ms, viewer_ms=viewers * length_ms)
        self.sums += sums
        if sample.category_id:
            known = self.categories[sample.category_id]
            self.categories[sample.category_id] = replace(known, sums=known.sums + sums)
        sign = 1 if length_ms > 0 else -1
        for quarter, part in spread(sample.captured_at, abs(length_ms)):
            observed_ms, viewer_ms = self._quarters.get(quarter, (0, 0))
            self._quarters[quarter] = (
                observed_ms + sign * part,
                viewer_ms + sign * viewers * part,
            )

    def quarter_sums(self) -> Iterator[QuarterSums]:
        for quarter in sorted(self._quarters):
            observed_ms, viewer_ms = self._quarters[quarter]
            if observed_ms:
                yield QuarterSums(quarter, observed_ms, viewer_ms)
