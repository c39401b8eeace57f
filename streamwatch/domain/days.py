"""Statistics of streams by day."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo

from streamwatch.domain.sessions import StreamSession
from streamwatch.domain.statistics import HOUR_MS, quarter_start, spread

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Day:
    """The statistics of one day: how long streams were on, and the sums of their samples (see
    `statistics.Sums`)."""

    day: date
    live_ms: int = 0
    observed_ms: int = 0
    viewer_ms: int = 0

    @property
    def average_viewers(self) -> float | None:
        return self.viewer_ms / self.observed_ms if self.observed_ms else None

    @property
    def hours_watched(self) -> float:
        return self.viewer_ms / HOUR_MS

    @property
    def hours_streamed(self) -> float:
        return self.live_ms / HOUR_MS


def days(sessions: Iterable[StreamSession], first: date, last: date, zone: tzinfo) -> list[Day]:
    """The days in `zone` from `first` to `last`, both included."""
    live: Counter[date] = Counter()
    observed: Counter[date] = Counter()
    watched: Counter[date] = Counter()
    for session in sessions:
        for quarter, part in spread(session.started_at, session.airtime_ms):
            live[_day(quarter, zone)] += part
        for item in session.sample_totals.quarters:
            observed[_day(item.quarter, zone)] += item.observed_ms
            watched[_day(item.quarter, zone)] += item.viewer_ms
    wanted = (first + number * _DAY for number in range((last - first).days + 1))
    return [Day(day, live[day], observed[day], watched[day]) for day in wanted]


def _day(quarter: int, zone: tzinfo) -> date:
    return quarter_start(quarter).astimezone(zone).date()
