"""The runs that wait for the same stack, in the order of their arrival."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from loadbench.engine.journal.lock import is_held
from loadbench.engine.locks import state_folder


class WaitingList:
    """The place of one run among those that wait for a stack.

    The list is a file with the folder of one run per line. A run whose runner has exited does not
    count, so that a killed one delays no other. If the file cannot be used, the run is first, since
    the lock alone ensures that only one run uses the stack.

    Args:
        stack: Name of the stack's lock.
        run: The folder of the run.
    """

    def __init__(self, stack: str, run: Path) -> None:
        self._path = state_folder() / f"{stack}.waiting"
        self._run = str(run)

    def join(self) -> None:
        """Add the run at the end."""
        with suppress(OSError), self._opened() as fd:
            self._write(fd, [*self._others(fd), self._run])

    def leave(self) -> None:
        """Remove the run."""
        with suppress(OSError), self._opened() as fd:
            self._write(fd, self._others(fd))

    def is_first(self) -> bool:
        """Return whether no earlier run is waiting."""
        try:
            with self._opened() as fd:
                runs = _read(fd)
        except OSError:
            return True
        earlier = runs[: runs.index(self._run)] if self._run in runs else []
        return not any(is_held(Path(run)) for run in earlier)

    def _others(self, fd: int) -> list[str]:
        """Return the other runs that are still live."""
        return [run for run in _read(fd) if run != self._run and is_held(Path(run))]

    @contextmanager
    def _opened(self) -> Iterator[int]:
        """Open the file, locked against changes by other runs."""
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield fd
        finally:
            os.close(fd)

    @staticmethod
    def _write(fd: int, runs: list[str]) -> None:
        os.ftruncate(fd, 0)
        os.pwrite(fd, os.fsencode("".join(f"{run}\n" for run in runs)), 0)


def _read(fd: int) -> list[str]:
    text = os.fsdecode(os.pread(fd, os.fstat(fd).st_size, 0))
    return [run for run in text.split("\n") if run]
