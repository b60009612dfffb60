"""Finish a run whose runner was killed after the last cell: clean up and record the end."""

import os
from dataclasses import dataclass
from pathlib import Path

from loadbench.engine.drivers.registry import clear_leftovers
from loadbench.engine.hardware.versions import versions
from loadbench.engine.journal.events import Result, RunResumed
from loadbench.engine.journal.state import CellStatus, RunState
from loadbench.engine.journal.writer import JournalWriter
from loadbench.engine.requests.launch import RunRequest
from loadbench.engine.requests.resumption import is_unfinished
from loadbench.engine.run.control_loop import ControlLoop
from loadbench.engine.run.resume import refuse_other_workspace
from loadbench.engine.run_reader import Run, read_run
from loadbench.errors import LoadbenchError, RefusedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """A run with no cells left that is ready to be finished. Its journal is open and locked."""

    run: Run
    """The run before it was resumed."""
    journal: JournalWriter
    state: RunState


def prepare_ending(request: RunRequest, folder: Path) -> Ending | None:
    """Prepare to finish a run, or return None if there is something to measure or to refuse.

    Nothing is measured, so neither the profile nor the machine is checked.

    Args:
        request: The request to resume the run.
        folder: The run's folder.

    Raises:
        LoadbenchError: The run is refused; nothing was changed.
    """
    run = read_run(folder)
    started = run.state.started
    if request.again or request.added or not is_unfinished(run) or started is None:
        return None
    refuse_other_workspace(run, request.workspace)
    journal = JournalWriter(folder)
    # The hardware of the measured cells: viewers report a change of hardware as a doubt.
    hardware = [started.hardware, *run.state.resumed_hardware][-1]
    resumed = RunResumed(pid=os.getpid(), retry=(), hardware=dict(hardware), versions=versions())
    journal.append(resumed)
    return Ending(run=run, journal=journal, state=read_run(folder).state)


def cells_measured(state: RunState) -> str:
    """Return how many cells were measured: `3 of 4 cells measured`."""
    total = len(state.cells)
    cells = "cell" if total == 1 else "cells"
    return f"{state.count(CellStatus.FINISHED)} of {total} {cells} measured"


def resume_command(folder: Path, state: RunState) -> str:
    """Return the command that continues a run, in backticks, including its failed cells.

    Args:
        folder: The run's folder.
        state: Its state.
    """
    retry = " --retry-failed" if state.count(CellStatus.FAILED) else ""
    return f"`run --resume {folder.parent.name}/{folder.name}{retry}`"


def finish_run(ending: Ending, control: ControlLoop) -> None:
    """Remove what the killed runner left behind, record the end and write the summary."""
    try:
        left = clear_leftovers(ending.run)
    except RefusedError:
        left = None  # a live run uses the same project, and removes leftover containers itself
    except LoadbenchError as error:
        left = f"containers may still be running: {error}"
    measured = cells_measured(ending.state)
    reason = f"{measured}; the runner was killed before it recorded the end"
    control.finish(Result.DONE, reason, left)
