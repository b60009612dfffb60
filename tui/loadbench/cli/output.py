"""All output of the commands: data to stdout, messages to stderr, always printable.

Only this module and `live_output` write to the terminal.
"""

import io
import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from loadbench.printable import printable, printable_json


class OutputError(Exception):
    """Data cannot be written to stdout. Later data is discarded.

    Args:
        cause: The error of the operating system.
    """

    def __init__(self, cause: OSError) -> None:
        super().__init__(cause)
        self.cause = cause


def open_standard_streams() -> None:
    """Open the standard streams that the parent process has closed.

    Otherwise, the next file that the program opens would take the place of a closed stream. Output
    to such a stream fails, as to a full disk.
    """
    for fd, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(fd)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDONLY), True)
            setattr(sys, name, open(fd, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def columns() -> int | None:
    """Return the width of the terminal, or None if stdout is not a terminal."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def data(text: str = "") -> None:
    """Print text and a newline to stdout.

    Raises:
        OutputError: The text cannot be written.
    """
    _write_data(f"{printable(text)}\n")
    _flush_data()


def json_line(value: Any) -> None:
    """Print a value to stdout as one line of JSON, with escapes for unprintable characters.

    Raises:
        OutputError: The line cannot be written.
    """
    # Without UTF-8, characters that stdout cannot encode would be lost.
    text = json.dumps(value, ensure_ascii=not _is_utf8(sys.stdout))
    _write_data(f"{printable_json(text)}\n")
    _flush_data()


@contextmanager
def data_file() -> Iterator[TextIO]:
    """Provide stdout as a file for writing text.

    Raises:
        OutputError: The text cannot be written.
    """
    yield _DataFile()  # type: ignore[misc]  # only its method `write` is used
    _flush_data()


def message(text: str) -> None:
    """Print text and a newline to stderr. If that is not possible, the text is discarded."""
    try:
        sys.stderr.write(f"{printable(text)}\n")
        sys.stderr.flush()
    except OSError:
        discard(sys.stderr)


@contextmanager
def captured_data() -> Iterator[None]:
    """Print what other code writes to stdout, made printable, when the block ends.

    Raises:
        OutputError: The text cannot be written.
    """
    captured = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="replace")
    stdout, sys.stdout = sys.stdout, captured
    try:
        yield
    finally:
        sys.stdout = stdout
        captured.seek(0)
        # Even an empty text cannot be written to a full device.
        if text := captured.read():
            _write_data(printable(text))
            _flush_data()


def discard(stream: TextIO) -> None:
    """Discard pending and later output of a stream, so that Python does not retry it at its end."""
    with suppress(OSError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)


class _DataFile(io.TextIOBase):
    def write(self, text: str, /) -> int:
        _write_data(printable(text))
        return len(text)


def _write_data(text: str) -> None:
    out = sys.stdout
    if not _is_utf8(out):
        text = text.encode(out.encoding, "replace").decode(out.encoding)
    with _converted_errors():
        out.write(text)


def _flush_data() -> None:
    with _converted_errors():
        sys.stdout.flush()


@contextmanager
def _converted_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        discard(sys.stdout)
        raise OutputError(error) from error


def _is_utf8(stream: TextIO) -> bool:
    return (stream.encoding or "utf-8").lower().replace("-", "") == "utf8"
