"""Statistics of a streamer by hour of the week."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo

from streamwatch.domain.periods import PeriodTotals, totals_by_period
from streamwatch.domain.sessions import StreamSession

DAYS, HOURS = 7, 24


@dataclass(frozen=True, slots=True)
class Cell(PeriodTotals):
    """The statistics of one hour of the week; weekday 0 is Monday."""

    weekday: int
    hour: int


def schedule(sessions: Iterable[StreamSession], zone: tzinfo) -> list[Cell]:
    """The 168 hours of the week in `zone`, Monday's first."""

    def hour_of_week(at: datetime) -> tuple[int, int]:
        local = at.astimezone(zone)
        return local.weekday(), local.hour

    live, observed, watched = totals_by_period(sessions, hour_of_week)
    hours = [(weekday, hour) for weekday in range(DAYS) for hour in range(HOURS)]
    return [Cell(live[hour], observed[hour], watched[hour], *hour) for hour in hours]
