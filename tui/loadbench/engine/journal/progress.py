"""Progress of a run, estimated from its plan."""

from collections.abc import Collection

from loadbench.engine.journal.events import Phase
from loadbench.engine.journal.state import RunState
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.plan import SCALING_S, Cell, estimate_cell_s


def remaining_s(profile: Profile, state: RunState) -> float:
    """Estimate the remaining time of a live run in seconds."""
    total, models = 0.0, None
    if current := state.current_cell:
        models = current.cell.models
        spent_s = state.elapsed_s - state.cell_since_s
        total += max(0.0, estimate_cell_s(profile, current.cell) - spent_s)
    for cell_state in state.outstanding:
        if cell_state.cell.key == state.current:
            continue
        total += estimate_cell_s(profile, cell_state.cell)
        total += SCALING_S * (cell_state.cell.models != models)
        models = cell_state.cell.models
    return total


def added_s(profile: Profile, state: RunState, added: Collection[Cell]) -> float:
    """Estimate the time in seconds that added cells would take in a live run."""
    return remaining_s(profile, state.with_cells(added)) - remaining_s(profile, state)


def phase_length_s(profile: Profile, state: RunState) -> float | None:
    """Return the length of the current phase in seconds, or None if it is not known in advance.

    The length of the settling phase is its maximum.
    """
    match state.phase:
        case Phase.RAMPING if state.current_cell:
            return state.current_cell.cell.level.ramp_s
        case Phase.SETTLING:
            return profile.settle.max
        case Phase.MEASURING:
            return profile.run_time
        case _:
            return None
