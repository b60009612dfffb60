"""The file that a run is written to: one JSON object a line, append-only, locked by its writer.

This module alone knows JSON lines, the lock and the order of the fields.
"""

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError

from loadbench.engine.events import (
    CellFailed,
    CellFinished,
    CellSkipped,
    CellStarted,
    CommandAnswered,
    Event,
    RunFinished,
    RunResumed,
    RunStarted,
    Sample,
)
from loadbench.engine.files import Tail, named_os_errors, utc_now
from loadbench.errors import DiskFullError, JournalError

VERSION = 1
FILE_NAME = "journal.jsonl"
RESERVE_NAME = ".reserve"
RESERVE_BYTES = 64 * 1024

_ADAPTERS: dict[str, TypeAdapter[Any]] = {kind.type: TypeAdapter(kind) for kind in get_args(Event)}
_DURABLE = (CellFinished, CellFailed, CellSkipped, RunStarted, RunFinished)
_BEGIN_PREFIX = f'{{"type":"{RunStarted.type}"'.encode()
_SAMPLE_PREFIX = f'{{"type":"{Sample.type}"'.encode()
_COMMAND_PREFIX = f'{{"type":"{CommandAnswered.type}"'.encode()
_START_PREFIX = f'{{"type":"{CellStarted.type}"'.encode()
_OVER_PREFIXES = tuple(
    f'{{"type":"{kind.type}"'.encode() for kind in (CellFinished, CellFailed, CellSkipped)
)
_RUN_PREFIXES = tuple(f'{{"type":"{kind.type}"'.encode() for kind in (RunResumed, RunFinished))
_HEAD_BYTES = 160
"""Type, number, times and the cell are within these of every line."""
_NEXT_CELL_PREFIXES = tuple(
    f'{{"type":"{kind.type}"'.encode() for kind in (CellStarted, CellFinished, CellFailed)
)
"""A skipped cell need not be the one that is being measured, so that is none of them."""

