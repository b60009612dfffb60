"""Stop the runner of a live run."""

import os
import signal

from loadbench.engine.journal.commands import send_command
from loadbench.engine.journal.lock import is_held
from loadbench.engine.requests.runner_process import RUNNER_MODULE
from loadbench.engine.run_reader import Run
from loadbench.errors import JournalError


def stop_run(run: Run, *, identity: str | None = None) -> None:
    """Ask the runner of a run to stop, by a signal if a command cannot be sent.

    Args:
        run: The run.
        identity: The id of the command, see `send_command`.

    Raises:
        JournalError: The runner belongs to another user.
    """
    try:
        send_command(run.folder, "stop", identity=identity)
    except JournalError:
        signal_runner(run, signal.SIGTERM)


def signal_runner(run: Run, number: signal.Signals) -> None:
    """Send a signal to the runner of a run if the run is live.

    Raises:
        JournalError: The runner belongs to another user.
    """
    if run.state.pid and is_held(run.folder) and _is_runner(run.state.pid):
        try:
            os.kill(run.state.pid, number)
        except ProcessLookupError:
            return
        except PermissionError as error:
            raise JournalError(
                f"{run.name}: its runner (process {run.state.pid}) belongs to another user. Stop "
                "the run as that user"
            ) from error


def _is_runner(pid: int) -> bool:
    """Return whether a process is a runner. The id in a damaged journal may be of another one."""
    import psutil

    try:
        return RUNNER_MODULE in psutil.Process(pid).cmdline()
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
