"""Statistics of streams by day."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo

from streamwatch.domain.periods import PeriodTotals, totals_by_period
from streamwatch.domain.sessions import StreamSession
from streamwatch.domain.statistics import HOUR_MS

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Day(PeriodTotals):
    """The statistics of one day."""

    day: date

    @property
    def hours_watched(self) -> float:
        return self.viewer_ms / HOUR_MS

    @property
    def hours_streamed(self) -> float:
        return self.live_ms / HOUR_MS


def days(sessions: Iterable[StreamSession], first: date, last: date, zone: tzinfo) -> list[Day]:
    """The statistics of each day in `zone` from `first` to `last`, both included."""
    live, observed, watched = totals_by_period(sessions, lambda at: at.astimezone(zone).date())
    wanted = (first + number * _DAY for number in range((last - first).days + 1))
    return [Day(live[day], observed[day], watched[day], day) for day in wanted]
