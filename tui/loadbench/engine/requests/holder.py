"""The live run that uses the service under test, as plain data."""

from dataclasses import dataclass
from pathlib import Path

from loadbench.engine.journal.state import ENDED_STATUSES
from loadbench.engine.locks import use_of
from loadbench.engine.run_reader import RunReader
from loadbench.engine.search.eta import remaining_range_s
from loadbench.errors import JournalError


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """The run that holds the lock of a stack. Concurrent runs would disturb each other."""

    folder: str = ""
    """Its folder. Empty if the run is just starting."""
    is_local: bool = False
    """Whether it belongs to the same workspace, so that `name` identifies it."""
    cells: int | None = None
    """Number of cells in its plan. None if its journal cannot be read."""
    ended: int = 0
    """Number of these cells that have ended."""
    current: str | None = None
    """Key of the cell in progress. None if there is none."""
    remaining_s: float | None = None
    """Estimated seconds until it ends. None if unknown."""

    @property
    def name(self) -> str:
        """Name of the run, such as `with_cpu/20261122-0721`, or '' if it is just starting."""
        return run_name(Path(self.folder)) if self.folder else ""

    @property
    def argument(self) -> str:
        """The `RUN` argument of commands: the name, or the folder in another workspace."""
        return self.name if self.is_local else self.folder


def run_name(folder: Path) -> str:
    """Return the name of the run in a folder."""
    return f"{folder.parent.name}/{folder.name}"


def find_holder(lock: str, reports: Path) -> Holder | None:
    """Return the run that holds a lock now, or None if the lock is free.

    Args:
        lock: Name of the lock, from the preflight.
        reports: The folder of the workspace's reports.
    """
    use = use_of(lock)
    if use is None:
        return None
    if use.run is None:
        return Holder()
    folder = use.run
    is_local = folder.resolve().is_relative_to(reports.resolve())
    try:
        state = RunReader(folder, max_samples=1).poll().state
    except (JournalError, OSError):
        return Holder(folder=str(folder), is_local=is_local)
    return Holder(
        folder=str(folder),
        is_local=is_local,
        cells=len(state.cells),
        ended=state.count(*ENDED_STATUSES),
        current=state.current,
        remaining_s=remaining_range_s(state.profile, state)[1] if state.profile else None,
    )


def in_use(holder: Holder) -> str:
    """Return the message that refuses a run because another one uses the service."""
    harm = "concurrent runs would distort each other's results"
    if not holder.folder:
        return (
            f"the service is in use by a run that is just starting; {harm}. To start after it, run "
            "with --wait. To list all runs: loadbench-tui runs"
        )
    run = holder.argument
    return (
        f"the service is in use by the run {run}; {harm}. To start after it, run with --wait. "
        f"To show it: loadbench-tui attach {run}. To stop it: loadbench-tui stop {run}"
    )
