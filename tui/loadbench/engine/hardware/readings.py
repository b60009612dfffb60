"""Readings of values from outside the program: limited in size, cleaned, and never an error."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import psutil

MAX_CHARACTERS = 120
"""Maximum length of a recorded text."""

MAX_BYTES = 512 * 1024
"""Maximum number of bytes read from a file. `/proc/cpuinfo` has about 1.5 KB for each CPU."""

MAX_ENTRIES = 4096
"""Maximum number of files or folders visited for one value."""

MAX_NUMBER = 2**63

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


def clean_text(value: object) -> str | None:
    """Return a text on one line, without control characters, of at most `MAX_CHARACTERS`.

    Returns None if the value is no text, or has no printable characters.
    """
    if not isinstance(value, str):
        return None
    start = value[: 4 * MAX_CHARACTERS]
    words = "".join(c if c.isprintable() else " " for c in start).split()
    text = " ".join(words)
    if len(text) > MAX_CHARACTERS:
        text = text[: MAX_CHARACTERS - 1].rstrip() + "…"
    return text or None


def positive_int(value: object) -> int | None:
    """Return a positive number as an integer, or None if the value is anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return (round(value) or None) if 0 < value < MAX_NUMBER else None


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
