"""Write a journal: append one line per event while holding the lock."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from loadbench.engine.files import convert_os_errors, utc_now
from loadbench.engine.journal.codec import FILE_NAME, Entry, encode, masked_event
from loadbench.engine.journal.events import (
    CellFailed,
    CellFinished,
    CellSkipped,
    Event,
    RunFinished,
    RunLabelled,
    RunStarted,
)
from loadbench.engine.journal.lock import acquire
from loadbench.engine.masking import NO_SECRETS, Masker
from loadbench.errors import DiskFullError, JournalError

RESERVE_NAME = ".reserve"
RESERVE_BYTES = 64 * 1024
"""Size in bytes of the file that reserves disk space for the last events of a run."""

_DURABLE = (CellFinished, CellFailed, CellSkipped, RunStarted, RunLabelled, RunFinished)
"""Events that are synced to disk when written."""


class JournalWriter:
    """Append entries to a journal while holding its lock.

    Args:
        folder: The run's folder; it must exist.
        masker: Masks the secret values in all events.
        clock: Monotonic clock in seconds.

    Raises:
        JournalError: Another process holds the lock, or the file cannot be opened.
        DiskFullError: There is not enough disk space to start writing.
    """

    def __init__(
        self,
        folder: Path,
        *,
        masker: Masker = NO_SECRETS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._masker = masker
        self._clock = clock
        self._folder = folder
        self.path = folder / FILE_NAME
        try:
            self._fd = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        except OSError as error:
            raise JournalError(f"{self.path}: {error.strerror}") from error
        try:
            acquire(self._fd, folder)
            self._truncate_torn_line()
            self._seq = _count_lines(self._fd)
            self._allocate_reserve()
        except BaseException:
            os.close(self._fd)
            raise
        self._origin = clock()

    def append(self, event: Event) -> Entry:
        """Write one event and return the entry that readers will read.

        Raises:
            DiskFullError: No disk space is left. A partly written line is removed.
            JournalError: The file cannot be written for another reason.
        """
        entry = Entry(self._seq + 1, utc_now(), round(self._clock() - self._origin, 3), event)
        line = encode(entry)
        if self._masker.may_change(line):
            entry = replace(entry, event=masked_event(event, self._masker))
            line = encode(entry)
        self._write(line)
        self._seq = entry.seq
        if isinstance(event, _DURABLE):
            with convert_os_errors(self._folder):
                os.fsync(self._fd)
        return entry

    def moved_to(self, folder: Path) -> None:
        """Record the folder's new path after a rename; the journal stays open."""
        self._folder, self.path = folder, folder / FILE_NAME

    def release_reserve(self) -> None:
        """Free the disk space that is reserved for the last events of a run on a full disk."""
        (self._folder / RESERVE_NAME).unlink(missing_ok=True)

    def close(self) -> None:
        """Release the lock and the reserve, and close the journal."""
        with suppress(OSError):
            self.release_reserve()
        os.close(self._fd)

    def _write(self, line: bytes) -> None:
        before = os.fstat(self._fd).st_size
        with convert_os_errors(self._folder):
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

    def _allocate_reserve(self) -> None:
        with convert_os_errors(self._folder):
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
