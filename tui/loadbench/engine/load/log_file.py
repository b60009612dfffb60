"""Locust's log, limited in size: a locustfile may log an exception for each request."""

from contextlib import suppress
from pathlib import Path

from loadbench.engine.bounds.lines import last_lines
from loadbench.engine.files import utc_now
from loadbench.engine.journal.service_log import (
    LOCUST_STARTS,
    format_locust_line,
    of_locustfile,
    parse,
)

MAX_LOG_BYTES = 5_000_000
"""Size from which lines are dropped. With the starts of further processes, at most twice as much is
written, which is half of the spare space of a run (`run.space.SPARE`)."""

MIN_START_BYTES = 64_000
"""Size that each Locust process can write to a full log, so that its start is logged."""

_MAX_LINES_READ = 1_000
_OF_EXCEPTIONS = (
    "/locust.",
    "> failed with ",
    "During handling of the above exception, another exception occurred:",
    "The above exception was the direct cause of the following exception:",
)
"""Parts of further lines about exceptions, and of the loggers of Locust."""

_TRACEBACK = "Traceback (most recent call last)"


class LogFile:
    """A log file that is appended to until it is full.

    Args:
        path: The file.
        max_bytes: Size from which lines are dropped.
    """

    def __init__(self, path: Path, *, max_bytes: int = MAX_LOG_BYTES) -> None:
        self._file = path.open("ab", buffering=0)
        size = self._file.tell()
        self._left = max(max_bytes - size, min(MIN_START_BYTES, 2 * max_bytes - size))
        self._notice = f"Log limited to {max_bytes / 1e6:g} MB: further lines are dropped"
        self.write(LOCUST_STARTS.encode())

    def write(self, line: bytes) -> None:
        """Append a line. If there is no space, in the log or on the disk, it is dropped."""
        if self._left <= 0 or not line.strip():
            return
        with suppress(OSError):
            self._left -= self._file.write(format_locust_line(utc_now(), line)) or 0
            if self._left <= 0:
                self._file.write(format_locust_line(utc_now(), self._notice.encode()))

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def own_lines(path: Path, number: int) -> tuple[str, ...]:
    """Return the last lines of a log that the locustfile has written, without tracebacks.

    Args:
        path: The log.
        number: Maximum number of lines.
    """
    raw = (line.encode() for line in last_lines(path, _MAX_LINES_READ))
    own = []
    is_traceback = False
    for text in (line.text for line in of_locustfile(map(parse, raw))):
        if text.startswith(_TRACEBACK):
            is_traceback = True
        elif is_traceback:
            # The line with the exception is the first one that is not indented.
            is_traceback = text.startswith(" ")
        elif not any(part in text for part in _OF_EXCEPTIONS):
            own.append(text)
    return tuple(own[-number:])


def newest_lines(path: Path, number: int) -> tuple[str, ...]:
    """Return the last lines of a log without their timestamps."""
    return tuple(parse(line.encode()).text for line in last_lines(path, number))
