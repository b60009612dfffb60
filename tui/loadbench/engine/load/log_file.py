"""Locust's log, limited in size: a locustfile may log an exception for each request."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

MAX_LOG_BYTES = 10_000_000
"""Size from which lines are dropped: half of the spare space of a run (`run.space.SPARE`)."""

MIN_START_BYTES = 64_000
"""Size that each Locust process can write to a full log, so that its start is logged."""

_TRACEBACK = "Traceback (most recent call last)"
_OF_LOCUST = ("/locust.", "/ERROR/root: Uncaught exception in event handler", "<Greenlet at ")
"""Parts of log lines of Locust itself."""

_START = "/INFO/locust.main: Starting Locust"
_END = "/INFO/locust.main: Got SIGTERM"
"""Part of the line after which Locust prints its statistics."""


class LogFile:
    """A log file that is appended to until it is full.

    Args:
        path: The file.
        max_bytes: Size from which lines are dropped.
    """

    def __init__(self, path: Path, *, max_bytes: int = MAX_LOG_BYTES) -> None:
        self._file = path.open("ab", buffering=0)
        self._left = max(max_bytes - self._file.tell(), MIN_START_BYTES)
        self._notice = f"Log limited to {max_bytes / 1e6:g} MB: further lines are dropped\n"

    def write(self, line: bytes) -> None:
        """Append a line. If there is no space, in the log or on the disk, it is dropped."""
        if self._left <= 0:
            return
        with suppress(OSError):
            self._left -= self._file.write(line + b"\n") or 0
            if self._left <= 0:
                self._file.write(self._notice.encode())

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def own_lines(lines: Sequence[str]) -> list[str]:
    """Return the lines of a log that the locustfile has written, without tracebacks.

    Args:
        lines: Lines of Locust's log, up to the newest.
    """
    own = []
    is_traceback = has_ended = False
    for line in lines:
        is_own = not any(part in line for part in _OF_LOCUST)
        has_ended = _START not in line and (has_ended or _END in line)
        if line.startswith(_TRACEBACK):
            is_traceback = True
        elif is_traceback:
            # The line with the exception is the first one that is not indented.
            is_traceback = line.startswith(" ")
        elif is_own and not has_ended:
            own.append(line)
    return own
