"""Resuming a run that is not live: which cells it can measure, and which ones a request measures.

The runner, the command line and the views use the same rules.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from loadbench.engine.journal.codec import Entry
from loadbench.engine.journal.events import RunResumed, Verdict
from loadbench.engine.journal.state import CellState, CellStatus, RunState
from loadbench.engine.profile.plan import Cell
from loadbench.engine.requests.command_rules import answer_to_add, answer_to_again
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.engine.search.continuation import can_continue
from loadbench.engine.search.model import Probe
from loadbench.engine.search.strategy import next_step
from loadbench.errors import UsageError


@dataclass(frozen=True, slots=True)
class RemainingCells:
    """The cells that resuming a run would measure, or could measure again. At least one."""

    pending: int = 0
    """Number of planned cells without a result. Every resume measures them."""
    is_searching: bool = False
    """Whether every resume also continues a search, which plans further cells."""
    failed: tuple[str, ...] = ()
    """Keys of the failed cells."""
    suspect: tuple[str, ...] = ()
    """Keys of the suspect and invalid cells."""

    @property
    def continues(self) -> bool:
        """Whether a resume measures cells even if none is to be measured again."""
        return self.pending > 0 or self.is_searching


def remaining_cells(run: Run) -> RemainingCells | None:
    """Return the remaining cells of a run, or None if there are none or the run is live."""
    if run.status is RunStatus.LIVE:
        return None
    found = RemainingCells(
        pending=len(run.state.outstanding),
        is_searching=can_continue(run.state),
        failed=cells_to_retry(run.state, failed=True),
        suspect=cells_to_retry(run.state, suspect=True),
    )
    return found if found != RemainingCells() else None


def is_unfinished(run: Run) -> bool:
    """Return whether a run has measured all cells, but its runner was killed before the end.

    Resuming such a run records its end and removes what the runner left behind.
    """
    return run.was_killed and run.status is RunStatus.DONE


def cells_to_retry(
    state: RunState, *, failed: bool = False, suspect: bool = False
) -> tuple[str, ...]:
    """Return the keys of the cells that did not lead to a usable result, in plan order.

    Args:
        state: The state of the run.
        failed: Whether to include failed cells.
        suspect: Whether to include suspect and invalid cells.
    """
    return tuple(
        key
        for key, cell in state.cells.items()
        if (failed and cell.status is CellStatus.FAILED) or (suspect and _is_suspect(cell))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumption:
    """What resuming a run measures."""

    again: tuple[str, ...]
    """Keys of the cells to measure again."""
    added: tuple[Cell, ...]
    """Cells to add to the plan, one per repeat."""
    cells: tuple[Cell, ...]
    """All cells to measure, in order. Of a search that continues, at least the next cell."""


def plan_resumption(
    state: RunState,
    *,
    again: Iterable[str] = (),
    points: Iterable[Mapping[str, float]] = (),
) -> Resumption:
    """Return what resuming a run measures.

    Args:
        state: The state of the run, which is not live.
        again: Keys of the cells to measure again. Duplicates count once.
        points: Grid points to add, each with the fields of a `Point`.

    Raises:
        UsageError: A cell cannot be measured again, or a point cannot be added.
    """
    keys = tuple(dict.fromkeys(again))
    resumed = resumed_state(state)
    for key in keys:
        answer = answer_to_again(key, resumed)
        if not answer.accepted:
            raise UsageError(answer.message)
    added: tuple[Cell, ...] = ()
    for point in points:
        answer = answer_to_add(point, resumed.with_cells(added))
        if not answer.accepted:
            raise UsageError(answer.message)
        added += answer.added
    resumed = resumed_state(state, again=keys, added=added)
    cells = tuple(one.cell for one in resumed.outstanding)
    if not cells and can_continue(state):
        step = next_step(resumed)
        cells = (step.cell,) if isinstance(step, Probe) else ()
    return Resumption(again=keys, added=added, cells=cells)


def resumed_state(
    state: RunState, *, again: tuple[str, ...] = (), added: tuple[Cell, ...] = ()
) -> RunState:
    """Return the state that a run would have after resuming it.

    Args:
        state: The state of the run, which is not live.
        again: Keys of the cells to measure again.
        added: Cells to add to the plan.
    """
    event = RunResumed(pid=0, retry=again, hardware={}, versions={}, added=added)
    return state.apply(Entry(seq=0, at="", elapsed_s=0.0, event=event))


def _is_suspect(cell: CellState) -> bool:
    """Return whether the result of a measured cell is suspect or invalid."""
    finished = cell.finished if cell.status is CellStatus.FINISHED else None
    return finished is not None and finished.verdict is not Verdict.VALID
