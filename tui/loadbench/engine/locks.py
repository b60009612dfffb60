"""Locks that allow only one run at a time per service under test.

Each lock is a file in the user's state folder that names the run.
"""

import fcntl
import os
from collections.abc import Mapping
from pathlib import Path

from loadbench.errors import RefusedError


def state_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the state folder of loadbench: `$XDG_STATE_HOME/loadbench`.

    If the variable is unset or not an absolute path, return `~/.local/state/loadbench`.
    """
    base = environ.get("XDG_STATE_HOME", "")
    root = Path(base) if Path(base).is_absolute() else Path.home() / ".local" / "state"
    return root / "loadbench"


class StackLock:
    """A lock that a run holds until its process exits.

    Args:
        name: Name of the stack; only one run at a time can lock it.

    Raises:
        RefusedError: Another run holds the lock; the message names that run.
    """

    def __init__(self, name: str) -> None:
        path = state_folder() / f"{name}.lock"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise RefusedError(
                f"cannot open the lock file {path}: {error.strerror}. Check its permissions"
            ) from error
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._fd, 4096, 0).decode("utf-8", "replace").strip()
            os.close(self._fd)
            raise RefusedError(
                f"the {name} stack is in use by the run {holder or '(just starting)'}; concurrent "
                "runs would distort each other's results. Wait for it to finish, or stop it: "
                f"loadbench-tui stop {holder or 'RUN'}"
            ) from None
        # Remove the previous holder's name: it is wrong until `record_holder` is called.
        os.ftruncate(self._fd, 0)

    def record_holder(self, run: Path) -> None:
        """Write the folder of the run that holds the lock into the lock file."""
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{run}\n".encode(), 0)

    def release(self) -> None:
        """Release the lock."""
        os.close(self._fd)
