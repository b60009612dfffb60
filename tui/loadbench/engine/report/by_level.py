"""Latency and throughput against load, a curve per number of models. Pure.

Cells with the same load and models, such as repeats, make one point. Invalid cells are left out,
and so is the recheck, which would count the first cell twice.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from loadbench.engine.journal.events import CellFinished, Verdict
from loadbench.engine.journal.state import CellStatus, RunState
from loadbench.engine.measure.buckets import merge, percentile, successes


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelCurve:
    """One number against load, for one number of models."""

    models: int
    points: tuple[tuple[float, float | None], ...]
    """`Level.amount` and value, sorted by amount. None: no value, since no request succeeded."""


def p90_ms_by_level(state: RunState) -> tuple[LevelCurve, ...]:
    """Return curves of the 90th percentile of latency, in ms, from merged histograms."""
    return _curves(
        state,
        lambda cells: percentile(merge(successes(it.requests) for it in cells), 0.9),
    )


def rps_by_level(state: RunState) -> tuple[LevelCurve, ...]:
    """Return curves of successes per second, each point the mean over the time of its cells."""
    return _curves(
        state,
        lambda cells: sum(it.completed for it in cells) / sum(it.measured_s for it in cells),
    )


def _curves(
    state: RunState, value: Callable[[Sequence[CellFinished]], float | None]
) -> tuple[LevelCurve, ...]:
    groups: dict[int, dict[float, list[CellFinished]]] = {}
    for it in state.cells.values():
        finished = it.finished if it.status is CellStatus.FINISHED else None
        if finished and finished.verdict is not Verdict.INVALID and not it.cell.recheck:
            by_amount = groups.setdefault(it.cell.models, {})
            by_amount.setdefault(it.cell.level.amount, []).append(finished)
    return tuple(
        LevelCurve(
            models=models,
            points=tuple((amount, value(cells)) for amount, cells in sorted(by_amount.items())),
        )
        for models, by_amount in sorted(groups.items())
    )
