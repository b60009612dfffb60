"""A run's `stack.log`: the log output of all services of the stack."""

import threading
from contextlib import suppress
from pathlib import Path
from typing import IO

from loadbench.engine.files import utc_now
from loadbench.engine.journal.service_log import format_log_line
from loadbench.engine.masking import NO_SECRETS, Masker


class StackLog:
    """Log file of all services. Each line carries a timestamp and the name of its service.

    Args:
        path: Path of the file, which is opened for appending when the first line is written.
        masker: Masks the secret values in all lines.
    """

    def __init__(self, path: Path, masker: Masker = NO_SECRETS) -> None:
        self._path = path
        self._masker = masker
        self._file: IO[str] | None = None
        self._closed = False
        self._lock = threading.Lock()

    def write(self, name: str, line: str) -> None:
        """Append a line. If it cannot be written, for example to a full disk, it is dropped."""
        with self._lock, suppress(OSError, ValueError):
            if self._closed:
                return
            if self._file is None:
                self._file = self._path.open("a", encoding="utf-8", buffering=1)
            # Take the time under the lock, so that timestamps are in order.
            self._file.write(format_log_line(utc_now(), name, self._masker.text(line)))

    def close(self) -> None:
        """Close the file. Later lines are dropped."""
        with self._lock, suppress(OSError):
            self._closed = True
            if self._file:
                self._file.close()
