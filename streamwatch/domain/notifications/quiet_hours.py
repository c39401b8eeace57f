"""Hours of the day, in a time zone, in which people get no messages."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `start` (included) to `end` (excluded), in the local time of the zone `tz`.

    An `end` before `start` lies on the next day. `start` and `end` must differ.
    """

    start: time
    end: time
    tz: str

    def contains(self, moment: datetime) -> bool:
        """Whether the local time at `moment` is within the quiet hours. When daylight saving time
        ends, the repeated hour is quiet twice."""
        clock = moment.astimezone(ZoneInfo(self.tz)).time()
        if self.start < self.end:
            return self.start <= clock < self.end
        return clock >= self.start or clock < self.end

    def ends_after(self, moment: datetime) -> datetime:
        """When the quiet hours that contain `moment` end, in the zone."""
        local = moment.astimezone(ZoneInfo(self.tz))
        end = local.replace(
            hour=self.end.hour, minute=self.end.minute, second=0, microsecond=0, fold=0
        )
        if self.end <= local.time():
            end += timedelta(days=1)
        return end
