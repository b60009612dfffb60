"""Progress of a live run: its remaining time, estimated from its plan and its finished cells."""

from collections.abc import Collection

from loadbench.engine.journal.events import Phase, StackProgress
from loadbench.engine.journal.state import CellState, RunState
from loadbench.engine.journal.timing.durations import Durations, durations_of
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.plan import Cell

SETTLE, MEASURE = "settle", "measure"
"""Steps of the progress within the phases `settling` and `measuring`."""
_STEPS = {SETTLE: Phase.SETTLING, MEASURE: Phase.MEASURING}


def phase_detail(state: RunState) -> str:
    """Return the progress within the current phase: `140 of 200 requests for p95`, or ''."""
    progress = state.progress
    if progress is None or state.phase is None or _STEPS.get(progress.step) is not state.phase:
        return ""
    # The line starts with the phase, for output without it.
    return progress.line.partition(": ")[2]


def remaining_s(profile: Profile, state: RunState) -> float:
    """Estimate the remaining time of a live run in seconds."""
    durations = _durations(profile, state)
    pending = [one.cell for one in state.outstanding if one.cell.key != state.current]
    current = state.current_cell
    if current is None:
        return durations.total_s(pending, _last_models(state))
    return _current_s(durations, state, current) + durations.total_s(pending, current.cell.models)


def waiting_text(state: RunState) -> str:
    """Return what a run is waiting for before its first cell, or '' if it is not waiting."""
    progress = state.progress
    if progress is None or progress.step != StackProgress.WAITING or state.finished:
        return ""
    return progress.line


def total_s(profile: Profile, state: RunState) -> float:
    """Estimate the time in seconds that all cells of a live run take, as `remaining_s` does."""
    cells = [one.cell for one in state.cells.values()]
    return _durations(profile, state).total_s(cells)


def next_cell_s(profile: Profile, state: RunState, cell: Cell) -> float:
    """Estimate the time in seconds that a cell takes if it is measured next, with scaling."""
    return _durations(profile, state).total_s([cell], _last_models(state))


def added_s(profile: Profile, state: RunState, added: Collection[Cell]) -> float:
    """Estimate the time in seconds that added cells would take in a live run."""
    return remaining_s(profile, state.with_cells(added)) - remaining_s(profile, state)


def phase_length_s(profile: Profile, state: RunState) -> float | None:
    """Return the length of the current phase in seconds, or None if it is not known in advance.

    The length of the settling phase is its usual maximum. If it takes longer, it is not known. The
    length of an automatic measurement window is its maximum.
    """
    match state.phase:
        case Phase.RAMPING if state.current_cell:
            return state.current_cell.cell.level.ramp_s
        case Phase.SETTLING:
            is_usual = state.elapsed_s - state.phase_since_s <= profile.settle.max
            return profile.settle.max if is_usual else None
        case Phase.MEASURING:
            return profile.max_window_s
        case _:
            return None


def _durations(profile: Profile, state: RunState) -> Durations:
    expected_of = state.started.window_s if state.started else {}
    return durations_of(profile, [state], expected_of)


def _current_s(durations: Durations, state: RunState, current: CellState) -> float:
    """Estimate the remaining seconds of the current cell, with scaling."""
    cell_s = durations.cell_s(current.cell)
    scaled = [start for start in state.phases if start.phase is not Phase.SCALING]
    if scaled:
        left_s = cell_s - (state.elapsed_s - scaled[0].elapsed_s)
        # Settling may take longer than expected; the rest of the window is certain.
        window_s = durations.window_s(current.cell)
        if state.phase is Phase.MEASURING:
            window_s -= state.elapsed_s - state.phase_since_s
        is_certain = state.phase in (Phase.SETTLING, Phase.MEASURING)
        return max(0.0, left_s, window_s if is_certain else 0.0)
    if _last_models(state) == current.cell.models:
        return cell_s
    spent_s = state.elapsed_s - state.cell_since_s
    return cell_s + max(0.0, durations.scaling_s(current.cell.models) - spent_s)


def _last_models(state: RunState) -> int | None:
    """Return the number of models of the cell that ended last, or None if no cell has ended.

    After a change of the wall clock it may be another cell.
    """
    ended = [one for one in state.cells.values() if one.ended_at and one.cell.key != state.current]
    last = max(ended, key=lambda one: one.ended_at, default=None)
    return last.cell.models if last else None
