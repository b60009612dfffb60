"""Results in an existing `summary.json` that the journal no longer has, because it was damaged."""

from collections.abc import Collection, Mapping
from pathlib import Path

from pydantic import BaseModel

from loadbench.engine.bounds.files import read_file
from loadbench.engine.bounds.parsing import BadInputError, parse
from loadbench.engine.journal.state import ENDED_STATUSES, CellState, RunState

MAX_BYTES = 64_000_000
"""Maximum size of a summary that is read: that of a run with more than 20,000 cells."""

_MAX_NAMED = 4


class _Cell(BaseModel):
    cell: str
    attempt: int
    requests: int | None


class _Summary(BaseModel):
    run: str
    cells: list[_Cell]


def recorded_results(file: Path, run: str) -> dict[str, int]:
    """Return the cells with results in a summary, and the attempts that the results are of.

    Args:
        file: The summary, as written by any version.
        run: Id of its run.

    Returns:
        The attempts by key of the cell. Empty if there is no summary, or if it is of another run.

    Raises:
        OSError: The file cannot be read.
        BadInputError: It is too large.
    """
    try:
        data = read_file(file, max_bytes=MAX_BYTES)
    except FileNotFoundError:
        return {}
    try:
        summary = parse(data, _Summary.model_validate_json, max_bytes=MAX_BYTES)
    except BadInputError:
        return {}
    if summary.run != run:
        return {}
    # The attempt is 0 if its start was not recorded.
    return {cell.cell: max(1, cell.attempt) for cell in summary.cells if cell.requests is not None}


def lost_results(recorded: Mapping[str, int], state: RunState) -> tuple[str, ...]:
    """Return the cells whose recorded results the state of their run does not have.

    A result may be replaced once the same or a later attempt has ended: with another result, with
    a failure, or skipped.

    Args:
        recorded: The attempts with results; see `recorded_results`.
        state: The state of the run.
    """
    return tuple(
        key
        for key, attempt in recorded.items()
        if attempt > _last_ended_attempt(state.cells.get(key))
    )


def kept_message(lost: Collection[str], state: RunState, folder: Path) -> str:
    """Return the message that the files of a run are kept, and how to replace them."""
    cells = [state.cells.get(key) for key in lost]
    again = [f"--again {one.cell.key}" for one in cells if one and one.status in ENDED_STATUSES]
    keys = list(lost)[:_MAX_NAMED]
    more = f" and {len(lost) - _MAX_NAMED} more" if len(lost) > _MAX_NAMED else ""
    command = " ".join(
        ("loadbench-tui run --resume", f"{folder.parent.name}/{folder.name}", *again)
    )
    return (
        f"{folder}: summary.csv and summary.json are kept, because the journal no longer has the "
        f"results of {', '.join(keys)}{more}. To measure them again: {command}. To write a summary "
        "without them, delete summary.json first"
    )


def unreadable_message(error: OSError | BadInputError, folder: Path) -> str:
    """Return the message that the files of a run are kept, as their results are not known."""
    return (
        f"{folder}: summary.csv and summary.json are kept, because the journal is damaged and "
        f"summary.json cannot be read ({getattr(error, 'strerror', None) or error}). To write a "
        "summary of what is left, delete summary.json first"
    )


def _last_ended_attempt(cell: CellState | None) -> int:
    """Return the number of the last attempt whose end is known. 0 if there is none."""
    ends = (cell.finished, cell.failed, cell.skipped) if cell else ()
    return max((end.attempt for end in ends if end), default=0)
