"""Damaged lines of a journal, as text."""

from loadbench.engine.journal.state import CellState, RunState


def damage_phrase(state: RunState) -> str:
    """Return a phrase such as `2 damaged lines`. Empty if there are none."""
    number = state.damaged_lines
    return f"{number} damaged line{'s' if number > 1 else ''}" if number else ""


def lost_cells(state: RunState, *, is_live: bool) -> list[str]:
    """Return the keys of cells that were started, but have no readable result.

    Args:
        state: The state of the run.
        is_live: Whether the run is live, so that its current cell may still get a result.
    """

    def is_lost(cell: CellState) -> bool:
        is_current = is_live and cell.cell.key == state.current
        return bool(cell.attempt or state.finished) and not is_current

    return (
        [one.cell.key for one in state.outstanding if is_lost(one)] if state.damaged_lines else []
    )
