"""Find a run that is measuring now, which other work on this machine would disturb."""

from pathlib import Path

from loadbench.engine.journal.lock import is_held
from loadbench.engine.locks import running
from loadbench.engine.requests.holder import run_name
from loadbench.engine.run_lookup import run_folders
from loadbench.engine.run_reader import RunReader
from loadbench.errors import JournalError


def measuring_run(reports: Path, except_folder: Path | None = None) -> str | None:
    """Return the name of a live run with a cell in progress, or None if there is none.

    Runs of other workspaces count if the same user started them on this machine. Runs that wait for
    the service, or that have recorded their end, do not measure.

    Args:
        reports: The folder of the workspace's reports.
        except_folder: Folder of a run to ignore.
    """
    ignored = except_folder and except_folder.resolve()
    for folder in dict.fromkeys((*running(), *run_folders(reports))):
        if folder.resolve() != ignored and is_held(folder) and _has_current_cell(folder):
            return run_name(folder)
    return None


def _has_current_cell(folder: Path) -> bool:
    try:
        state = RunReader(folder, max_samples=1).poll().state
    except (JournalError, OSError):
        return False
    return state.current is not None and state.finished is None
