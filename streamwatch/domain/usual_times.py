"""When a streamer usually goes live: weekdays and a time, from the starts of past streams."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

PERIOD = timedelta(weeks=8)
"""Streams before this are too old to say what is usual."""

MIN_STREAMS = 3
_USUAL_SHARE = 0.4
"""A weekday is usual if a stream started on it in at least this share of the weeks."""

_HALF_HOURS = 48


@dataclass(frozen=True, slots=True)
class UsualTime:
    """The usual `weekdays` (0 is Monday) and the usual start, `minutes` after midnight."""

    weekdays: tuple[int, ...]
    minutes: int


def usual_time(starts: Iterable[datetime], now: datetime, zone: tzinfo) -> UsualTime | None:
    """What is usual in `zone` by the streams that started within PERIOD before `now`; None where
    there are fewer than MIN_STREAMS or no weekday is usual."""
    local = sorted(start.astimezone(zone) for start in starts if now - PERIOD <= start <= now)
    if len(local) < MIN_STREAMS:
        return None
    weeks = max(1.0, (now - local[0]) / timedelta(weeks=1))
    days = Counter(day.weekday() for day in {start.date() for start in local})
    usual = tuple(sorted(day for day, count in days.items() if count >= _USUAL_SHARE * weeks))
    on_usual_days = [start for start in local if start.weekday() in usual]
    return UsualTime(usual, _central_time(on_usual_days)) if usual else None


def _central_time(starts: list[datetime]) -> int:
    """The half hour of the day with the smallest total distance to all starts, on a 24-hour clock,
    in minutes after midnight."""
    minutes = [start.hour * 60 + start.minute for start in starts]

    def distance(half_hour: int) -> int:
        differences = (abs(minute - half_hour * 30) for minute in minutes)
        return sum(min(difference, 24 * 60 - difference) for difference in differences)

    return min(range(_HALF_HOURS), key=distance) * 30
