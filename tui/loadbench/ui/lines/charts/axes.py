"""Ticks of chart axes: evenly spaced round numbers, and round times."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_STEPS = (1.0, 2.0, 2.5, 5.0)
"""Distances of ticks, times any power of ten."""
_MAX_INTERVALS = 10
_DENSE_INTERVALS = 5
"""Number of intervals that a low chart may have too, so that its axis ends close to the data."""
_MIN_VALUE = 1e-9
"""Smaller values count as 0, because the power of ten of a tiny float would underflow."""
_MAX_EXCESS = 1.15
"""Maximum ratio of the end of an axis with evenly placed ticks to that of the tightest axis."""
_TOLERANCE = 1e-9
"""Rounding errors of this size do not need another interval."""
_TICKS_S = (2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 21600)
_GROWTH_S = (10, 20, 30, 45, 60, 90, 120, 180, 240, 300, 420, 600, 900, 1200, 1800, 2700, 3600)


@dataclass(frozen=True, slots=True)
class YAxis:
    """A y axis that starts at 0."""

    limit: float
    """The value at its upper end."""
    ticks: tuple[float, ...]
    """Multiples of one step, from 0."""


def y_axis(values: Iterable[float | None], span: int, *, whole: bool = False) -> YAxis:
    """Return a y axis for some values that ends close to the largest one.

    The distance of two ticks is 1, 2, 2.5 or 5 times a power of ten. Ticks at equal numbers of rows
    are preferred, unless the axis would end much higher: unused rows flatten the curves. The limit
    never falls when a value grows, so a growing chart is rarely rescaled.

    Args:
        values: The values on the axis. None is ignored.
        span: Height of the axis: the number of rows between 0 and its upper end.
        whole: Whether the ticks must be integers.
    """
    highest = max((value for value in values if value is not None), default=0.0)
    if highest < _MIN_VALUE:
        highest = 1.0
    if whole:
        highest = float(math.ceil(highest))
    steps = [step for step in _steps(highest) if step.is_integer() or not whole]
    even, tight = _even_axis(highest, span, steps), _tight_axis(highest, span, steps)
    return even if even.limit <= _MAX_EXCESS * tight.limit else tight


def _even_axis(highest: float, span: int, steps: Sequence[float]) -> YAxis:
    """Return the lowest axis with a tick every so many rows. The last one may be below its end."""
    limit, _, rows, step = min(
        (_rounded(step * span / rows), rows == 1, rows, step)
        for rows in range(1, max(1, span // 2) + 1)
        if span // rows <= _MAX_INTERVALS
        for step in steps
        if step * span / rows >= highest * (1 - _TOLERANCE)
    )
    return YAxis(limit, tuple(_rounded(step * i) for i in range(span // rows + 1)))


def _tight_axis(highest: float, span: int, steps: Sequence[float]) -> YAxis:
    """Return the axis with the lowest tick at its end. Ticks may be on unequal rows."""
    most = min(_MAX_INTERVALS, max(span // 2, min(span, _DENSE_INTERVALS)))
    limit, negative = min(
        (_rounded(step * intervals), -intervals)
        for step in steps
        for intervals in [max(1, math.ceil(highest / step - _TOLERANCE))]
        if intervals <= most
    )
    return YAxis(limit, tuple(_rounded(limit * i / -negative) for i in range(1 - negative)))


def label_of(tick: float) -> str:
    """Return the label of a tick on a y axis."""
    return f"{tick:g}"


def time_ticks(end_s: float) -> list[tuple[float, str]]:
    """Return the ticks of a time axis: positions in seconds, with their labels."""
    step = next((s for s in _TICKS_S if end_s / s <= 5), _TICKS_S[-1])
    return [(float(second), _time_label(second)) for second in range(0, int(end_s) + 1, step)]


def growing_end_s(end_s: float) -> float:
    """Return the end of the time axis of a chart that grows.

    The axis grows in steps, since a chart that is rescaled every second is hard to read.
    """
    hours_s = math.ceil(end_s / 3600) * 3600.0
    return next((float(second) for second in _GROWTH_S if end_s <= second), hours_s)


def spread(amounts: Sequence[float]) -> list[float]:
    """Return the values whose tick labels fit below an axis without overlapping.

    Args:
        amounts: The values, in ascending order. The axis ends at the last one.
    """
    kept: list[float] = []
    for value in amounts:
        if not kept or value - kept[-1] >= amounts[-1] / 10:
            kept.append(value)
    return kept


def _steps(highest: float) -> list[float]:
    exponent = math.floor(math.log10(highest))
    powers = (10.0**power for power in (exponent - 1, exponent, exponent + 1))
    return [_rounded(step * power) for power in powers for step in _STEPS]


def _rounded(value: float) -> float:
    return float(f"{value:.9g}")


def _time_label(second: int) -> str:
    if second < 120:
        return f"{second}s"
    hours, rest = divmod(second, 3600)
    minutes, seconds = divmod(rest, 60)
    if hours:
        return f"{hours}:{minutes:02}h"
    return f"{minutes}:{seconds:02}" if seconds else f"{minutes}m"
