"""Charts of a run or of two runs over load, with one line per run and number of models."""

from collections.abc import Sequence
from string import ascii_lowercase, ascii_uppercase

from loadbench.engine.comparison.curves import both_curves
from loadbench.engine.journal.state import RunState
from loadbench.engine.measure.main_request import main_of
from loadbench.engine.report.by_level import LevelCurve, metric_by_level
from loadbench.engine.report.metrics import AnyMetric, Metric, goal_limit, goals_of
from loadbench.ui.lines.charts.axes import spread
from loadbench.ui.lines.charts.plot import Chart, Series
from loadbench.ui.lines.glyphs import BASELINE, CANDIDATE
from loadbench.ui.lines.text import SERIES, short_name
from loadbench.wording import counted

_FILLED, _HOLLOW = "●■▲◆", "○□△◇"
"""Shapes of the points of the baseline and of the candidate, by number of models."""


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
    return Chart(
        series=series,
        by=next((cell.cell.level.unit for cell in state.cells.values()), ""),
        x_limits=(0.0, amounts[-1]),
        x_ticks=[(x, f"{x:g}") for x in spread(amounts)],
        label=_label(state, metric),
        goal=_limit(state, metric),
    )


def chart_of_both(before: RunState, after: RunState, metric: AnyMetric) -> Chart | None:
    """Return a chart of a metric over load, with a series for each run and number of models.

    Each run has its colour; its points are filled for the baseline and hollow for the candidate.
    The goal is that of the candidate. Returns None if no cell has a value, or if the runs have
    different kinds of load.

    Args:
        before: State of the baseline.
        after: State of the candidate.
        metric: The metric.
    """
    found = both_curves(before, after, metric)
    if found is None:
        return None
    looks = (
        (BASELINE, found.before, SERIES[0], _FILLED, ascii_lowercase),
        (CANDIDATE, found.after, SERIES[1], _HOLLOW, ascii_uppercase),
    )
    series = [
        Series(
            name=_name_in_both(curves, index, sign),
            points=list(curve.points),
            tone=tone,
            sign=signs[found.models.index(curve.models)],
            dotted=True,
            point=shapes[found.models.index(curve.models)],
        )
        for sign, curves, tone, shapes, signs in looks
        for index, curve in enumerate(curves)
    ]
    amounts = sorted({x for one in series for x, _ in one.points})
    return Chart(
        series=series,
        by=found.unit,
        x_limits=(0.0, amounts[-1]),
        x_ticks=[(x, f"{x:g}") for x in spread(amounts)],
        label=_label(after, metric),
        goal=_limit(after, metric),
    )


def _limit(state: RunState, metric: AnyMetric) -> float | None:
    limit = goal_limit(goals_of(state), metric)
    return 100 * limit if metric is Metric.FAILURES and limit is not None else limit


def _name_in_both(curves: Sequence[LevelCurve], index: int, sign: str) -> str:
    """Return the name of a series: its model count, with the last one the sign of the run."""
    models = str(curves[index].models)
    return f"{models} {sign}" if index == len(curves) - 1 else models


def _label(state: RunState, metric: AnyMetric) -> str:
    """Return the label of the y axis, with the name of the main requests."""
    main = main_of(state.profile)
    is_of_requests = isinstance(metric, Metric)
    return f"{short_name(main)} {metric.label}" if main and is_of_requests else metric.label


def _series_name(curves: Sequence[LevelCurve], index: int) -> str:
    """Return the name of a series, its model count. Only the last has the unit: `4 models`."""
    models = curves[index].models
    return counted(models, "model") if index == len(curves) - 1 else str(models)
