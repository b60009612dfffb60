"""Metrics against load, with one curve per number of models.

Cells with the same load and models, such as repeats, form one point. Invalid cells are excluded,
as is the recheck, which would count the first cell twice.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from loadbench.engine.journal.events import CellFinished, Verdict
from loadbench.engine.journal.state import CellStatus, RunState
from loadbench.engine.measure.buckets import (
    merge,
    num_failures,
    num_requests,
    percentile,
    successes,
)
from loadbench.engine.measure.main_request import main_of, results_of_name
from loadbench.engine.report.measurements.metric import MeasurementMetric, metric_of
from loadbench.engine.report.metrics import AnyMetric, Metric
from loadbench.engine.report.rows import PERCENTILES


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelCurve:
    """A metric against load, for one number of models."""

    models: int
    points: tuple[tuple[float, float | None], ...]
    """Pairs of `Level.amount` and value, sorted by amount. The value may be None."""


def metric_by_level(state: RunState, metric: AnyMetric) -> tuple[LevelCurve, ...]:
    """Return a metric against load, with one curve per number of models.

    Percentiles are computed from merged histograms, throughput in requests/s is averaged over
    the measured time, and failures are a percentage of all requests.

    Args:
        state: The state of the run.
        metric: The metric. A bottleneck is not a number, so it has no curves.
    """
    match metric:
        case MeasurementMetric():
            return _curves(state, lambda cells: _measured(cells, metric))
        case Metric.BOTTLENECK:
            return ()
        case Metric.RPS:
            return _curves(state, _rps)
        case Metric.FAILURES:
            return _curves(state, _failure_percent)
    fraction = PERCENTILES[metric.column]
    return _curves(
        state,
        lambda cells: percentile(merge(successes(cell.requests) for cell in cells), fraction),
    )


def _measured(cells: Sequence[CellFinished], metric: MeasurementMetric) -> float | None:
    return metric_of((one for cell in cells for one in cell.measurements), metric)


def _rps(cells: Sequence[CellFinished]) -> float:
    return sum(cell.completed for cell in cells) / sum(cell.measured_s for cell in cells)


def _failure_percent(cells: Sequence[CellFinished]) -> float | None:
    failed = sum(num_failures(cell.requests) for cell in cells)
    total = sum(num_requests(cell.requests) for cell in cells)
    return 100 * failed / total if total else None


def _curves(
    state: RunState, value: Callable[[Sequence[CellFinished]], float | None]
) -> tuple[LevelCurve, ...]:
    groups: dict[int, dict[float, list[CellFinished]]] = {}
    for cell_state in state.cells.values():
        cell = cell_state.cell
        finished = cell_state.finished if cell_state.status is CellStatus.FINISHED else None
        if finished and finished.verdict is not Verdict.INVALID and not cell.recheck:
            by_amount = groups.setdefault(cell.models, {})
            results = results_of_name(finished, main_of(state.profile))
            by_amount.setdefault(cell.level.amount, []).append(results)
    return tuple(
        LevelCurve(
            models=models,
            points=tuple((amount, value(cells)) for amount, cells in sorted(by_amount.items())),
        )
        for models, by_amount in sorted(groups.items())
    )
