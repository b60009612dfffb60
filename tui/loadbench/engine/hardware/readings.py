"""Readings of values from outside the program: limited in size, and never an error."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import psutil

MAX_BYTES = 512 * 1024
"""Maximum number of bytes read from a file. `/proc/cpuinfo` has about 1.5 KB for each CPU."""

MAX_ENTRIES = 4096
"""Maximum number of files or folders visited for one value."""

T = TypeVar("T")

_FAILURES = (
    ArithmeticError,
    AttributeError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    psutil.Error,
)
"""Errors of psutil and the operating system on systems that lack a value."""


def optional(read: Callable[[], T]) -> T | None:
    """Return the result of a function, or None if this system does not have the value."""
    try:
        return read()
    except _FAILURES:
        return None


def read_file(path: Path) -> str:
    """Return the first `MAX_BYTES` of a file, or an empty text if it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES).decode("utf-8", "replace")
    except (OSError, ValueError):
        return ""


def read_int(path: Path) -> int | None:
    """Return the integer in a file, or None if there is none."""
    text = read_file(path).strip()
    try:
        return int(text[:20])
    except ValueError:
        return None
