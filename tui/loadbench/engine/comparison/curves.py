"""A metric of both runs against load, for charts."""

from collections.abc import Sequence
from dataclasses import dataclass

from loadbench.engine.journal.state import RunState
from loadbench.engine.report.by_level import LevelCurve, metric_by_level
from loadbench.engine.report.metrics import AnyMetric

MAX_MODELS = 4
"""Maximum numbers of models in a chart, which has as many curves for each run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BothCurves:
    """A metric of both runs against load."""

    models: tuple[int, ...]
    """The numbers of models, ascending. Each may be missing in one of the runs."""
    num_models: int
    """Number of different numbers of models in both runs."""
    before: tuple[LevelCurve, ...]
    after: tuple[LevelCurve, ...]
    unit: str
    """Unit of the loads, such as `users`."""

    @property
    def note(self) -> str:
        """What is left out, as a clause. Empty if nothing is."""
        shown = len(self.models)
        return f"{shown} of {self.num_models} numbers of models" if shown < self.num_models else ""


def both_curves(before: RunState, after: RunState, metric: AnyMetric) -> BothCurves | None:
    """Return a metric of both runs against load.

    Of more than `MAX_MODELS` numbers of models, those that both runs have come first, evenly
    spaced. Returns None if no cell has a value, or if the runs have different kinds of load.

    Args:
        before: State of the baseline.
        after: State of the candidate.
        metric: The metric.
    """
    units = {cell.cell.level.unit for state in (before, after) for cell in state.cells.values()}
    curves = [_with_values(metric_by_level(state, metric)) for state in (before, after)]
    if len(units) != 1 or not any(curves):
        return None
    sets = [{curve.models for curve in some} for some in curves]
    every = sorted(sets[0] | sets[1])
    common = sorted(sets[0] & sets[1])
    chosen = _spread(common, MAX_MODELS)
    others = [number for number in every if number not in common]
    models = tuple(sorted((*chosen, *_spread(others, MAX_MODELS - len(chosen)))))
    shown = [tuple(curve for curve in some if curve.models in models) for some in curves]
    return BothCurves(
        models=models,
        num_models=len(every),
        before=shown[0],
        after=shown[1],
        unit=units.pop(),
    )


def _with_values(curves: Sequence[LevelCurve]) -> list[LevelCurve]:
    return [curve for curve in curves if any(y is not None for _, y in curve.points)]


def _spread(models: Sequence[int], most: int) -> tuple[int, ...]:
    """Return at most `most` numbers, evenly spaced, with the first and the last one."""
    if len(models) <= most:
        return tuple(models)
    step = (len(models) - 1) / max(1, most - 1)
    return tuple(models[round(index * step)] for index in range(most))
