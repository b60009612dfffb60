"""Create and read runs from golden journals."""

import shutil
from pathlib import Path

from loadbench.engine.journal.events import CellFinished
from loadbench.engine.journal.state import CellState, CellStatus, RunState
from loadbench.engine.run_reader import read_run
from tests.support.harness import REPOSITORY

JOURNALS = REPOSITORY / "tests" / "journals"
VERDICTS = JOURNALS / "verdicts"


def folder_of(name: str, tmp_path: Path) -> Path:
    """Create a run from one of the verdict journals, and return its folder."""
    run = tmp_path / "bench" / name
    run.mkdir(parents=True)
    shutil.copy(VERDICTS / f"{name}.jsonl", run / "journal.jsonl")
    return run


def last_cell(name: str, tmp_path: Path) -> tuple[RunState, CellState, CellFinished]:
    """Return the state of a verdict journal, and its last finished cell."""
    state = read_run(folder_of(name, tmp_path)).state
    cell = [cell for cell in state.cells.values() if cell.status is CellStatus.FINISHED][-1]
    assert cell.finished is not None
    return state, cell, cell.finished
