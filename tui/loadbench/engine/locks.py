"""Locks that allow only one run at a time per service under test.

Each lock is a file in the user's state folder that names the run.
"""

import fcntl
import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from loadbench.errors import RefusedError

_MAX_BYTES = 4096
"""Maximum length of the path of a run's folder."""
_RETRY_INTERVAL_S = 0.02


def state_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the state folder of loadbench: `$XDG_STATE_HOME/loadbench`.

    If the variable is unset or not an absolute path, return `~/.local/state/loadbench`. For a user
    without a home folder, return a folder of that user in the folder for temporary files.
    """
    base = environ.get("XDG_STATE_HOME", "")
    if Path(base).is_absolute():
        return Path(base) / "loadbench"
    try:
        return Path.home() / ".local" / "state" / "loadbench"
    except RuntimeError:
        return Path(tempfile.gettempdir()) / f"loadbench-{os.getuid()}"


@dataclass(frozen=True, slots=True)
class LockUse:
    """A lock that is held."""

    run: Path | None
    """The folder of the run that holds it. None if that run is just starting."""


def use_of(name: str) -> LockUse | None:
    """Return who holds the lock of a stack, or None if it is free. Creates no file."""
    try:
        fd = os.open(_path(name), os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return LockUse(_read_holder(fd))
    finally:
        os.close(fd)
    return None


def running() -> list[Path]:
    """Return the folders of the user's runs on this machine that hold a lock."""
    uses = (use_of(file.stem) for file in state_folder().glob("*.lock"))
    return [use.run for use in uses if use and use.run]


class StackLock:
    """A lock that a run holds until its process exits.

    Args:
        name: Name of the stack; only one run at a time can lock it.

    Raises:
        RefusedError: The lock file cannot be opened.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_held = False
        """Whether this object holds the lock."""
        path = _path(name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise RefusedError(
                f"cannot open the lock file {path}: {error.strerror}. Check its permissions"
            ) from error

    def acquire(self, *, retry_s: float = 0.0) -> bool:
        """Try to acquire the lock, and return whether this object holds it.

        Args:
            retry_s: Seconds to retry, since `use_of` holds the lock briefly.
        """
        deadline = time.monotonic() + retry_s
        while not self.is_held:
            try:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    return False
                time.sleep(_RETRY_INTERVAL_S)
            else:
                self.is_held = True
                # Remove the previous holder's name: it is wrong until `record_holder` is called.
                os.ftruncate(self._fd, 0)
        return True

    @property
    def holder(self) -> Path | None:
        """The folder of the run that holds the lock. None if that run is just starting."""
        return _read_holder(self._fd)

    def record_holder(self, run: Path) -> None:
        """Write the folder of the run that holds the lock into the lock file."""
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, os.fsencode(f"{run}\n"), 0)

    def release(self) -> None:
        """Release the lock, if it is held, and close its file."""
        self.is_held = False
        os.close(self._fd)


def _path(name: str) -> Path:
    return state_folder() / f"{name}.lock"


def _read_holder(fd: int) -> Path | None:
    text = os.fsdecode(os.pread(fd, _MAX_BYTES, 0)).strip()
    return Path(text) if text else None
