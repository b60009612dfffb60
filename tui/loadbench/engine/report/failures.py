"""Failed cells as text, without repeating a reason that an earlier cell had."""

from loadbench.engine.journal.codec import Entry
from loadbench.engine.journal.events import CellFailed
from loadbench.engine.journal.state import CellStatus, RunState

LOG_LINES = 5
"""Number of log lines shown for a failed cell. `stack.log` contains all of them."""


def failure_text(entry: Entry, event: CellFailed, state: RunState) -> str:
    """Return why a cell failed, with the last log lines. The text may have several lines.

    Args:
        entry: The journal entry.
        event: Its event.
        state: The state of the run after the entry.
    """
    cell = state.cells.get(event.cell)
    if cell and cell.ended_at != entry.at:
        # The cell was not in progress, so no earlier line names it.
        return f"Failed {event.cell}: {event.reason}"
    same = (
        key
        for key, other in state.cells.items()
        if key != event.cell and other.failed and _cause(other.failed) == _cause(event)
    )
    if first := next(same, None):
        return f"Failed: for the same reason as {first}"
    log = "".join(f"\n    | {line}" for line in event.log_lines[-LOG_LINES:])
    return f"Failed: {event.reason}{log}"


def failure_groups(state: RunState) -> list[tuple[list[str], CellFailed]]:
    """Return the failed cells with the same cause together: their keys, and the first failure."""
    groups: dict[tuple[object, ...], tuple[list[str], CellFailed]] = {}
    for key, cell in state.cells.items():
        if cell.status is CellStatus.FAILED and cell.failed:
            groups.setdefault(_cause(cell.failed), ([], cell.failed))[0].append(key)
    return list(groups.values())


def _cause(event: CellFailed) -> tuple[object, ...]:
    return event.reason, event.container, event.exit_code, event.log_lines
