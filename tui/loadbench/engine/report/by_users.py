"""Latency and throughput against the number of users, a curve per number of models. Pure.

Cells with the same users and models, such as repeats, make one point. Invalid cells are left out,
and so is the recheck, which would count the first cell twice.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from loadbench.engine.journal.events import CellFinished, Verdict
from loadbench.engine.journal.state import CellStatus, RunState
from loadbench.engine.measure.buckets import merge, percentile, successes


@dataclass(frozen=True, slots=True, kw_only=True)
class UsersCurve:
    """One number against the number of users, for one number of models."""

    models: int
    points: tuple[tuple[int, float | None], ...]
    """Users and value, sorted by users. None: no value, since no request succeeded."""


def p90_ms_by_users(state: RunState) -> tuple[UsersCurve, ...]:
    """Return curves of the 90th percentile of latency, in ms, from merged histograms."""
    return _curves(
        state,
        lambda cells: percentile(merge(successes(it.requests) for it in cells), 0.9),
    )


def rps_by_users(state: RunState) -> tuple[UsersCurve, ...]:
    """Return curves of successes per second, each point the mean over the time of its cells."""
    return _curves(
        state,
        lambda cells: sum(it.completed for it in cells) / sum(it.measured_s for it in cells),
    )


def _curves(
    state: RunState, value: Callable[[Sequence[CellFinished]], float | None]
) -> tuple[UsersCurve, ...]:
    groups: dict[int, dict[int, list[CellFinished]]] = {}
    for it in state.cells.values():
        finished = it.finished if it.status is CellStatus.FINISHED else None
        if finished and finished.verdict is not Verdict.INVALID and not it.cell.recheck:
            groups.setdefault(it.cell.models, {}).setdefault(it.cell.users, []).append(finished)
    return tuple(
        UsersCurve(
            models=models,
            points=tuple((users, value(cells)) for users, cells in sorted(by_users.items())),
        )
        for models, by_users in sorted(groups.items())
    )
