"""The trend of a streamer: one bar a day, beside the days of the period before."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo

from streamwatch.dashboard.plots import WIDTH, Scale, scale_for
from streamwatch.domain.days import Day, days
from streamwatch.domain.sessions import StreamSession

METRICS = {
    "hours_watched": "Hours watched",
    "average_viewers": "Average viewers",
    "peak_viewers": "Peak viewers",
    "hours_streamed": "Hours streamed",
}
"""What the bars can show."""

_GAP = 0.18
"""The part of a day's width that is left free between bars."""


@dataclass(frozen=True, slots=True)
class TrendDay:
    """A day's statistics. `streams` and `peak_viewers` are those of the streams that started on
    it; `category` is the longest category of the streams that were on."""

    day: date
    hours_watched: float
    average_viewers: float | None
    peak_viewers: float | None
    hours_streamed: float
    streams: int
    category: str | None

    def value(self, metric: str) -> float | None:
        """One of METRICS."""
        value: float | None = getattr(self, metric)
        return value


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar in the drawing, and the bar of the same day in the period before behind it. `color`
    is the number of the day's category among the page's categories; None for others."""

    day: TrendDay
    before: TrendDay
    x: float
    width: float
    y: float
    before_y: float
    color: int | None


@dataclass(frozen=True, slots=True)
class Trend:
    """The bars of one metric and their scale."""

    metric: str
    scale: Scale
    bars: list[Bar]

    @property
    def has_before(self) -> bool:
        """Whether there was anything in the period before."""
        return any(bar.before.hours_streamed for bar in self.bars)


def trend(
    sessions: Iterable[StreamSession],
    metric: str,
    today: date,
    length: int,
    zone: tzinfo,
    colors: Mapping[str, int],
) -> Trend:
    """The last `length` days up to `today` in `zone`. `sessions` are those of twice as long;
    `colors` numbers the categories that have a colour of their own."""
    found = trend_days(sessions, today - timedelta(days=2 * length - 1), today, zone)
    before, now = found[:length], found[length:]
    values = [day.value(metric) or 0.0 for day in found]
    scale = scale_for(values)
    step = WIDTH / length
    bars = [
        Bar(
            day=day,
            before=earlier,
            x=round(number * step + step * _GAP / 2, 2),
            width=round(step * (1 - _GAP), 2),
            y=scale.y(day.value(metric) or 0.0),
            before_y=scale.y(earlier.value(metric) or 0.0),
            color=colors.get(day.category or ""),
        )
        for number, (day, earlier) in enumerate(zip(now, before, strict=True))
    ]
    return Trend(metric, scale, bars)


def trend_days(
    sessions: Iterable[StreamSession], first: date, last: date, zone: tzinfo
) -> list[TrendDay]:
    """The days in `zone` from `first` to `last`, both included."""
    sessions = list(sessions)
    started: dict[date, list[StreamSession]] = defaultdict(list)
    played: dict[date, Counter[str]] = defaultdict(Counter)
    for session in sessions:
        first_day = session.started_at.astimezone(zone).date()
        last_day = (session.ended_at or session.seen_at).astimezone(zone).date()
        started[first_day].append(session)
        for number in range((last_day - first_day).days + 1):
            for category in session.sample_totals.categories:
                on_day = played[first_day + timedelta(days=number)]
                on_day[category.category_name] += category.sums.observed_ms
    return [
        _trend_day(day, started[day.day], played[day.day])
        for day in days(sessions, first, last, zone)
    ]


def _trend_day(day: Day, started: Sequence[StreamSession], played: Counter[str]) -> TrendDay:
    peaks = [peak for one in started if (peak := one.sample_totals.sums.max_viewers) is not None]
    return TrendDay(
        day=day.day,
        hours_watched=day.hours_watched,
        average_viewers=day.average_viewers,
        peak_viewers=max(peaks, default=None),
        hours_streamed=day.hours_streamed,
        streams=len(started),
        category=played.most_common(1)[0][0] if played else None,
    )
