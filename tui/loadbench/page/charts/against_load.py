"""Charts of a metric against load, with one line per number of models and the goal."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from loadbench.engine.journal.state import RunState
from loadbench.engine.report.metrics import AnyMetric, Metric, goal_of, goals_of
from loadbench.engine.report.recommendation.goal import Goal
from loadbench.page.charts.chart import PageChart, Spec
from loadbench.page.charts.palette import Palette
from loadbench.page.charts.parts import (
    fitted,
    is_skewed,
    number_axis,
    text_mark,
    value_axis,
    values,
)
from loadbench.page.charts.points import (
    Point,
    Selection,
    axis_label,
    points_of,
    select,
    unit_of,
)
from loadbench.page.charts.series import dash_encoding, series_encoding, shape_encoding

MAX_GOAL_FACTOR = 3
"""Maximum ratio of a goal to the largest value at which it is drawn. It would flatten the lines."""
_POINT_SIZE = 45


@dataclass(frozen=True, slots=True)
class _GoalLine:
    limit: float
    text: str
    is_drawn: bool


def against_load(key: str, title: str, state: RunState, metric: AnyMetric) -> PageChart | None:
    """Return the chart of a metric against load, or None if no cell has a value.

    Args:
        key: Key of the chart.
        title: Its title.
        state: The state of the run.
        metric: The metric.
    """
    known = [point for point in points_of(state, metric) if point.value is not None]
    if not known:
        return None
    selection = select((point.models, point.amount) for point in known)
    points = [
        point for point in points_of(state, metric) if selection.has(point.models, point.amount)
    ]
    goal = _goal_line(goal_of(goals_of(state), metric), unit_of(metric), known)
    label, unit = axis_label(state, metric), load_unit(state)
    # Throughput is compared as a multiple, for which a chart needs a linear axis.
    is_log = metric is not Metric.RPS and is_skewed([point.value or 0.0 for point in known])
    return PageChart(
        key=key,
        title=title,
        caption=_caption(points, selection, goal),
        spec=lambda palette: _spec(palette, points, selection, goal, (unit, label), is_log=is_log),
    )


def load_unit(state: RunState) -> str:
    """Return the unit of the loads of a run."""
    return next((cell.cell.level.unit for cell in state.cells.values()), "")


def _goal_line(goal: Goal | None, unit: str, points: Sequence[Point]) -> _GoalLine | None:
    if goal is None:
        return None
    sign = "≥" if goal.is_minimum else "≤"
    highest = max(point.value or 0.0 for point in points)
    is_drawn = goal.limit <= MAX_GOAL_FACTOR * highest
    return _GoalLine(goal.limit, f"goal {sign} {goal.limit_amount(unit)}", is_drawn)


def _caption(points: Sequence[Point], selection: Selection, goal: _GoalLine | None) -> str:
    parts = []
    if goal and not goal.is_drawn:
        parts.append(f"The {goal.text} is above the chart.")
    if any(point.is_suspect and point.value is not None for point in points):
        parts.append("Hollow points are suspect.")
    return " ".join([*parts, *filter(None, [selection.note])])


def _spec(
    palette: Palette,
    points: Sequence[Point],
    selection: Selection,
    goal: _GoalLine | None,
    titles: tuple[str, str],
    *,
    is_log: bool,
) -> Spec:
    models = selection.models
    records = [_record(point) for point in points]
    x, series = number_axis(titles[0], selection.amounts), series_encoding(palette, models)
    lines: Spec = {
        "data": values(records),
        "mark": {"type": "line", "strokeWidth": 1.5, "aria": False},
        "encoding": {
            "x": x,
            "stroke": series,
            "strokeDash": dash_encoding(models),
        },
    }
    marks: Spec = {
        "data": values(record for record in records if record["y"] is not None),
        "mark": {"type": "point", "filled": True, "size": _POINT_SIZE, "opacity": 1},
        "encoding": {
            "x": x,
            "shape": shape_encoding(models),
            "fill": {
                **series,
                "condition": {"test": "datum.suspect", "value": palette.surface},
            },
            "stroke": series,
            "strokeWidth": {"value": 1.5},
            "description": {"field": "text"},
        },
    }
    return fitted(
        palette,
        encoding={"y": value_axis(titles[1], is_log=is_log)},
        layer=[*goal_layers(palette, goal), lines, marks],
    )


def _record(point: Point) -> dict[str, Any]:
    return {
        "models": str(point.models),
        "x": point.amount,
        "y": point.value,
        "suspect": point.is_suspect,
        "text": point.text,
    }


def goal_layers(palette: Palette, goal: _GoalLine | None) -> list[Spec]:
    """Return the rule at a goal and its label."""
    if goal is None or not goal.is_drawn:
        return []
    data = values([{"y": goal.limit, "text": goal.text}])
    return [
        {
            "data": data,
            "mark": {"type": "rule", "strokeDash": [7, 4], "strokeWidth": 1.5, "aria": False},
            "encoding": {"stroke": {"value": palette.goal}},
        },
        {
            "data": data,
            "mark": text_mark(palette, align="left", baseline="bottom", dy=-3),
            "encoding": {
                "x": {"value": 4},
                "text": {"field": "text"},
            },
        },
    ]
