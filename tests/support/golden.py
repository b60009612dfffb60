"""Golden journals, read as runs."""

import shutil
from pathlib import Path

from loadbench.engine.journal.events import CellFinished
from loadbench.engine.journal.state import CellState, CellStatus, RunState
from loadbench.engine.run_reader import read_run
from tests.support.harness import REPOSITORY

JOURNALS = REPOSITORY / "tests" / "journals"
VERDICTS = JOURNALS / "verdicts"


def folder_of(name: str, tmp_path: Path) -> Path:
    """Make a run of one of the journals of verdicts."""
    run = tmp_path / "bench" / name
    run.mkdir(parents=True)
    shutil.copy(VERDICTS / f"{name}.jsonl", run / "journal.jsonl")
    return run


def last_cell(name: str, tmp_path: Path) -> tuple[RunState, CellState, CellFinished]:
    """Return one of the journals of verdicts, and the last cell that was measured in it."""
    state = read_run(folder_of(name, tmp_path)).state
    cell = [it for it in state.cells.values() if it.status is CellStatus.FINISHED][-1]
    assert cell.finished is not None
    return state, cell, cell.finished
