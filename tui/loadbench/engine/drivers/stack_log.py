"""A run's `stack.log`: what all services of the stack say."""

import threading
from contextlib import suppress
from pathlib import Path
from typing import IO

from loadbench.engine.files import utc_now
from loadbench.engine.journal.service_log import format_log_line


class StackLog:
    """What all services say, each line behind the moment and the name of its service.

    Args:
        path: Appended to; made with the first line.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None
        self._closed = False
        self._lock = threading.Lock()

    def write(self, name: str, line: str) -> None:
        """Append a line. A full disk loses it, and nothing else."""
        with self._lock, suppress(OSError, ValueError):
            if self._closed:
                return
            if self._file is None:
                self._file = self._path.open("a", encoding="utf-8", buffering=1)
            # With the lock, so that times are in the order of the lines.
            self._file.write(format_log_line(utc_now(), name, line))

    def close(self) -> None:
        """Close the file; later lines are lost."""
        with self._lock, suppress(OSError):
            self._closed = True
            if self._file:
                self._file.close()
