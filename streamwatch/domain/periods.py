"""Totals of streams by period: by day, or by hour of the week."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from streamwatch.domain.sessions import StreamSession
from streamwatch.domain.statistics import quarter_start, spread

Period = TypeVar("Period", bound=Hashable)


@dataclass(frozen=True, slots=True)
class PeriodTotals:
    """How long streams were on in a period, and the sums of their samples (see
    `statistics.Sums`)."""

    live_ms: int
    observed_ms: int
    viewer_ms: int

    @property
    def average_viewers(self) -> float | None:
        return self.viewer_ms / self.observed_ms if self.observed_ms else None


def totals_by_period(
    sessions: Iterable[StreamSession], period_of: Callable[[datetime], Period]
) -> tuple[Counter[Period], Counter[Period], Counter[Period]]:
    """The fields of PeriodTotals, each by period. `period_of` gives the period of a time; it is
    called with the start of each quarter of an hour, in UTC."""
    live: Counter[int] = Counter()
    observed: Counter[int] = Counter()
    watched: Counter[int] = Counter()
    for session in sessions:
        for quarter, part in spread(session.started_at, session.airtime_ms):
            live[quarter] += part
        for item in session.sample_totals.quarters:
            observed[item.quarter] += item.observed_ms
            watched[item.quarter] += item.viewer_ms
    periods = {quarter: period_of(quarter_start(quarter)) for quarter in {*live, *observed}}
    return _grouped(live, periods), _grouped(observed, periods), _grouped(watched, periods)


def _grouped(quarters: Counter[int], periods: dict[int, Period]) -> Counter[Period]:
    totals: Counter[Period] = Counter()
    for quarter, total in quarters.items():
        totals[periods[quarter]] += total
    return totals
