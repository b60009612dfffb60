"""What the services of a run say: a line each in its `stack.log`, behind a time and a name."""

import os
import re
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

FILE_NAME = "stack.log"
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ")
_BAR = " | "
_MAX_BYTES = 128 * 1024
"""Of a span that is read: its end."""
_TAIL_BYTES = 8 * 1024
"""Before the end of the file: where a line is looked for that tells whether lines have a time."""
_UNTIMED_LINES = 100
"""Lines without a time that are passed over in the search for one with a time."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line that a service said."""

    at: str
    """UTC, ISO 8601, with milliseconds. Empty: written before lines had a time."""
    name: str
    """Of the service's container or process. Empty: it is not known."""
    text: str


def format_log_line(at: str, name: str, text: str) -> str:
    """Return the line of the file for what was said."""
    return f"{at} {name}{_BAR}{text}\n"


def parse(raw: bytes) -> LogLine:
    """Return what a line of the file tells."""
    told = raw.decode("utf-8", "replace").rstrip("\r\n")
    time = _TIME.match(told)
    rest = told[time.end() :] if time else told
    name, bar, text = rest.partition(_BAR)
    return LogLine(time[1] if time else "", name if bar else "", text if bar else rest)


def read_last_lines(path: Path, name: str, *, most: int) -> tuple[list[LogLine], int]:
    """Return the last lines of one service, and where in the file it can be gone on from.

    Args:
        path: The file; where there is none, nothing was said.
        name: Of the service's container or process.
        most: How many lines.

    Raises:
        OSError: The file cannot be read.
    """
    found: deque[LogLine] = deque(maxlen=most)
    mark, offset = f"{name}{_BAR}".encode(), 0
    try:
        with path.open("rb") as file:
            for raw in file:
                if not raw.endswith(b"\n"):
                    break
                offset += len(raw)
                if mark in raw and (said := parse(raw)).name == name:
                    found.append(said)
    except FileNotFoundError:
        pass
    return list(found), offset


def read_lines_between(path: Path, begin: str, end: str, *, most: int) -> list[LogLine] | None:
    """Return the last lines of a span of time. None: the lines of that file have no times.

    The place is found by bisection, since a file may be large and its lines are in order; lines
    without a time count as older than all others.

    Args:
        path: The file.
        begin: UTC, ISO 8601, with milliseconds.
        end: The moment after the span; empty: there is no end yet.
        most: How many lines.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        first = _first_since(file, size, begin)
        after = _first_since(file, size, end) if end else size
        if first >= size and size and not _has_times(file, size):
            return None
        start = _line_at(file, max(first, after - _MAX_BYTES))
        file.seek(start)
        data = file.read(max(0, after - start))
    # What follows the last newline is not whole yet.
    said = map(parse, data.split(b"\n")[:-1])
    return [it for it in said if it.at][-most:]


def _first_since(file: BinaryIO, size: int, moment: str) -> int:
    """Return where the first line of a moment or later begins; the size: there is none."""
    low, high = 0, size
    while low < high:
        middle = (low + high) // 2
        times = _times(file, _line_at(file, middle))
        # At the end there are no lines; lines without a time are of before.
        if not times or next(filter(None, times), "") >= moment:
            high = middle
        else:
            low = middle + 1
    return _line_at(file, low)


def _times(file: BinaryIO, offset: int) -> list[str]:
    """Return the times of the whole lines from there up to the first that has one."""
    file.seek(offset)
    times: list[str] = []
    while len(times) < _UNTIMED_LINES and not any(times):
        raw = file.readline()
        if not raw.endswith(b"\n"):
            break
        times.append(parse(raw).at)
    return times


def _line_at(file: BinaryIO, offset: int) -> int:
    """Return where the first line begins that begins there or later."""
    if offset == 0:
        return 0
    file.seek(offset - 1)
    file.readline()
    return file.tell()


def _has_times(file: BinaryIO, size: int) -> bool:
    near_end = max(0, size - _TAIL_BYTES)
    return any(_times(file, _line_at(file, near_end)))
