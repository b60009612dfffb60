"""One run per stack: a lock under the user's state folder that names the run which holds it."""

import fcntl
import os
from collections.abc import Mapping
from pathlib import Path

from loadbench.errors import RefusedError


def state_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder for what outlives a run but is no result: XDG's, with our name."""
    base = environ.get("XDG_STATE_HOME", "")
    root = Path(base) if Path(base).is_absolute() else Path.home() / ".local" / "state"
    return root / "loadbench"


class StackLock:
    """Held by a run for as long as its process lives.

    Args:
        name: Of the stack; two runs with the same name exclude each other.

    Raises:
        RefusedError: Another run holds it; the message names that run.
    """

    def __init__(self, name: str) -> None:
        path = state_folder() / f"{name}.lock"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise RefusedError(
                f"{path}: {error.strerror}; the lock of the stack is kept there"
            ) from error
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._fd, 4096, 0).decode("utf-8", "replace").strip()
            os.close(self._fd)
            raise RefusedError(
                f"the {name} stack is in use by the run {holder or '(just starting)'}; two runs "
                f"would measure each other. Wait for it, or `loadbench-tui stop {holder}`"
            ) from None
        # Until this one is named, the one before must not be taken for it.
        os.ftruncate(self._fd, 0)

    def name_holder(self, run: Path) -> None:
        """Write down which run holds the lock."""
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{run}\n".encode(), 0)

    def release(self) -> None:
        """Let the next run have it."""
        os.close(self._fd)
