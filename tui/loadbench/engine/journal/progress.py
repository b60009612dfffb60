"""How far a run is, by the estimates of its plan. Pure."""

from collections.abc import Collection

from loadbench.engine.journal.events import Phase
from loadbench.engine.journal.state import RunState
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.plan import SCALING_S, Cell, estimate_cell_s


def remaining_s(profile: Profile, state: RunState) -> float:
    """Return the seconds that a live run still takes, by estimate."""
    total, models = 0.0, None
    if current := state.current_cell:
        models = current.cell.models
        spent = state.elapsed_s - state.cell_since_s
        total += max(0.0, estimate_cell_s(profile, current.cell) - spent)
    for cell_state in state.outstanding:
        if cell_state.cell.key == state.current:
            continue
        total += estimate_cell_s(profile, cell_state.cell)
        total += SCALING_S * (cell_state.cell.models != models)
        models = cell_state.cell.models
    return total


def added_s(profile: Profile, state: RunState, added: Collection[Cell]) -> float:
    """Return the seconds that more cells would add to a live run, by estimate."""
    return remaining_s(profile, state.with_cells(added)) - remaining_s(profile, state)


def phase_length_s(profile: Profile, state: RunState) -> float | None:
    """Return the seconds that the current phase takes, of settling the most; None: nobody knows."""
    match state.phase:
        case Phase.RAMPING if state.current_cell:
            return state.current_cell.cell.level.ramp_s
        case Phase.SETTLING:
            return profile.settle.max
        case Phase.MEASURING:
            return profile.run_time
        case _:
            return None
