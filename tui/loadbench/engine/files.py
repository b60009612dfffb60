"""Writing files so that they are whole or not there, and saying when the disk is full."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from loadbench.errors import DiskFullError, JournalError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def utc_now() -> str:
    """Return the moment as journals hold it: UTC, ISO 8601, with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@contextmanager
def named_os_errors(path: Path) -> Iterator[None]:
    """Turn what the system refuses inside the block into an error of ours that names the path.

    Raises:
        DiskFullError: There is no space left.
        JournalError: Anything else that the system refused.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFullError(f"{path}: no space left on the disk") from error
        raise JournalError(f"{path}: {error.strerror or error}") from error


def existing(folder: Path) -> Path:
    """Return the folder, or the nearest of its parents that is there."""
    while not folder.exists():
        folder = folder.parent
    return folder


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that readers see whole or not at all.

    Raises:
        DiskFullError: There is no space for it; nothing is left of it.
        JournalError: It cannot be written for another reason.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with named_os_errors(path):
            part.write_bytes(data)
            part.replace(path)
    finally:
        part.unlink(missing_ok=True)


class Tail:
    """The whole lines of a growing file, each once.

    Args:
        path: The file; it need not be there yet.
        last_bytes: Begin about that far before its end, with a whole line; None: at `offset`.
        offset: Where a line begins.
    """

    def __init__(self, path: Path, *, last_bytes: int | None = None, offset: int = 0) -> None:
        self.path = path
        self._offset = offset
        self._skip = last_bytes

    def unread_bytes(self) -> int:
        """Return how much of the file was not returned yet.

        Raises:
            OSError: The file is not there.
        """
        return self.path.stat().st_size - self._offset

    @property
    def offset(self) -> int:
        """Where the next line begins."""
        return self._offset

    def poll(self) -> list[bytes]:
        """Return the lines that were completed since the last call, without their newlines.

        Raises:
            OSError: The file is not there or cannot be read.
        """
        return list(self.lines())

    def lines(self) -> Iterator[bytes]:
        """Yield the lines that were completed since the last call, without their newlines.

        The file may be larger than the memory: only one line is held at a time.

        Raises:
            OSError: The file is not there or cannot be read.
        """
        with self.path.open("rb") as file:
            if self._skip is not None:
                self._offset = self._whole_line_before_end(file, self._skip)
                self._skip = None
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    # An incomplete line is read again later: its writer may take it back.
                    return
                self._offset += len(line)
                yield line[:-1]

    @staticmethod
    def _whole_line_before_end(file: BinaryIO, last_bytes: int) -> int:
        start = max(0, file.seek(0, os.SEEK_END) - last_bytes)
        while start:
            file.seek(start)
            rest = file.readline()
            if not rest or rest.endswith(b"\n"):
                return file.tell()
            # Within a line that is not whole yet; its rest alone would look like a line.
            start = max(0, start - last_bytes)
        return 0
