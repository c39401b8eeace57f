"""Geometry of charts that the server draws as SVG: scales, lines and labels.

A drawing is WIDTH by HEIGHT units and stretched to its place; y grows downwards, as in SVG.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 1000.0, 100.0

_STEPS = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


@dataclass(frozen=True, slots=True)
class Scale:
    """The vertical axis from `bottom` to `top`, linear or logarithmic."""

    top: float
    bottom: float = 0.0
    is_log: bool = False

    def y(self, value: float) -> float:
        """The y coordinate of a value in a drawing."""
        part = self._part(value)
        return round(HEIGHT * (1 - min(max(part, 0.0), 1.0)), 2)

    def ticks(self) -> list[float]:
        """The labelled values, from the top down."""
        if not self.is_log:
            return [self.top, self.top / 2, 0.0]
        decades = round(math.log10(self.top / self.bottom))
        return [self.top / 10**decade for decade in range(decades + 1)]

    def _part(self, value: float) -> float:
        if not self.is_log:
            return value / self.top
        if value <= self.bottom:
            return 0.0
        return math.log(value / self.bottom) / math.log(self.top / self.bottom)


def scale_for(values: Sequence[float], *, is_log: bool = False) -> Scale:
    """A scale with a round top that contains all `values`."""
    highest = max(values, default=0.0)
    if not is_log:
        return Scale(round_up(highest))
    positive = [value for value in values if value > 0]
    top = 10 ** math.ceil(math.log10(max(highest, 1.0)) or 1)
    bottom = 10 ** math.floor(math.log10(min(positive, default=1.0)))
    return Scale(float(top), float(min(bottom, top / 10)), is_log=True)


def round_up(value: float) -> float:
    """The least round number that is not below `value`; 1 for 0."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in _STEPS if step * power >= value * (1 - 1e-9))


def line_path(xs: Sequence[float], values: Sequence[float | None], scale: Scale) -> str:
    """The `d` of an SVG path through the points; it is interrupted where a value is missing. A
    value without neighbours is a short dash."""
    parts: list[str] = []
    is_drawing = False
    for number, (x, value) in enumerate(zip(xs, values, strict=True)):
        if value is None:
            is_drawing = False
            continue
        y = scale.y(value)
        parts.append(f"{'L' if is_drawing else 'M'}{x:.1f} {y:g}")
        is_alone = not is_drawing and (number + 1 == len(values) or values[number + 1] is None)
        if is_alone:
            parts.append(f"h{WIDTH / 250:g}")
        is_drawing = True
    return "".join(parts)


def spaced(items: Sequence[str], count: int = 5) -> list[str]:
    """At most `count` of `items` at equal distances, the first and last among them."""
    if len(items) <= count:
        return list(items)
    return [items[round(number * (len(items) - 1) / (count - 1))] for number in range(count)]
