"""Charts of a cell over time."""

import math
from collections.abc import Sequence
from dataclasses import replace

from loadbench.engine.journal.events import Phase
from loadbench.engine.journal.phases import PhaseStart
from loadbench.engine.profile.model import Goals
from loadbench.engine.report.metrics import Metric, default_metric, goal_limit, main_percentiles
from loadbench.engine.report.slices import Slice
from loadbench.ui.lines.plot import Chart, Series
from loadbench.ui.lines.text import Piece, Tone

_PERCENTILE_STYLES = ((Tone.SERIES_1, "."), (Tone.SERIES_2, "o"), (Tone.SERIES_3, "*"))
"""Tone and sign of the three percentiles, the lowest first."""
_MIN_INTERVAL_S = 10
_TICKS_S = (2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 21600)
_GROWTH_S = (10, 20, 30, 45, 60, 90, 120, 180, 240, 300, 420, 600, 900, 1200, 1800, 2700, 3600)


def latency_chart(
    slices: Sequence[Slice],
    phases: Sequence[PhaseStart],
    goals: Goals,
    *,
    growing: bool,
    chosen: Metric | None = None,
) -> Chart:
    """Return the chart of latency over time, in ms, for successful requests.

    Args:
        slices: The points of the attempt.
        phases: The phases of the same attempt.
        goals: The goals of the profile. The chart shows a percentile with a goal, and its limit.
        growing: Whether more points will follow. If so, the time axis has spare room.
        chosen: The metric that the user chose. A percentile is shown.
    """
    percentiles = main_percentiles(goals, chosen)
    series = [
        Series(
            name=metric.value,
            points=[(one.start_s, getattr(one, metric.column)) for one in slices],
            tone=tone,
            sign=sign,
        )
        for metric, (tone, sign) in zip(percentiles, _PERCENTILE_STYLES, strict=True)
    ]
    goal = goal_limit(goals, default_metric(goals))
    return replace(_chart(series, slices, phases, growing=growing), goal=goal)


def goal_note(chart: Chart | None, metric: Metric | None = None) -> str:
    """Return the legend of the goal line in a chart. It is empty without a goal or any value.

    Args:
        chart: The chart.
        metric: The metric that the goal limits, if the chart shows several.
    """
    if chart is None or chart.goal is None or not chart.has_points:
        return ""
    name = " ".join(filter(None, (metric and metric.value, f"goal {chart.goal:g}")))
    return f"┈ {name}" if chart.has_room_for_goal else f"{name} (above)"


def throughput_chart(
    slices: Sequence[Slice], phases: Sequence[PhaseStart], *, growing: bool
) -> Chart:
    """Return the chart of requests per second, with the users on the right axis."""
    series = [
        Series(
            name="users",
            points=[(one.start_s, float(one.users)) for one in slices],
            tone=Tone.SERIES_5,
            sign="u",
            right=True,
            whole=True,
        ),
        Series(
            name="req/s",
            points=[(one.start_s, one.rps) for one in slices],
            tone=Tone.SERIES_4,
            sign="r",
        ),
    ]
    if any(one.failures for one in slices):
        points = [(one.start_s, one.failures_per_s) for one in slices]
        series.append(Series(name="failures/s", points=points, tone=Tone.BAD, sign="x"))
    return _chart(series, slices, phases, growing=growing)


def legend(series: Sequence[Series], *, signs: bool) -> list[Piece]:
    """Return the legend: for each series, a line or its ASCII sign, and its name."""
    pieces: list[Piece] = []
    for one in series:
        mark = one.sign if signs else "─"
        pieces += [Piece(f" {mark} ", one.tone), Piece(one.name)]
    return pieces


def time_ticks(end_s: float) -> list[tuple[float, str]]:
    """Return the ticks of a time axis: positions in seconds, with their labels."""
    step = next((s for s in _TICKS_S if end_s / s <= 5), _TICKS_S[-1])
    return [(float(second), _tick_label(second)) for second in range(0, int(end_s) + 1, step)]


def _chart(
    series: list[Series], slices: Sequence[Slice], phases: Sequence[PhaseStart], *, growing: bool
) -> Chart:
    end = max((one.start_s + one.seconds for one in slices), default=0)
    end_s = float(max(end, _MIN_INTERVAL_S))
    if growing:
        # The axis grows in steps, since a chart that is rescaled every second is hard to read.
        end_s = next((float(s) for s in _GROWTH_S if end_s <= s), math.ceil(end_s / 3600) * 3600.0)
    marks = [float(start.second) for start in phases if start.phase is Phase.MEASURING]
    return Chart(series=series, x_limits=(0.0, end_s), x_ticks=time_ticks(end_s), marks=marks)


def _tick_label(second: int) -> str:
    if second < 120:
        return f"{second}s"
    hours, rest = divmod(second, 3600)
    minutes, seconds = divmod(rest, 60)
    if hours:
        return f"{hours}:{minutes:02}h"
    return f"{minutes}:{seconds:02}" if seconds else f"{minutes}m"
