"""Charts of a run over load, with one line per number of models."""

from collections.abc import Sequence
from string import ascii_lowercase

from loadbench.engine.journal.state import RunState
from loadbench.engine.measure.main_request import main_of
from loadbench.engine.report.by_level import LevelCurve, metric_by_level
from loadbench.engine.report.metrics import AnyMetric, Metric, goal_limit, goals_of
from loadbench.ui.lines.charts.axes import spread
from loadbench.ui.lines.charts.plot import Chart, Series
from loadbench.ui.lines.text import SERIES, short_name
from loadbench.wording import counted


def chart_by_level(state: RunState, metric: AnyMetric) -> Chart | None:
    """Return a chart of a metric over load, with a series for each number of models, and its goal.

    Returns None if no cell has a value.
    """
    curves = metric_by_level(state, metric)
    amounts = sorted({x for curve in curves for x, _ in curve.points})
    if not amounts:
        return None
    series = [
        Series(
            name=_series_name(curves, i),
            points=list(curve.points),
            tone=SERIES[i % len(SERIES)],
            sign=ascii_lowercase[i % len(ascii_lowercase)],
            dotted=True,
        )
        for i, curve in enumerate(curves)
    ]
    limit = goal_limit(goals_of(state), metric)
    if metric is Metric.FAILURES and limit is not None:
        limit *= 100
    return Chart(
        series=series,
        by=next((cell.cell.level.unit for cell in state.cells.values()), ""),
        x_limits=(0.0, amounts[-1]),
        x_ticks=[(x, f"{x:g}") for x in spread(amounts)],
        label=_label(state, metric),
        goal=limit,
    )


def _label(state: RunState, metric: AnyMetric) -> str:
    """Return the label of the y axis, with the name of the main requests."""
    main = main_of(state.profile)
    is_of_requests = isinstance(metric, Metric)
    return f"{short_name(main)} {metric.label}" if main and is_of_requests else metric.label


def _series_name(curves: Sequence[LevelCurve], index: int) -> str:
    """Return the name of a series, its model count. Only the last has the unit: `4 models`."""
    models = curves[index].models
    return counted(models, "model") if index == len(curves) - 1 else str(models)
