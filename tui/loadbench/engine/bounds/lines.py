"""Read lines from files and pipes: each limited in length, however long it is in the source."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from loadbench.engine.bounds.files import open_regular
from loadbench.engine.bounds.texts import CUT

MAX_LINE_BYTES = 16_000_000
"""Maximum length of a line of a journal, in bytes."""

MAX_OUTPUT_LINE_BYTES = 65_536
"""Maximum length of a line of a command's or a service's output, in bytes."""

_SKIP_BYTES = 65_536


def bounded_lines(
    file: IO[bytes], max_bytes: int, *, with_last: bool = False
) -> Iterator[tuple[bytes, int]]:
    """Yield the complete lines of a file or pipe.

    Args:
        file: The source, at the start of a line.
        max_bytes: Maximum length of a line. The rest of a longer line is read, but dropped.
        with_last: Whether to yield an incomplete last line, too.

    Yields:
        The line without its newline, and its length in the source in bytes, with its newline. If it
        is too long, it is cut to the maximum length, followed by `CUT`.

    Raises:
        OSError: The source cannot be read.
    """
    while line := file.readline(max_bytes + 1):
        length, is_complete = len(line), line.endswith(b"\n")
        # A shorter line without a newline is the last one. Its rest, which may be written at this
        # moment, must not be dropped.
        if not is_complete and length > max_bytes:
            skipped, is_complete = skip_line(file)
            length += skipped
        if not is_complete and not with_last:
            return
        line = line.removesuffix(b"\n")
        yield line if len(line) <= max_bytes else line[:max_bytes] + CUT.encode(), length


def skip_line(file: IO[bytes]) -> tuple[int, bool]:
    """Read a file or pipe to the end of the line, however long it is.

    Returns:
        The number of bytes read, and whether they end with a newline.

    Raises:
        OSError: The source cannot be read.
    """
    length = 0
    while part := file.readline(_SKIP_BYTES):
        length += len(part)
        if part.endswith(b"\n"):
            return length, True
    return length, False


def last_lines(path: Path, number: int) -> tuple[str, ...]:
    """Return the last lines of a text file without blank ones, from its last 64 kB."""
    try:
        with os.fdopen(open_regular(path), "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - MAX_OUTPUT_LINE_BYTES))
            text = file.read(MAX_OUTPUT_LINE_BYTES).decode("utf-8", "replace")
    except OSError:
        return ()
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    return tuple(lines[-number:])
