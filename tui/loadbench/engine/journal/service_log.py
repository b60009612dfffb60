"""Log lines of a run's services, stored in `stack.log` with timestamp and service name."""

import os
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from loadbench.engine.bounds.files import open_regular
from loadbench.engine.bounds.lines import MAX_OUTPUT_LINE_BYTES, bounded_lines, skip_line

FILE_NAME = "stack.log"
LOCUST_FILE_NAME = "locust.log"
"""Name of the file with the output of Locust and of the locustfile, in the same format."""

_LOCUST = "locust"
_OF_LOCUST = ("/INFO/locust.", "/CRITICAL/locust.", "/ERROR/root: Uncaught exception in event")
"""Parts of log lines of Locust itself."""

LOCUST_STARTS = "A Locust process starts"
"""Line that is written before the output of each process."""

_AT_EXIT = "/INFO/locust.main: Got SIGTERM"
"""Part of the line after which Locust prints its statistics."""

_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ")
_SEPARATOR = " | "
_MAX_BYTES = 128 * 1024
"""Maximum number of bytes read from a time span, counted from its end."""
_TAIL_BYTES = 8 * 1024
"""Number of bytes at the end of the file that are searched for a timestamp."""
_MAX_UNTIMED_LINES = 100
"""Maximum number of lines without a timestamp to skip when searching for one."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One log line of a service."""

    at: str
    """UTC, ISO 8601, with milliseconds. Empty in runs recorded before lines had timestamps."""
    name: str
    """Name of the container or process. Empty if unknown."""
    text: str


def format_log_line(at: str, name: str, text: str) -> str:
    """Format a log line for the file, with its newline."""
    return f"{at} {name}{_SEPARATOR}{text}\n"


def format_locust_line(at: str, line: bytes) -> bytes:
    """Format a line of Locust's output for its file, with its newline."""
    return format_log_line(at, _LOCUST, "").encode().removesuffix(b"\n") + line + b"\n"


def of_locustfile(lines: Iterable[LogLine]) -> Iterator[LogLine]:
    """Yield the lines of Locust's log that the locustfile has caused, with their tracebacks.

    Args:
        lines: Lines in order. Those that Locust prints when it exits are left out.
    """
    is_exiting = False
    for line in lines:
        is_start = line.text == LOCUST_STARTS
        is_exiting = not is_start and (is_exiting or _AT_EXIT in line.text)
        is_own = not is_start and not any(part in line.text for part in _OF_LOCUST)
        if is_own and not is_exiting:
            yield line


def parse(raw: bytes) -> LogLine:
    """Parse one line of the file."""
    line = raw.decode("utf-8", "replace").rstrip("\r\n")
    time = _TIME.match(line)
    rest = line[time.end() :] if time else line
    name, separator, text = rest.partition(_SEPARATOR)
    return LogLine(time[1] if time else "", name if separator else "", text if separator else rest)


def read_last_lines(path: Path, name: str, *, max_lines: int) -> tuple[list[LogLine], int]:
    """Read the last log lines of one service.

    Args:
        path: The log file. If it does not exist, no lines are returned.
        name: Name of the container or process.
        max_lines: Maximum number of lines.

    Returns:
        The lines, and the offset in bytes from which to continue reading.

    Raises:
        OSError: The file cannot be read.
    """
    found: deque[LogLine] = deque(maxlen=max_lines)
    prefix, offset = f"{name}{_SEPARATOR}".encode(), 0
    try:
        with os.fdopen(open_regular(path), "rb") as file:
            for raw, length in bounded_lines(file, MAX_OUTPUT_LINE_BYTES):
                offset += length
                if prefix in raw and (line := parse(raw)).name == name:
                    found.append(line)
    except FileNotFoundError:
        pass
    return list(found), offset


def read_lines_between(path: Path, begin: str, end: str, *, max_lines: int) -> list[LogLine] | None:
    """Read the last log lines of a time span.

    Finds the span by bisection: the file may be large, and its lines are in order. Lines without
    a timestamp count as older than all others.

    Args:
        path: The log file.
        begin: Start of the span, inclusive: UTC, ISO 8601, with milliseconds.
        end: End of the span, exclusive, in the same format. Empty for an open span.
        max_lines: Maximum number of lines.

    Returns:
        The lines, or None if the lines of the file have no timestamps.

    Raises:
        OSError: The file cannot be read.
    """
    with os.fdopen(open_regular(path), "rb") as file:
        size = file.seek(0, os.SEEK_END)
        first = _first_since(file, size, begin)
        after = _first_since(file, size, end) if end else size
        if first >= size and size and not _has_times(file, size):
            return None
        start = _line_at(file, max(first, after - _MAX_BYTES))
        file.seek(start)
        data = file.read(max(0, after - start))
    # The part after the last newline is an incomplete line.
    lines = map(parse, data.split(b"\n")[:-1])
    return [line for line in lines if line.at][-max_lines:]


def _first_since(file: BinaryIO, size: int, moment: str) -> int:
    """Return the offset of the first line at or after a moment; `size` if there is none."""
    low, high = 0, size
    while low < high:
        middle = (low + high) // 2
        times = _times(file, _line_at(file, middle))
        # No lines: the end of the file. Lines without timestamps count as older.
        if not times or next(filter(None, times), "") >= moment:
            high = middle
        else:
            low = middle + 1
    return _line_at(file, low)


def _times(file: BinaryIO, offset: int) -> list[str]:
    """Return the timestamps of complete lines from `offset` up to the first line that has one."""
    file.seek(offset)
    times: list[str] = []
    while len(times) < _MAX_UNTIMED_LINES and not any(times):
        raw, _ = next(bounded_lines(file, MAX_OUTPUT_LINE_BYTES), (None, 0))
        if raw is None:
            break
        times.append(parse(raw).at)
    return times


def _line_at(file: BinaryIO, offset: int) -> int:
    """Return the offset of the first line that starts at or after `offset`."""
    if offset == 0:
        return 0
    file.seek(offset - 1)
    skip_line(file)
    return file.tell()


def _has_times(file: BinaryIO, size: int) -> bool:
    near_end = max(0, size - _TAIL_BYTES)
    return any(_times(file, _line_at(file, near_end)))
