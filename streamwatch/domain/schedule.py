"""Statistics of a streamer by hour of the week."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import tzinfo

from streamwatch.domain.sessions import StreamSession
from streamwatch.domain.statistics import quarter_start, spread

DAYS, HOURS = 7, 24


@dataclass(frozen=True, slots=True)
class Cell:
    """One hour of the week; weekday 0 is Monday. `live_ms` is how long streams were on in it,
    `observed_ms` and `viewer_ms` are the sums of their samples (see `statistics.Sums`)."""

    weekday: int
    hour: int
    live_ms: int
    observed_ms: int
    viewer_ms: int

    @property
    def average_viewers(self) -> float | None:
        return self.viewer_ms / self.observed_ms if self.observed_ms else None


def schedule(sessions: Iterable[StreamSession], zone: tzinfo) -> list[Cell]:
    """The 168 hours of the week in `zone`, Monday's first."""
    live: Counter[int] = Counter()
    observed: Counter[int] = Counter()
    watched: Counter[int] = Counter()
    for session in sessions:
        for quarter, part in spread(session.started_at, session.airtime_ms):
            live[quarter] += part
        for item in session.sample_totals.quarters:
            observed[item.quarter] += item.observed_ms
            watched[item.quarter] += item.viewer_ms
    sums = [_by_hour_of_week(counter, zone) for counter in (live, observed, watched)]
    hours = [(weekday, hour) for weekday in range(DAYS) for hour in range(HOURS)]
    return [Cell(*hour, *(counter[hour] for counter in sums)) for hour in hours]


def _by_hour_of_week(quarters: Counter[int], zone: tzinfo) -> Counter[tuple[int, int]]:
    hours: Counter[tuple[int, int]] = Counter()
    for quarter, milliseconds in quarters.items():
        local = quarter_start(quarter).astimezone(zone)
        hours[local.weekday(), local.hour] += milliseconds
    return hours
