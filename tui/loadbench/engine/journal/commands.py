"""Commands from viewers to the runner, appended to `commands.jsonl`."""

import errno
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from loadbench.engine.files import Tail, convert_os_errors, utc_now

FILE_NAME = "commands.jsonl"
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
        JournalError: The file cannot be written.
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
    with convert_os_errors(folder / FILE_NAME):
        _append(folder / FILE_NAME, line)
    return identity


def new_identity() -> str:
    """Create a unique id for a command."""
    return str(uuid4())


def _append(path: Path, line: bytes) -> None:
    fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        size = os.fstat(fd).st_size
        # If another viewer died while writing, end its partial line first.
        is_torn = size and os.pread(fd, 1, size - 1) != b"\n"
        data = b"\n" + line if is_torn else line
        if os.write(fd, data) < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        os.close(fd)


class CommandReader:
    """Read the commands sent to a run as they arrive.

    Args:
        folder: The run's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._tail = Tail(folder / FILE_NAME)

    def poll(self) -> list[Command]:
        """Return the commands that arrived since the last call. Skip invalid lines."""
        try:
            lines = self._tail.poll()
        except FileNotFoundError:
            return []
        return [command for line in lines if (command := _decode(line))]


def _decode(line: bytes) -> Command | None:
    try:
        fields = json.loads(line)
        cell = fields.get("cell")
        return Command(
            id=str(fields["id"]),
            at=str(fields.get("at", "")),
            command=str(fields["command"]),
            cell=None if cell is None else str(cell),
            args=fields.get("args"),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
