"""Latency and throughput against load, with one curve per number of models.

Cells with the same load and models, such as repeats, form one point. Invalid cells are excluded,
as is the recheck, which would count the first cell twice.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from loadbench.engine.journal.events import CellFinished, Verdict
from loadbench.engine.journal.state import CellStatus, RunState
from loadbench.engine.measure.buckets import merge, percentile, successes


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelCurve:
    """A metric against load, for one number of models."""

    models: int
    points: tuple[tuple[float, float | None], ...]
    """Pairs of `Level.amount` and value, sorted by amount. None if no request succeeded."""


def p90_ms_by_level(state: RunState) -> tuple[LevelCurve, ...]:
    """Return the 90th percentile of latency in ms, from merged histograms."""
    return _curves(
        state,
        lambda cells: percentile(merge(successes(cell.requests) for cell in cells), 0.9),
    )


def rps_by_level(state: RunState) -> tuple[LevelCurve, ...]:
    """Return successful requests per second, averaged over the measured time of the cells."""
    return _curves(
        state,
        lambda cells: (
            sum(cell.completed for cell in cells) / sum(cell.measured_s for cell in cells)
        ),
    )


def _curves(
    state: RunState, value: Callable[[Sequence[CellFinished]], float | None]
) -> tuple[LevelCurve, ...]:
    groups: dict[int, dict[float, list[CellFinished]]] = {}
    for cell_state in state.cells.values():
        cell = cell_state.cell
        finished = cell_state.finished if cell_state.status is CellStatus.FINISHED else None
        if finished and finished.verdict is not Verdict.INVALID and not cell.recheck:
            by_amount = groups.setdefault(cell.models, {})
            by_amount.setdefault(cell.level.amount, []).append(finished)
    return tuple(
        LevelCurve(
            models=models,
            points=tuple((amount, value(cells)) for amount, cells in sorted(by_amount.items())),
        )
        for models, by_amount in sorted(groups.items())
    )
