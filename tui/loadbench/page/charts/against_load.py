"""Charts of a metric against load, with one line per number of models and the goal."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from loadbench.engine.journal.state import RunState
from loadbench.engine.report.metrics import AnyMetric, Metric, goal_of, goals_of
from loadbench.engine.report.recommendation.goal import Goal
from loadbench.page.charts.chart import PageChart, Spec
from loadbench.page.charts.palette import ChartPalette
from loadbench.page.charts.parts import (
    HEIGHT,
    fitted,
    is_skewed,
    log_axis,
    number_axis,
    text_mark,
    value_axis,
    values,
)
from loadbench.page.charts.points import (
    LoadPoint,
    axis_label,
    points_of,
    select,
    unit_of,
)
from loadbench.page.charts.series import SeriesNames

MAX_GOAL_FACTOR = 3
"""Maximum ratio of a goal to the largest value at which it is drawn. It would flatten the lines."""
_POINT_SIZE = 45
_LEGEND_ROWS = 2
"""Number of rows of a legend for which a chart of the usual height has room. More make it taller,
or its plot would become flat."""
_LEGEND_ROW_PX = 17


@dataclass(frozen=True, slots=True)
class GoalLine:
    """A goal as a line."""

    limit: float
    text: str
    is_drawn: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlot:
    """What a chart against load shows."""

    points: tuple[LoadPoint, ...]
    """At least one has a value."""
    series: SeriesNames
    amounts: tuple[float, ...]
    """All loads, ascending."""
    has_repeats: bool = False
    """Whether points are percentiles of several repeats together."""
    note: str
    """What the chart leaves out, as a sentence. Empty if it shows all."""
    goal: GoalLine | None
    unit: str
    """Title of the x axis."""
    label: str
    """Title of the y axis."""
    is_linear: bool
    """Whether the y axis must be linear."""

    @property
    def numbers(self) -> tuple[float, ...]:
        """All numbers on the y axis."""
        limits = [self.goal.limit] if self.goal and self.goal.is_drawn else []
        return (*limits, *(point.value for point in self.points if point.value is not None))


def against_load(key: str, title: str, state: RunState, metric: AnyMetric) -> PageChart | None:
    """Return the chart of a metric against load, or None if no cell has a value.

    Args:
        key: Key of the chart.
        title: Its title.
        state: The state of the run.
        metric: The metric.
    """
    points = points_of(state, metric)
    known = [point for point in points if point.value is not None]
    if not known:
        return None
    selection = select((point.models, point.amount) for point in points)
    plot = LoadPlot(
        points=tuple(one for one in points if selection.has(one.models, one.amount)),
        series=SeriesNames("models", tuple(map(str, selection.models))),
        amounts=selection.amounts,
        has_repeats=metric is not Metric.RPS
        and any(cell.cell.repeat > 1 for cell in state.cells.values()),
        note=selection.note,
        goal=goal_line(goal_of(goals_of(state), metric), unit_of(metric), known),
        unit=load_unit(state),
        label=axis_label(state, metric),
        # Throughput is compared as a multiple, for which a chart needs a linear axis.
        is_linear=metric is Metric.RPS,
    )
    return plot_chart(key, title, plot)


def plot_chart(key: str, title: str, plot: LoadPlot) -> PageChart:
    """Return the chart of a plot."""
    return PageChart(
        key=key, title=title, caption=_caption(plot), spec=lambda palette: _spec(palette, plot)
    )


def load_unit(state: RunState) -> str:
    """Return the unit of the loads of a run."""
    return next((cell.cell.level.unit for cell in state.cells.values()), "")


def goal_line(goal: Goal | None, unit: str, points: Sequence[LoadPoint]) -> GoalLine | None:
    """Return the line of a goal, or None without a goal.

    Args:
        goal: The goal that limits the metric of the chart.
        unit: Unit of the metric.
        points: The points of the chart, of which at least one has a value.
    """
    if goal is None:
        return None
    sign = "≥" if goal.is_minimum else "≤"
    highest = max(point.value or 0.0 for point in points)
    is_drawn = goal.limit <= MAX_GOAL_FACTOR * highest
    return GoalLine(goal.limit, f"goal {sign} {goal.limit_amount(unit)}", is_drawn)


def _caption(plot: LoadPlot) -> str:
    parts = []
    if plot.goal and not plot.goal.is_drawn:
        parts.append(f"The {plot.goal.text} is above the chart.")
    if any(point.is_suspect and point.value is not None for point in plot.points):
        parts.append("Hollow points are suspect.")
    if plot.has_repeats:
        parts.append("Percentiles are over all repeats.")
    if plot.note:
        parts.append(plot.note)
    return " ".join(parts)


def _spec(palette: ChartPalette, plot: LoadPlot) -> Spec:
    series, numbers = plot.series, plot.numbers
    x, colours = number_axis(plot.unit, plot.amounts), series.colours(palette)
    is_log = is_skewed(numbers) and not plot.is_linear
    records = [_record(point) for point in plot.points]
    lines: Spec = {
        "data": values(records),
        "mark": {"type": "line", "strokeWidth": 1.5, "aria": False},
        "encoding": {"x": x, "stroke": colours, "strokeDash": series.dashes},
    }
    marks: Spec = {
        "data": values(record for record in records if record["y"] is not None),
        "mark": {"type": "point", "filled": True, "size": _POINT_SIZE, "opacity": 1},
        "encoding": {
            "x": x,
            "shape": series.shapes,
            "fill": {
                **colours,
                "condition": {"test": "datum.suspect", "value": palette.surface},
            },
            "stroke": colours,
            "strokeWidth": {"value": 1.5},
            "description": {"field": "text"},
        },
    }
    layers = [lines, marks]
    if plot.goal and plot.goal.is_drawn:
        labels = _goal_labels(palette, plot.goal, max(numbers))
        layers = [_goal_rule(palette, plot.goal), *layers, *labels]
    rows = max(0, series.num_rows - _LEGEND_ROWS)
    return fitted(
        palette,
        height=HEIGHT + rows * _LEGEND_ROW_PX,
        encoding={"y": log_axis(plot.label, numbers) if is_log else value_axis(plot.label)},
        layer=layers,
    )


def _record(point: LoadPoint) -> dict[str, Any]:
    return {
        "series": point.series,
        "x": point.amount,
        "y": point.value,
        "suspect": point.is_suspect,
        "text": point.text,
    }


def _goal_rule(palette: ChartPalette, goal: GoalLine) -> Spec:
    return {
        "data": values([{"y": goal.limit}]),
        "mark": {"type": "rule", "strokeDash": [7, 4], "strokeWidth": 1.5, "aria": False},
        "encoding": {"stroke": {"value": palette.goal}},
    }


def _goal_labels(palette: ChartPalette, goal: GoalLine, highest: float) -> list[Spec]:
    """Return the label of a goal, and its outline, which keeps it readable on lines."""
    place: Spec = {"baseline": "bottom", "dy": -4}
    if goal.limit >= highest:
        place = {"baseline": "top", "dy": 5}
    mark = text_mark(palette, align="left", text=goal.text, **place)
    outline = {"stroke": palette.surface, "strokeWidth": 3, "strokeJoin": "round"}
    return [
        {
            "data": values([{"y": goal.limit}]),
            "mark": {**mark, **changes},
            "encoding": {"x": {"value": 4}},
        }
        for changes in (outline, {})
    ]
