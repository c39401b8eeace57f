"""The drawing of a streamer's trend: a bar a day, beside the days of the period before."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from streamwatch.dashboard.plots import WIDTH, Scale, scale_for
from streamwatch.domain.trend import TrendDay

METRICS = {
    "hours_watched": "Hours watched",
    "average_viewers": "Average viewers",
    "peak_viewers": "Peak viewers",
    "hours_streamed": "Hours streamed",
}
"""What the bars can show."""

_VALUES: dict[str, Callable[[TrendDay], float | None]] = {
    "hours_watched": lambda entry: entry.day.hours_watched,
    "average_viewers": lambda entry: entry.day.average_viewers,
    "peak_viewers": lambda entry: entry.max_viewers,
    "hours_streamed": lambda entry: entry.day.hours_streamed,
}

_GAP = 0.18
"""The part of a day's width that is left free between bars."""


@dataclass(frozen=True, slots=True)
class Bar:
    """The bar of a day, and behind it that of the same day in the period before. `values` and
    `before_values` are by METRICS, None on days without a stream; `color` is the number of the
    day's category among the page's categories, None for others."""

    day: TrendDay
    values: dict[str, float | None]
    before_values: dict[str, float | None]
    x: float
    width: float
    y: float
    before_y: float
    color: int | None

    @property
    def is_archived(self) -> bool:
        return is_archived(self.day)


@dataclass(frozen=True, slots=True)
class Trend:
    """The bars of one metric and their scale."""

    metric: str
    scale: Scale
    bars: list[Bar]

    @property
    def has_before(self) -> bool:
        """Whether there was a stream in the period before."""
        return any(bar.before_values[self.metric] is not None for bar in self.bars)


def draw_trend(days: Sequence[TrendDay], metric: str, colors: Mapping[str, int]) -> Trend:
    """The drawing of the second half of `days`, with the first half behind it. `colors` numbers
    the categories that have a colour of their own."""
    length = len(days) // 2
    values = [_values(entry) for entry in days]
    scale = scale_for([shown[metric] or 0.0 for shown in values])
    step = WIDTH / length
    bars = [
        Bar(
            day=entry,
            values=shown,
            before_values=before,
            x=round(number * step + step * _GAP / 2, 2),
            width=round(step * (1 - _GAP), 2),
            y=scale.y(shown[metric] or 0.0),
            before_y=scale.y(before[metric] or 0.0),
            color=colors.get(entry.category_name or ""),
        )
        for number, (entry, shown, before) in enumerate(
            zip(days[length:], values[length:], values[:length], strict=True)
        )
    ]
    return Trend(metric, scale, bars)


def _values(entry: TrendDay) -> dict[str, float | None]:
    if not entry.streams and not entry.day.live_ms:
        return dict.fromkeys(METRICS)
    values = {metric: value(entry) for metric, value in _VALUES.items()}
    return values | {"hours_watched": None} if is_archived(entry) else values


def is_archived(entry: TrendDay) -> bool:
    """Whether the day's streams are known from archived videos alone, without viewers."""
    day = entry.day
    return bool(day.live_ms) and not day.observed_ms and entry.max_viewers is None