_LOCK_TRIES_S = 1.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a journal."""

    seq: int
    at: str
    """UTC, ISO 8601, with milliseconds."""
    elapsed_s: float
    """Monotonic seconds since the run was started or resumed."""
    event: Event


class JournalWriter:
    """Appends entries to a journal that it holds the lock of.

    Args:
        folder: The run's folder; it must exist.
        clock: Monotonic seconds.

    Raises:
        JournalError: Somebody else writes it, or it cannot be opened.
        DiskFullError: There is no space even to begin.
    """

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._folder = folder
        self.path = folder / FILE_NAME
        try:
            self._fd = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        except OSError as error:
            raise JournalError(f"{self.path}: {error.strerror}") from error
        try:
            self._lock()
            self._truncate_torn_line()
            self._seq = _count_lines(self._fd)
            self._keep_reserve()
        except BaseException:
            os.close(self._fd)
            raise
        self._origin = clock()

    def append(self, event: Event) -> Entry:
        """Write one event and return it as readers will see it.

        Raises:
            DiskFullError: No space is left; what was written of the line is taken back.
            JournalError: The file cannot be written for another reason.
        """
        entry = Entry(self._seq + 1, utc_now(), round(self._clock() - self._origin, 3), event)
        self._write(_encode(entry))
        self._seq = entry.seq
        if isinstance(event, _DURABLE):
            with named_os_errors(self._folder):
                os.fsync(self._fd)
        return entry

    def moved_to(self, folder: Path) -> None:
        """Note that the folder was renamed; the open journal went with it."""
        self._folder, self.path = folder, folder / FILE_NAME

    def release_reserve(self) -> None:
        """Give back the space that was kept for saying that there is none."""
        (self._folder / RESERVE_NAME).unlink(missing_ok=True)

    def close(self) -> None:
        """Release the lock; the journal is then finished or interrupted, whatever its last line."""
        with suppress(OSError):
            self.release_reserve()
        os.close(self._fd)

    def _write(self, line: bytes) -> None:
        before = os.fstat(self._fd).st_size
        with named_os_errors(self._folder):
            written = os.write(self._fd, line)
        if written < len(line):
            os.ftruncate(self._fd, before)
            raise DiskFullError(f"{self._folder}: no space left on the disk")

    def _lock(self) -> None:
        deadline = time.monotonic() + _LOCK_TRIES_S
        while True:
            try:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                # A viewer that probes holds a shared lock for an instant.
                if time.monotonic() > deadline:
                    raise JournalError(f"{self._folder}: another runner is at this run") from None
                time.sleep(0.02)
            else:
                return

    def _truncate_torn_line(self) -> None:
        size = os.fstat(self._fd).st_size
        while size:
            start = max(0, size - 65536)
            newline = os.pread(self._fd, size - start, start).rfind(b"\n")
            if newline >= 0:
                os.ftruncate(self._fd, start + newline + 1)
                return
            size = start
        os.ftruncate(self._fd, 0)

    def _keep_reserve(self) -> None:
        with named_os_errors(self._folder):
            try:
                (self._folder / RESERVE_NAME).write_bytes(b"\0" * RESERVE_BYTES)
            except OSError:
                self.release_reserve()
                raise


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
        return list(_without_old_samples(self.lines()))

    def decode_all(self, lines: Iterable[bytes]) -> list[Entry]:
        """Return the entries of whole lines; those that this version does not know are skipped.

        Raises:
            JournalError: The journal's major version is not ours.
        """
        return [entry for line in lines if (entry := self.decode(line))]

    def decode(self, line: bytes) -> Entry | None:
        """Return the entry of a whole line; None: it is not one that this version knows."""
        try:
            fields = json.loads(line)
            kind = fields["type"]
            if kind == RunStarted.type and fields["v"] != VERSION:
                raise JournalError(
                    f"{self.path}: format version {fields['v']}, this program reads {VERSION}; "
                    "use the loadbench-tui that wrote it, or a newer one"
                )
            event = _ADAPTERS[kind].validate_python(fields)
            return Entry(fields["seq"], fields["at"], fields["elapsed_s"], event)
        except (ValueError, KeyError, TypeError, ValidationError) as error:
            if line.startswith(_BEGIN_PREFIX):
                raise JournalError(f"{self.path}: its first line cannot be read") from error
            return None


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
    mark = _mark(cell)
    for line in reader.lines():
        if line.startswith(_COMMAND_PREFIX):
            commands.append(line)
        if line.startswith(_BEGIN_PREFIX):
            begun = line
        elif line.startswith(_START_PREFIX):
            inside = mark in line[:_HEAD_BYTES]
            if inside:
                before, attempt = list(commands), [line]
        elif line.startswith(_RUN_PREFIXES) or (
            line.startswith(_OVER_PREFIXES) and mark in line[:_HEAD_BYTES]
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
    mark = _mark(cell)
    ends = (it for it in reader.lines() if it.startswith(_OVER_PREFIXES))
    return reader.decode_all(it for it in ends if mark in it[:_HEAD_BYTES])


def without_samples(lines: Sequence[bytes], *, but_last: int) -> list[bytes]:
    """Return the lines without samples, except so many of the last ones."""
    samples = [i for i, line in enumerate(lines) if line.startswith(_SAMPLE_PREFIX)]
    dropped = set(samples[: max(0, len(samples) - but_last)])
    return [line for i, line in enumerate(lines) if i not in dropped]


def is_held(folder: Path) -> bool:
    """Return whether a runner holds the lock of the journal in this folder."""
    try:
        fd = os.open(folder / FILE_NAME, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def _mark(cell: str) -> bytes:
    """Return what the head of each entry of a cell has in it."""
    return f'"cell":{json.dumps(cell)}'.encode()


def _encode(entry: Entry) -> bytes:
    fields = {
        "type": entry.event.type,
        "seq": entry.seq,
        "at": entry.at,
        "elapsed_s": entry.elapsed_s,
        **_ADAPTERS[entry.event.type].dump_python(entry.event, mode="json"),
    }
    text = json.dumps(fields, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "replace") + b"\n"


def _without_old_samples(lines: list[bytes]) -> Iterator[bytes]:
    nexts = (i for i in reversed(range(len(lines))) if lines[i].startswith(_NEXT_CELL_PREFIXES))
    last_next = next(nexts, -1)
    for i, line in enumerate(lines):
        if line and (i > last_next or not line.startswith(_SAMPLE_PREFIX)):
            yield line


def _count_lines(fd: int) -> int:
    count, offset = 0, 0
    while chunk := os.pread(fd, 1 << 20, offset):
        count += chunk.count(b"\n")
        offset += len(chunk)
    return count
