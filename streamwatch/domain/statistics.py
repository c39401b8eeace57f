"""The statistics of samples of viewers: of a stream, by category, and by quarter of an hour.

Sample i of a stream has a duration Δᵢ: until the next sample or the stream's end, whichever is
earlier (0 for the last sample of a stream that is on). A duration is at most a cap, so that a gap
between samples does not add viewers that were not counted. Averages are weighted by duration.

All sums are whole milliseconds, or viewers times milliseconds: exact, and so independent of the
order of addition. 64 bits hold 2.5e12 hours watched, a hundred times those of all of Twitch in a
year. Only documents round.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from streamwatch.domain.channel import Channel, ChannelUpdate
from streamwatch.domain.models import StreamSnapshot

HOUR_MS = 3_600_000
QUARTER_MS = 900_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums over samples. `viewer_sum` is Σ vᵢ, `observed_ms` Σ Δᵢ, `viewer_ms` Σ vᵢΔᵢ;
    `max_viewers` is None without samples."""

    samples: int = 0
    viewer_sum: int = 0
    max_viewers: int | None = None
    observed_ms: int = 0
    viewer_ms: int = 0

    def __add__(self, other: "Sums") -> "Sums":
        peak = self.max_viewers
        if peak is None or (other.max_viewers is not None and other.max_viewers > peak):
            peak = other.max_viewers
        return Sums(
            samples=self.samples + other.samples,
            viewer_sum=self.viewer_sum + other.viewer_sum,
            max_viewers=peak,
            observed_ms=self.observed_ms + other.observed_ms,
            viewer_ms=self.viewer_ms + other.viewer_ms,
        )

    @property
    def average(self) -> float | None:
        """The average viewers: Σ vᵢΔᵢ / Σ Δᵢ, or the plain mean while Σ Δᵢ is 0."""
        if self.observed_ms:
            return self.viewer_ms / self.observed_ms
        return self.viewer_sum / self.samples if self.samples else None

    @property
    def hours_watched(self) -> float:
        return self.viewer_ms / HOUR_MS


@dataclass(frozen=True, slots=True)
class CategorySums:
    """The sums of one category, with the last name that was seen for it."""

    category_id: str
    category_name: str
    sums: Sums


class QuarterSums(NamedTuple):
    """The sums of one quarter of an hour, numbered from 1970. Time zones differ by whole quarters,
    so an hour of any time zone is four of these."""

    quarter: int
    observed_ms: int
    viewer_ms: int


@dataclass(frozen=True, slots=True)
class SampleTotals:
    """The statistics of the samples of one stream. `last_parts` is the duration of the last sample:
    the milliseconds of each category, whose id is empty where there was none."""

    sums: Sums = field(default_factory=Sums)
    categories: tuple[CategorySums, ...] = ()
    quarters: tuple[QuarterSums, ...] = ()
    first_at: datetime | None = None
    last: StreamSnapshot | None = None
    last_parts: tuple[tuple[str, int], ...] = ()

    @property
    def last_ms(self) -> int:
        return sum(length_ms for _, length_ms in self.last_parts)


def compute_totals(
    samples: Sequence[StreamSnapshot],
    end: datetime | None,
    cap: timedelta,
    before: SampleTotals | None = None,
    updates: Sequence[ChannelUpdate] = (),
) -> SampleTotals:
    """The statistics of `samples`, which are in the order of their times.

    `end` is the stream's end, None while it is on. `before` holds the statistics of earlier samples
    that have expired: only samples after its last one are added to it. A sample's duration is that
    of several categories where one of `updates` changes the category meanwhile.
    """
    before = before or SampleTotals()
    tally = _Tally(before, Channel(updates))
    last = before.last
    if last is not None:
        tally.remove_last()
        samples = [sample for sample in samples if sample.captured_at > last.captured_at]
    for sample in samples:
        tally.add(sample)
    chain = [*([last] if last else []), *samples]
    if not chain:
        return before
    last_parts: tuple[tuple[str, int], ...] = ()
    for sample, length_ms in durations(chain, end, cap):
        last_parts = tally.add_duration(sample, length_ms)
    return SampleTotals(
        sums=tally.sums,
        categories=tuple(tally.category_sums()),
        quarters=tuple(tally.quarter_sums()),
        first_at=before.first_at or chain[0].captured_at,
        last=chain[-1],
        last_parts=last_parts,
    )


def durations(
    samples: Sequence[StreamSnapshot], end: datetime | None, cap: timedelta
) -> Iterator[tuple[StreamSnapshot, int]]:
    """Each sample with its duration Δᵢ in milliseconds."""
    for sample, following in pairwise(samples):
        until = min(following.captured_at, end) if end else following.captured_at
        yield sample, _duration_ms(sample, until, cap)
    if samples:
        yield samples[-1], _duration_ms(samples[-1], end, cap) if end else 0


