"""Charts of a cell over time."""

from collections.abc import Sequence
from dataclasses import replace

from loadbench.engine.journal.events import Phase
from loadbench.engine.journal.phases import PhaseStart
from loadbench.engine.numbers import number
from loadbench.engine.profile.sections.goals import Goals
from loadbench.engine.report.measurements.metric import MeasurementMetric
from loadbench.engine.report.measurements.statistics import PERCENTILES
from loadbench.engine.report.metrics import (
    AnyMetric,
    Metric,
    default_metric,
    goal_limit,
    main_percentiles,
)
from loadbench.engine.report.slices import Slice
from loadbench.ui.lines.charts.axes import growing_end_s, time_ticks
from loadbench.ui.lines.charts.plot import Chart, Series, coincide
from loadbench.ui.lines.text import Piece, Tone

_PERCENTILE_STYLES = ((Tone.SERIES_1, "."), (Tone.SERIES_2, "o"), (Tone.SERIES_3, "*"))
"""Tone and sign of the three percentiles, the lowest first."""
_MIN_INTERVAL_S = 10


def latency_chart(
    slices: Sequence[Slice],
    phases: Sequence[PhaseStart],
    goals: Goals,
    *,
    growing: bool,
    chosen: AnyMetric | None = None,
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
            latest=_latest(slices, metric) if growing else None,
        )
        for metric, (tone, sign) in zip(percentiles, _PERCENTILE_STYLES, strict=True)
    ]
    goal = goal_limit(goals, default_metric(goals))
    return replace(_chart(series, slices, phases, growing=growing), goal=goal)


def measurement_chart(
    slices: Sequence[Slice],
    phases: Sequence[PhaseStart],
    goals: Goals,
    metric: MeasurementMetric,
    *,
    growing: bool,
) -> Chart:
    """Return the chart of a measurement over time: p50, p95 and the percentile of a metric.

    Args:
        slices: The points of the attempt.
        phases: The phases of the same attempt.
        goals: The goals of the profile. The chart shows the limit of the metric.
        metric: The metric.
        growing: Whether more points will follow. If so, the time axis has spare room.
    """
    names = sorted({"p50", "p95", metric.value}, key=list(PERCENTILES).index)
    series = [
        _measured(slices, replace(metric, value=name), tone, sign, growing=growing)
        for name, (tone, sign) in zip(names, _PERCENTILE_STYLES, strict=False)
    ]
    chart = _chart(series, slices, phases, growing=growing)
    return replace(chart, goal=goal_limit(goals, metric), label=metric.title)


def _measured(
    slices: Sequence[Slice], metric: MeasurementMetric, tone: Tone, sign: str, *, growing: bool
) -> Series:
    found = [(one.start_s, metric.of(one.measurements)) for one in slices]
    # The axis starts at 0, so a negative value is a gap.
    points = [(at, one.value if one and (one.value or 0) >= 0 else None) for at, one in found]
    latest = next((value for _, value in reversed(points) if value is not None), None)
    return Series(
        name=metric.value,
        points=points,
        tone=tone,
        sign=sign,
        latest=latest if growing else None,
    )


def goal_note(chart: Chart | None, metric: AnyMetric | None = None) -> str:
    """Return the legend of the goal line in a chart. It is empty without a goal or any value.

    Args:
        chart: The chart.
        metric: The metric that the goal limits, if the chart shows several.
    """
    if chart is None or chart.goal is None or not chart.has_points:
        return ""
    name = " ".join((*([metric.value] if metric else []), f"goal {chart.goal:g}"))
    return f"┈ {name}" if chart.has_room_for_goal else f"{name} (above)"


def throughput_chart(
    slices: Sequence[Slice], phases: Sequence[PhaseStart], *, growing: bool
) -> Chart:
    """Return the chart of requests per second, with the users on the right axis."""
    newest = slices[-1] if slices and growing else None
    series = [
        Series(
            name="req/s",
            points=[(one.start_s, one.rps) for one in slices],
            tone=Tone.SERIES_4,
            sign="r",
            latest=newest.rps if newest else None,
        ),
        Series(
            name="users",
            points=[(one.start_s, float(one.users)) for one in slices],
            tone=Tone.SERIES_5,
            sign="u",
            right=True,
            whole=True,
            latest=newest.users if newest else None,
        ),
    ]
    if any(one.failures for one in slices):
        points = [(one.start_s, one.failures_per_s) for one in slices]
        series.insert(0, Series(name="failures/s", points=points, tone=Tone.BAD, sign="x"))
    return _chart(series, slices, phases, growing=growing)


def legend(chart: Chart, rows: int, *, signs: bool, has_values: bool = True) -> list[Piece]:
    """Return the legend: for each series, its sign, its name and its latest value.

    The sign is a line or the shape of its points, or an ASCII sign.

    A `≈` stands between two successive series if one of the lines hides the other.

    Args:
        chart: The chart.
        rows: Height of the chart.
        signs: Whether the series are drawn with ASCII signs.
        has_values: Whether to include the latest values and the `≈`.
    """
    pieces: list[Piece] = []
    before: Series | None = None
    for one in chart.series:
        if has_values and before and not (before.right or one.right or one.dotted):
            pieces.append(Piece(" ≈" if coincide(chart, before, one, rows) else ""))
        pieces += [Piece(f" {one.sign if signs else one.point or '─'} ", one.tone), Piece(one.name)]
        if has_values and one.latest is not None:
            pieces.append(Piece(f" {one.latest:g}" if one.whole else f" {number(one.latest)}"))
        before = one
    return pieces


def _latest(slices: Sequence[Slice], metric: Metric) -> float | None:
    """Return the newest value of a percentile, in ms. Slices without a success have none."""
    values = (getattr(one, metric.column) for one in reversed(slices))
    return next((value for value in values if value is not None), None)


def _chart(
    series: list[Series], slices: Sequence[Slice], phases: Sequence[PhaseStart], *, growing: bool
) -> Chart:
    end = max((one.start_s + one.seconds for one in slices), default=0)
    end_s = float(max(end, _MIN_INTERVAL_S))
    if growing:
        end_s = growing_end_s(end_s)
    marks = [float(start.second) for start in phases if start.phase is Phase.MEASURING]
    return Chart(series=series, x_limits=(0.0, end_s), x_ticks=time_ticks(end_s), marks=marks)
