"""Commands from viewers to the runner, appended to `commands.jsonl`.

Any program can write this file, so the runner bounds and cleans what it reads, and no invalid line
of it can end the run.
"""

import errno
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import uuid4

from loadbench.engine.bounds.files import open_regular
from loadbench.engine.bounds.parsing import BadInputError, parse_json
from loadbench.engine.files import Tail, utc_now
from loadbench.engine.hardware.values import clean_text
from loadbench.errors import JournalError

FILE_NAME = "commands.jsonl"
MAX_LINE_BYTES = 1_000_000
"""Maximum length of a command in bytes. Longer lines are invalid."""
MAX_LINES = 100
"""Maximum number of lines that `CommandReader.poll` reads."""
MAX_FILE_LINES = 10_000
MAX_FILE_BYTES = 100_000_000
"""A file with this many lines or bytes is full: it is not read any further."""
_FULL = f"has {MAX_FILE_LINES} lines or {MAX_FILE_BYTES / 1e6:g} MB, so it is not read any further"
_POLL_BYTES = 4_000_000
NAMES = ("pause", "resume", "skip", "again", "add", "label", "stop")


@dataclass(frozen=True, slots=True)
class Command:
    """A command sent by a viewer."""

    id: str
    at: str
    command: str
    cell: str | None = None
    """Key of the cell that the command applies to. None for the current cell, or for no cell."""
    args: Any = None
    """Further arguments, as parsed from JSON. None if there are no arguments."""


def send_command(
    folder: Path,
    command: str,
    *,
    cell: str | None = None,
    args: Mapping[str, Any] | None = None,
    identity: str | None = None,
) -> str:
    """Send a command to the runner of a run.

    Args:
        folder: The run's folder.
        command: One of `NAMES`.
        cell: The key of a cell, for `skip` and `again`.
        args: The fields of a `Point`, for `add`; the `text`, for `label`.
        identity: The id of the command, from `new_identity`. If None, a new one is created.

    Returns:
        The id of the command, which is repeated in its answer in the journal.

    Raises:
        JournalError: The file cannot be written, it is full, or it is a folder or a device.
    """
    identity = identity or new_identity()
    fields: dict[str, Any] = {
        "id": identity,
        "at": utc_now(),
        "command": command,
    }
    if cell is not None:
        fields["cell"] = cell
    if args is not None:
        fields["args"] = dict(args)
    line = json.dumps(fields, separators=(",", ":")).encode() + b"\n"
    path = folder / FILE_NAME
    try:
        _append(path, line)
    except OSError as error:
        raise JournalError(
            f"cannot send the command {command!r} to the runner: {path}: "
            f"{error.strerror or error}. The runner reads commands only from this file"
        ) from error
    return identity


def new_identity() -> str:
    """Create a unique id for a command."""
    return str(uuid4())


def _append(path: Path, line: bytes) -> None:
    fd = open_regular(path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
    try:
        size = os.fstat(fd).st_size
        if _is_full(fd, size):
            raise OSError(errno.EFBIG, _FULL)
        # If another viewer died while writing, end its partial line first.
        is_torn = size and os.pread(fd, 1, size - 1) != b"\n"
        data = b"\n" + line if is_torn else line
        if os.write(fd, data) < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        os.close(fd)


def _is_full(fd: int, size: int) -> bool:
    if size >= MAX_FILE_BYTES:
        return True
    lines = 0
    for offset in range(0, size, _POLL_BYTES):
        lines += os.pread(fd, _POLL_BYTES, offset).count(b"\n")
    return lines >= MAX_FILE_LINES


class CommandReader:
    """Read the commands sent to a run as they arrive.

    Args:
        folder: The run's folder.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME
        self.invalid_lines = 0
        """Number of lines that are no commands so far."""
        self.problem = ""
        """Why the file cannot be read now. Empty if it can, or if it does not exist."""
        self.has_more = True
        """Whether there may be more lines to read now."""
        self._open()

    def poll(self) -> list[Command]:
        """Return commands that arrived since the last call, at most `MAX_LINES`.

        Never raises an error: a run must not depend on this file.
        """
        self.has_more, self.problem = False, ""
        lines: list[bytes] = []
        try:
            if self._tail.unread_bytes() < 0:
                # The file was replaced. Commands that were answered are known by their ids.
                self._open()
            begin = self._tail.offset
            if self._lines >= MAX_FILE_LINES or begin >= MAX_FILE_BYTES:
                self.problem = _FULL
                return []
            lines = list(islice(self._tail.lines(_POLL_BYTES), MAX_LINES))
            self.has_more = len(lines) == MAX_LINES or self._tail.offset - begin >= _POLL_BYTES
        except FileNotFoundError:
            pass
        except OSError as error:
            self.problem = error.strerror or str(error)
        self._lines += len(lines)
        commands = [_decode(line) for line in lines if line]
        self.invalid_lines += commands.count(None)
        return [command for command in commands if command]

    def _open(self) -> None:
        """Start at the beginning of the file."""
        self._tail = Tail(self.path, max_line_bytes=MAX_LINE_BYTES)
        self._lines = 0
        """Number of lines read."""


def _decode(line: bytes) -> Command | None:
    """Return the command in a line, or None if there is none."""
    try:
        fields = parse_json(line, max_bytes=MAX_LINE_BYTES)
    except BadInputError:
        return None
    if not isinstance(fields, dict):
        return None
    identity, command, cell = (_text(fields.get(name)) for name in ("id", "command", "cell"))
    if identity is None or command is None:
        return None
    at = clean_text(fields.get("at")) or ""
    return Command(id=identity, at=at, command=command, cell=cell, args=fields.get("args"))


def _text(value: object) -> str | None:
    """Return a text or a number as a short printable text, or None for other values."""
    return clean_text(str(value) if isinstance(value, int | float) else value)