def milliseconds(duration: timedelta) -> int:
    """Whole milliseconds of a duration between times that are whole milliseconds."""
    return duration // _MS


def spread(start: datetime, length_ms: int) -> Iterator[tuple[int, int]]:
    """Split `length_ms` from `start` on into quarters of an hour: (quarter, milliseconds) pairs."""
    at = milliseconds(start - _EPOCH)
    end = at + length_ms
    while at < end:
        quarter = at // QUARTER_MS
        part = min(end, (quarter + 1) * QUARTER_MS) - at
        yield quarter, part
        at += part


def quarter_of(time: datetime) -> int:
    """The number of the quarter of an hour that `time` is in, as in `spread`."""
    return (time - _EPOCH) // _MS // QUARTER_MS


def quarter_start(quarter: int) -> datetime:
    """The start of the quarter with this number."""
    return _EPOCH + timedelta(milliseconds=quarter * QUARTER_MS)


def _duration_ms(sample: StreamSnapshot, until: datetime, cap: timedelta) -> int:
    return milliseconds(max(min(until - sample.captured_at, cap), timedelta(0)))


class _MutableSums:
    """Sums that are changed in place: a new `Sums` for each addition takes most of the time."""

    def __init__(self, sums: Sums) -> None:
        self._samples, self._viewer_sum = sums.samples, sums.viewer_sum
        self._max_viewers = sums.max_viewers
        self._observed_ms, self._viewer_ms = sums.observed_ms, sums.viewer_ms

    def add_sample(self, viewers: int) -> None:
        self._samples += 1
        self._viewer_sum += viewers
        self._max_viewers = max(self._max_viewers or 0, viewers)

    def add_duration(self, viewers: int, length_ms: int) -> None:
        self._observed_ms += length_ms
        self._viewer_ms += viewers * length_ms

    @property
    def sums(self) -> Sums:
        return Sums(
            self._samples,
            self._viewer_sum,
            self._max_viewers,
            self._observed_ms,
            self._viewer_ms,
        )


class _Tally:
    """Adds samples to the statistics of earlier ones."""

    def __init__(self, before: SampleTotals, channel: Channel) -> None:
        self._before = before
        self._channel = channel
        self._total = _MutableSums(before.sums)
        self._names = {item.category_id: item.category_name for item in before.categories}
        self._categories: dict[str, _MutableSums] = defaultdict(lambda: _MutableSums(Sums()))
        self._categories |= {
            item.category_id: _MutableSums(item.sums) for item in before.categories
        }
        self._quarters = {item.quarter: item for item in before.quarters}

    @property
    def sums(self) -> Sums:
        return self._total.sums

    def add(self, sample: StreamSnapshot) -> None:
        """Count a new sample."""
        self._total.add_sample(sample.viewer_count)
        shown = self._channel.at_sample(sample)
        if shown.category_id:  # a stream may be without a category
            self._names[shown.category_id] = shown.category_name or ""
            self._categories[shown.category_id].add_sample(sample.viewer_count)

    def add_duration(self, sample: StreamSnapshot, length_ms: int) -> tuple[tuple[str, int], ...]:
        """Set the duration of a counted sample. Returns the milliseconds of each category."""
        self._add_quarters(sample, length_ms, 1)
        parts = []
        for _, shown, part_ms in self._channel.during(sample, length_ms):
            category_id = shown.category_id or ""
            parts.append((category_id, part_ms))
            self._names.setdefault(category_id, shown.category_name or "")
            self._categories[category_id].add_duration(sample.viewer_count, part_ms)
        return tuple(parts)

    def remove_last(self) -> None:
        """Remove the duration of the last of the earlier samples, which may change."""
        last = self._before.last
        if last is not None:
            self._add_quarters(last, self._before.last_ms, -1)
            for category_id, part_ms in self._before.last_parts:
                if category_id:
                    self._categories[category_id].add_duration(last.viewer_count, -part_ms)

    def category_sums(self) -> Iterator[CategorySums]:
        for key in sorted(self._categories):
            sums = self._categories[key].sums
            if key and (sums.samples or sums.observed_ms):
                yield CategorySums(key, self._names[key], sums)

    def quarter_sums(self) -> Iterator[QuarterSums]:
        for quarter in sorted(self._quarters):
            if self._quarters[quarter].observed_ms:
                yield self._quarters[quarter]

    def _add_quarters(self, sample: StreamSnapshot, length_ms: int, sign: int) -> None:
        self._total.add_duration(sample.viewer_count, sign * length_ms)
        for quarter, part in spread(sample.captured_at, length_ms):
            known = self._quarters.get(quarter, QuarterSums(quarter, 0, 0))
            self._quarters[quarter] = QuarterSums(
                quarter,
                known.observed_ms + sign * part,
                known.viewer_ms + sign * sample.viewer_count * part,
            )
