"""Atomic file writes, reading of growing files, and errors for a full disk."""

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from loadbench.engine.bounds.files import open_regular
from loadbench.engine.bounds.lines import MAX_LINE_BYTES, skip_line
from loadbench.engine.disk import full_reason
from loadbench.errors import DiskFullError, JournalError


def utc_now() -> str:
    """Return the current time in the journal's format: UTC, ISO 8601, with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@contextmanager
def convert_os_errors(path: Path) -> Iterator[None]:
    """Convert an `OSError` raised inside the block into a `JournalError` that names the path.

    Raises:
        DiskFullError: No space is left on the disk.
        JournalError: Any other `OSError`.
    """
    try:
        yield
    except OSError as error:
        if reason := full_reason(error, path):
            raise DiskFullError(f"{path}: {reason}") from error
        raise JournalError(f"{path}: {error.strerror or error}") from error


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file atomically: readers see all of it or nothing.

    Raises:
        DiskFullError: No space is left on the disk; no partial file remains.
        JournalError: The file cannot be written for another reason.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with convert_os_errors(path):
            part.write_bytes(data)
            part.replace(path)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


class Tail:
    """Reads the complete lines of a growing file, each exactly once.

    A line that is too long is cut off and returned before its end is written; the rest is dropped.

    Args:
        path: The file; it may not exist yet.
        last_bytes: Start at the first complete line within this many bytes of the end. If None,
            start at `offset`.
        offset: Offset in bytes at which a line starts.
        max_line_bytes: Length in bytes above which a line is too long.
    """

    def __init__(
        self,
        path: Path,
        *,
        last_bytes: int | None = None,
        offset: int = 0,
        max_line_bytes: int = MAX_LINE_BYTES,
    ) -> None:
        self.path = path
        self._offset = offset
        self._skip = last_bytes
        self._max_line_bytes = max_line_bytes
        self._is_in_line = False
        """Whether `offset` is in the rest of a line that was cut off."""

    def unread_bytes(self) -> int:
        """Return the number of bytes that have not been read yet.

        Raises:
            OSError: The file does not exist.
        """
        return self.path.stat().st_size - self._offset

    @property
    def offset(self) -> int:
        """Offset in bytes from which to continue."""
        return self._offset

    def poll(self) -> list[bytes]:
        """Return the lines completed since the last call, without their newlines.

        Raises:
            OSError: The file does not exist or cannot be read.
        """
        return list(self.lines())

    def lines(self, max_bytes: float = math.inf) -> Iterator[bytes]:
        """Yield the lines completed since the last call, without their newlines.

        Holds only one line in memory at a time.

        Args:
            max_bytes: Stop after the first line with which this many bytes have been read.

        Raises:
            OSError: The file does not exist or cannot be read.
        """
        with os.fdopen(open_regular(self.path), "rb") as file:
            if self._skip is not None:
                self._offset = self._first_complete_line(file, self._skip)
                self._skip = None
            file.seek(self._offset)
            end = self._offset + max_bytes
            while line := file.readline(self._max_line_bytes + 1):
                is_complete = line.endswith(b"\n")
                if not is_complete and len(line) <= self._max_line_bytes:
                    # An incomplete last line is read again later: its writer may truncate it.
                    return
                is_rest, self._is_in_line = self._is_in_line, not is_complete
                self._offset += len(line)
                if not is_rest:
                    yield line.removesuffix(b"\n")
                if self._offset >= end:
                    return

    @staticmethod
    def _first_complete_line(file: BinaryIO, last_bytes: int) -> int:
        start = max(0, file.seek(0, os.SEEK_END) - last_bytes)
        while start:
            file.seek(start)
            length, is_complete = skip_line(file)
            if not length or is_complete:
                return file.tell()
            # `start` is inside an incomplete line, whose rest would later look like a complete one.
            start = max(0, start - last_bytes)
        return 0
