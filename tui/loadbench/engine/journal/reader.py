"""Read a growing journal, either completely or only the entries of one cell.

Lines are streamed, since the journal of a day-long run may not fit in a viewer's memory.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from loadbench.engine.bounds.parsing import BadInputError
from loadbench.engine.files import Tail
from loadbench.engine.journal.codec import (
    CELL_ENDED_PREFIXES,
    CELL_STARTED_PREFIX,
    COMMAND_PREFIX,
    FILE_NAME,
    HEAD_BYTES,
    NEXT_CELL_PREFIXES,
    RUN_PREFIXES,
    RUN_RESUMED_PREFIX,
    RUN_STARTED_PREFIX,
    SAMPLE_PREFIX,
    Entry,
    cell_marker,
    decode,
)
from loadbench.engine.journal.events import CommandAnswered, RunResumed
from loadbench.errors import JournalError


class JournalReader:
    """Read a journal and follow it as it grows.

    Args:
        folder: The run's folder.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME
        self.has_dropped_samples = False
        """Whether `max_samples` has dropped samples of the current cell so far."""
        self.line_number = 0
        """Number of the line that was read last, from 1."""
        self._tail = Tail(self.path)

    def lines(self) -> Iterator[bytes]:
        """Yield the lines completed since the last call.

        Raises:
            JournalError: The journal cannot be read.
        """
        for line in self._lines(self._tail):
            self.line_number += 1
            yield line

    def poll(self) -> list[Entry]:
        """Return the entries completed since the last call.

        Drops the samples of cells that have already ended, so that catching up with a long run is
        quick. Skips damaged lines, and lines and fields that this version does not know.

        Raises:
            JournalError: The journal cannot be read, or its major version is not supported.
        """
        return list(self.decode_all(self.wanted()))

    def wanted(self, *, max_samples: int | None = None, min_lines: int = 0) -> Iterator[bytes]:
        """Yield the lines whose entries `poll` would return.

        Args:
            max_samples: Maximum number of newest samples to keep. None keeps all samples of the
                current cell.
            min_lines: Minimum number of new lines for `max_samples` to apply.

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
        dropped = old_samples
        if max_samples is not None and lines - old_samples >= min_lines:
            dropped = max(old_samples, samples - max_samples)
        self.has_dropped_samples |= dropped > old_samples
        for line in islice(self.lines(), lines):
            if dropped and line.startswith(SAMPLE_PREFIX):
                dropped -= 1
            elif line:
                yield line

    def decode_all(self, lines: Iterable[bytes]) -> Iterator[Entry]:
        """Yield the entries of complete lines. Skip lines that are damaged or unknown.

        Raises:
            JournalError: The major version is not supported.
        """
        for line in lines:
            with suppress(BadInputError):
                if entry := self.decode(line):
                    yield entry

    def decode(self, line: bytes) -> Entry | None:
        """Decode a complete line. Return None if this version does not know it.

        Raises:
            BadInputError: The line is damaged.
            JournalError: The major version is not supported.
        """
        return decode(line, self.path)

    def _lines(self, tail: Tail) -> Iterator[bytes]:
        try:
            yield from tail.lines()
        except OSError as error:
            raise JournalError(
                f"{self.path}: cannot be read: {error.strerror}. Restore the file, or move the "
                "folder of the run out of the reports"
            ) from error


def read_attempt(folder: Path, cell: str) -> Iterator[Entry]:
    """Yield a run's first entry and the entries of a cell's latest attempt.

    Excludes the entry that ends the attempt, so the fold of these entries is the state of the run
    just before that end, including samples. Includes earlier answers to commands
    and resumptions that added cells, so that these cells are known.

    Args:
        folder: The run's folder.
        cell: The key of the cell.

    Raises:
        JournalError: The journal cannot be read, or its major version is not supported.
    """
    begin, attempt = _find_attempt(folder, cell)
    if begin is None:
        return
    reader = JournalReader(folder)
    for number, line in enumerate(islice(reader.lines(), max(begin + 1, attempt.stop))):
        is_earlier = number < attempt.start
        may_add_cells = is_earlier and line.startswith((COMMAND_PREFIX, RUN_RESUMED_PREFIX))
        if number == begin or number in attempt:
            yield from reader.decode_all([line])
        elif may_add_cells:
            for entry in reader.decode_all([line]):
                if isinstance(entry.event, CommandAnswered | RunResumed) and entry.event.added:
                    yield entry


def _find_attempt(folder: Path, cell: str) -> tuple[int | None, range]:
    """Return the line numbers of a run's first event and of a cell's latest attempt."""
    begin: int | None = None
    attempt, is_inside = range(0), False
    marker = cell_marker(cell)
    for number, line in enumerate(JournalReader(folder).lines()):
        if line.startswith(RUN_STARTED_PREFIX) and begin is None:
            begin = number
        elif line.startswith(CELL_STARTED_PREFIX):
            is_inside = marker in line[:HEAD_BYTES]
            if is_inside:
                attempt = range(number, number)
        elif line.startswith(RUN_PREFIXES) or (
            line.startswith(CELL_ENDED_PREFIXES) and marker in line[:HEAD_BYTES]
        ):
            is_inside = False
        if is_inside:
            attempt = range(attempt.start, number + 1)
    return begin, attempt


def read_attempt_ends(folder: Path, cell: str) -> Iterator[Entry]:
    """Yield the entries that ended attempts of a cell, oldest first.

    An interrupted attempt has no such entry.

    Args:
        folder: The run's folder.
        cell: The key of the cell.

    Raises:
        JournalError: The journal cannot be read.
    """
    reader = JournalReader(folder)
    marker = cell_marker(cell)
    ends = (line for line in reader.lines() if line.startswith(CELL_ENDED_PREFIXES))
    return reader.decode_all(line for line in ends if marker in line[:HEAD_BYTES])
