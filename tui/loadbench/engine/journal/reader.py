"""Reading a journal as it grows, all of it or the part of one cell.

Lines are streamed, since the journal of a day is larger than what a viewer may hold in memory.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from loadbench.engine.files import Tail
from loadbench.engine.journal.codec import (
    BEGIN_PREFIX,
    COMMAND_PREFIX,
    FILE_NAME,
    HEAD_BYTES,
    NEXT_CELL_PREFIXES,
    OVER_PREFIXES,
    RUN_PREFIXES,
    SAMPLE_PREFIX,
    START_PREFIX,
    Entry,
    decode,
    mark_of,
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
        self.has_left_out = False
        """Whether `max_samples` has left out samples of the current cell so far."""
        self._tail = Tail(self.path)

    def lines(self) -> Iterator[bytes]:
        """Yield the whole lines that were completed since the last call.

        Raises:
            JournalError: The journal cannot be read.
        """
        return self._lines(self._tail)

    def poll(self) -> list[Entry]:
        """Return the entries that were completed since the last call.

        Samples of cells that are over in what is read are left out, so that catching up with a
        long run is quick. Lines and fields that this version does not know are skipped.

        Raises:
            JournalError: The journal cannot be read, or its major version is not ours.
        """
        return list(self.decode_all(self.wanted()))

    def wanted(self, *, max_samples: int | None = None, from_lines: int = 0) -> Iterator[bytes]:
        """Yield the lines that `poll` would return the entries of.

        Args:
            max_samples: How many of the newest samples are kept; None: all of the current cell.
            from_lines: `max_samples` applies only where at least so many lines are read at once.

        Raises:
            JournalError: The journal cannot be read.
        """
        lines = samples = old_samples = 0
        for line in self._lines(Tail(self.path, offset=self._tail.offset)):
            lines += 1
            if line.startswith(SAMPLE_PREFIX):
                samples += 1
            elif line.startswith(NEXT_CELL_PREFIXES):
                old_samples = samples
        left_out = old_samples
        if max_samples is not None and lines - old_samples >= from_lines:
            left_out = max(old_samples, samples - max_samples)
        self.has_left_out |= left_out > old_samples
        for line in islice(self.lines(), lines):
            if left_out and line.startswith(SAMPLE_PREFIX):
                left_out -= 1
            elif line:
                yield line

    def decode_all(self, lines: Iterable[bytes]) -> Iterator[Entry]:
        """Yield the entries of whole lines; those that this version does not know are skipped.

        Raises:
            JournalError: The journal's major version is not ours.
        """
        return (entry for line in lines if (entry := self.decode(line)))

    def decode(self, line: bytes) -> Entry | None:
        """Return the entry of a whole line; None: it is not one that this version knows.

        Raises:
            JournalError: The journal's major version is not ours, or its first line is broken.
        """
        return decode(line, self.path)

    def _lines(self, tail: Tail) -> Iterator[bytes]:
        try:
            yield from tail.lines()
        except OSError as error:
            raise JournalError(f"{self.path}: {error.strerror}") from error


def read_attempt(folder: Path, cell: str) -> Iterator[Entry]:
    """Yield a run's first entry and those of the latest attempt of a cell, up to what ended it.

    Between these are the answers that added cells before it, so that the cell is known. Their fold
    is the state of the run as it was when that attempt was at its end, samples included.

    Args:
        folder: The run's folder.
        cell: The key of the cell.

    Raises:
        JournalError: The journal cannot be read, or its major version is not ours.
    """
    begin, attempt = _find_attempt(folder, cell)
    if begin is None:
        return
    reader = JournalReader(folder)
    for number, line in enumerate(islice(reader.lines(), max(begin + 1, attempt.stop))):
        if number == begin or number in attempt:
            if entry := reader.decode(line):
                yield entry
        elif number < attempt.start and line.startswith(COMMAND_PREFIX):
            answer = reader.decode(line)
            if answer and isinstance(answer.event, CommandAnswered) and answer.event.added:
                yield answer


def _find_attempt(folder: Path, cell: str) -> tuple[int | None, range]:
    """Return the numbers of the line that begins a run and of those of a cell's latest attempt."""
    begin: int | None = None
    attempt, is_inside = range(0), False
    mark = mark_of(cell)
    for number, line in enumerate(JournalReader(folder).lines()):
        if line.startswith(BEGIN_PREFIX):
            begin = number
        elif line.startswith(START_PREFIX):
            is_inside = mark in line[:HEAD_BYTES]
            if is_inside:
                attempt = range(number, number)
        elif line.startswith(RUN_PREFIXES) or (
            line.startswith(OVER_PREFIXES) and mark in line[:HEAD_BYTES]
        ):
            is_inside = False
        if is_inside:
            attempt = range(attempt.start, number + 1)
    return begin, attempt


def read_ends(folder: Path, cell: str) -> Iterator[Entry]:
    """Yield the entries that ended attempts of a cell, oldest first.

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
