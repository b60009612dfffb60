"""Writing a journal: append-only, one line an event, locked by its writer."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from loadbench.engine.files import named_os_errors, utc_now
from loadbench.engine.journal.codec import FILE_NAME, Entry, encode
from loadbench.engine.journal.events import (
    CellFailed,
    CellFinished,
    CellSkipped,
    Event,
    RunFinished,
    RunStarted,
)
from loadbench.engine.journal.lock import hold
from loadbench.errors import DiskFullError, JournalError

RESERVE_NAME = ".reserve"
RESERVE_BYTES = 64 * 1024

_DURABLE = (CellFinished, CellFailed, CellSkipped, RunStarted, RunFinished)


class JournalWriter:
    """Appends entries to a journal that it holds the lock of.

    Args:
        folder: The run's folder; it must exist.
        clock: Monotonic seconds.

    Raises:
        JournalError: Somebody else writes it, or it cannot be opened.
        DiskFullError: There is no space even to begin.
    """

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._folder = folder
        self.path = folder / FILE_NAME
        try:
            self._fd = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        except OSError as error:
            raise JournalError(f"{self.path}: {error.strerror}") from error
        try:
            hold(self._fd, folder)
            self._truncate_torn_line()
            self._seq = _count_lines(self._fd)
            self._keep_reserve()
        except BaseException:
            os.close(self._fd)
            raise
        self._origin = clock()

    def append(self, event: Event) -> Entry:
        """Write one event and return it as readers will see it.

        Raises:
            DiskFullError: No space is left; what was written of the line is taken back.
            JournalError: The file cannot be written for another reason.
        """
        entry = Entry(self._seq + 1, utc_now(), round(self._clock() - self._origin, 3), event)
        self._write(encode(entry))
        self._seq = entry.seq
        if isinstance(event, _DURABLE):
            with named_os_errors(self._folder):
                os.fsync(self._fd)
        return entry

    def moved_to(self, folder: Path) -> None:
        """Note that the folder was renamed; the open journal went with it."""
        self._folder, self.path = folder, folder / FILE_NAME

    def release_reserve(self) -> None:
        """Give back the space that was kept for saying that there is none."""
        (self._folder / RESERVE_NAME).unlink(missing_ok=True)

    def close(self) -> None:
        """Release the lock; the journal is then finished or interrupted, whatever its last line."""
        with suppress(OSError):
            self.release_reserve()
        os.close(self._fd)

    def _write(self, line: bytes) -> None:
        before = os.fstat(self._fd).st_size
        with named_os_errors(self._folder):
            written = os.write(self._fd, line)
        if written < len(line):
            os.ftruncate(self._fd, before)
            raise DiskFullError(f"{self._folder}: no space left on the disk")

    def _truncate_torn_line(self) -> None:
        size = os.fstat(self._fd).st_size
        while size:
            start = max(0, size - 65536)
            newline = os.pread(self._fd, size - start, start).rfind(b"\n")
            if newline >= 0:
                os.ftruncate(self._fd, start + newline + 1)
                return
            size = start
        os.ftruncate(self._fd, 0)

    def _keep_reserve(self) -> None:
        with named_os_errors(self._folder):
            try:
                (self._folder / RESERVE_NAME).write_bytes(b"\0" * RESERVE_BYTES)
            except OSError:
                self.release_reserve()
                raise


def _count_lines(fd: int) -> int:
    count, offset = 0, 0
    while chunk := os.pread(fd, 1 << 20, offset):
        count += chunk.count(b"\n")
        offset += len(chunk)
    return count
