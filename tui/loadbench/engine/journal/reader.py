"""Reading a journal as it grows, all of it or the part of one cell."""

from collections.abc import Iterable
from pathlib import Path

from loadbench.engine.files import Tail
from loadbench.engine.journal.codec import (
    BEGIN_PREFIX,
    COMMAND_PREFIX,
    FILE_NAME,
    HEAD_BYTES,
    OVER_PREFIXES,
    RUN_PREFIXES,
    START_PREFIX,
    Entry,
    decode,
    mark_of,
    without_old_samples,
)
from loadbench.engine.journal.events import CommandAnswered
from loadbench.errors import JournalError


class JournalReader:
    """Reads a journal, and goes on reading as it grows.

    Args:
        folder: The run's folder.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME
        self._tail = Tail(self.path)

    def lines(self) -> list[bytes]:
        """Return the whole lines that were completed since the last call.

        Raises:
            JournalError: The journal cannot be read.
        """
        try:
            return self._tail.poll()
        except OSError as error:
            raise JournalError(f"{self.path}: {error.strerror}") from error

    def poll(self) -> list[Entry]:
        """Return the entries that were completed since the last call.

        Samples of cells that are over in what is read are left out, so that catching up with a
        long run is quick. Lines and fields that this version does not know are skipped.

        Raises:
            JournalError: The journal cannot be read, or its major version is not ours.
        """
        return self.decode_all(self.wanted())

    def wanted(self) -> list[bytes]:
        """Return the lines that `poll` would have returned the entries of.

        Raises:
            JournalError: The journal cannot be read.
        """
        return list(without_old_samples(self.lines()))

    def decode_all(self, lines: Iterable[bytes]) -> list[Entry]:
        """Return the entries of whole lines; those that this version does not know are skipped.

        Raises:
            JournalError: The journal's major version is not ours.
        """
        return [entry for line in lines if (entry := self.decode(line))]

    def decode(self, line: bytes) -> Entry | None:
        """Return the entry of a whole line; None: it is not one that this version knows.

        Raises:
            JournalError: The journal's major version is not ours, or its first line is broken.
        """
        return decode(line, self.path)


def read_attempt(folder: Path, cell: str) -> list[Entry]:
    """Return a run's first entry and those of the latest attempt of a cell, up to what ended it.

    Between these are the answers that added cells before it, so that the cell is known. Their fold
    is the state of the run as it was when that attempt was at its end, samples included.

    Args:
        folder: The run's folder.
        cell: The key of the cell.

    Raises:
        JournalError: The journal cannot be read, or its major version is not ours.
    """
    reader = JournalReader(folder)
    begun: bytes | None = None
    commands: list[bytes] = []
    before: list[bytes] = []
    attempt: list[bytes] = []
    inside = False
    mark = mark_of(cell)
    for line in reader.lines():
        if line.startswith(COMMAND_PREFIX):
            commands.append(line)
        if line.startswith(BEGIN_PREFIX):
            begun = line
        elif line.startswith(START_PREFIX):
            inside = mark in line[:HEAD_BYTES]
            if inside:
                before, attempt = list(commands), [line]
        elif line.startswith(RUN_PREFIXES) or (
            line.startswith(OVER_PREFIXES) and mark in line[:HEAD_BYTES]
        ):
            inside = False
        elif inside:
            attempt.append(line)
    if begun is None:
        return []
    answers = [(it, it.event) for it in reader.decode_all(before)]
    added = [it for it, event in answers if isinstance(event, CommandAnswered) and event.added]
    return [*reader.decode_all([begun]), *added, *reader.decode_all(attempt)]


def read_ends(folder: Path, cell: str) -> list[Entry]:
    """Return the entries that ended attempts of a cell, oldest first.

    An attempt that was interrupted has none.

    Args:
        folder: The run's folder.
        cell: The key of the cell.

    Raises:
        JournalError: The journal cannot be read.
    """
    reader = JournalReader(folder)
    mark = mark_of(cell)
    ends = (it for it in reader.lines() if it.startswith(OVER_PREFIXES))
    return reader.decode_all(it for it in ends if mark in it[:HEAD_BYTES])
