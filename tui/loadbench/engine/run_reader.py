"""Reading a run from its folder: the only loop over its lock, its journal, the fold and its status.

Viewers follow a run with `RunReader`; whoever looks once takes `read_run`. Neither formats
anything.
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from loadbench.engine.journal.codec import FILE_NAME, Entry
from loadbench.engine.journal.events import CellFinished
from loadbench.engine.journal.lock import is_held
from loadbench.engine.journal.reader import JournalReader
from loadbench.engine.journal.state import EMPTY, CellStatus, RunState
from loadbench.engine.report.verdicts import with_rule_ids
from loadbench.errors import JournalError

_LINES_A_BREATH = 50
Stamp = tuple[int, int]
"""Size in bytes and time of the last change in ns."""


class RunStatus(StrEnum):
    """How a run stands; derived from its journal and the journal's lock, never stored."""

    LIVE = "live"
    INTERRUPTED = "interrupted"
    DONE = "done"
    STOPPED = "stopped"
    ABORTED = "aborted"


@dataclass(frozen=True, slots=True)
class Run:
    """A run, read from its folder."""

    folder: Path
    state: RunState
    status: RunStatus
    is_held: bool = False
    """A runner holds the journal; it may for a moment after the run has finished."""

    @property
    def name(self) -> str:
        """What a user calls it: `with_cpu/20261122-0721`."""
        return f"{self.folder.parent.name}/{self.folder.name}"


@dataclass(frozen=True, slots=True)
class Rest:
    """What going on with a run would measure."""

    cells: int
    retry_failed: bool
    """These are its failed cells, since all others are over."""


def rest_of(run: Run) -> Rest | None:
    """Return what is left of a run that has ended; None: nothing is, or it is live."""
    if run.status is RunStatus.LIVE:
        return None
    if run.state.outstanding:
        return Rest(len(run.state.outstanding), retry_failed=False)
    failed = run.state.count(CellStatus.FAILED)
    return Rest(failed, retry_failed=True) if failed else None


def report_of(run: Run, cell: str) -> Path | None:
    """Return Locust's report of a cell; None: there is none, or it is of an attempt before."""
    state = run.state.cells[cell]
    path = run.folder / state.cell.report_name
    return path if state.status is CellStatus.FINISHED and path.is_file() else None


class RunReader:
    """Reads a run, and goes on reading as its journal grows.

    Args:
        folder: The run's folder.
        max_samples: How many of the newest samples of what is read at once are kept; None: all
            of the current cell.
        from_lines: Samples are left out only where at least so many lines are read at once.
        on_entry: Called with every new entry, in order, and the state of the run after it.
        breathe: Called every so many lines, to leave the processor to others. What it raises ends
            the reading; the reader is of no use then.
    """

    def __init__(
        self,
        folder: Path,
        *,
        max_samples: int | None = None,
        from_lines: int = 0,
        on_entry: Callable[[Entry, RunState], object] = lambda _entry, _state: None,
        breathe: Callable[[], object] = lambda: None,
    ) -> None:
        self._folder = folder
        self._max_samples = max_samples
        self._from_lines = from_lines
        self._on_entry = on_entry
        self._breathe = breathe
        self._reader = JournalReader(folder)
        self._state = EMPTY
        self._stamp: Stamp | None = None

    def poll(self) -> Run:
        """Read what was added since the last call, and return the run as it is now.

        Raises:
            JournalError: The journal cannot be read, or no run was started in it.
        """
        # Asked before reading: what was written before the lock fell free is then read.
        held = is_held(self._folder)
        for number, line in enumerate(self._new_lines()):
            if not number % _LINES_A_BREATH:
                self._breathe()
            if entry := self._reader.decode(line):
                self._take(entry)
        if self._state.started is None:
            raise JournalError(f"{self._folder / FILE_NAME}: no run was started in it")
        return Run(self._folder, self._state, status_of(self._state, held=held), held)

    @property
    def has_left_out(self) -> bool:
        """Whether samples of the current cell were left out so far."""
        return self._reader.has_left_out

    def _new_lines(self) -> Iterator[bytes]:
        stamp = journal_stamp(self._folder)
        if stamp is not None and stamp == self._stamp:
            return
        yield from self._reader.wanted(max_samples=self._max_samples, from_lines=self._from_lines)
        self._stamp = stamp

    def _take(self, entry: Entry) -> None:
        if isinstance(entry.event, CellFinished):
            entry = replace(entry, event=with_rule_ids(self._state, entry.event))
        self._state = self._state.apply(entry)
        self._on_entry(entry, self._state)


def read_run(folder: Path) -> Run:
    """Read a run once.

    Raises:
        JournalError: There is no readable journal in the folder.
    """
    return RunReader(folder).poll()


def journal_stamp(folder: Path) -> Stamp | None:
    """Return what changes whenever a run's journal does; None: there is no journal to be seen."""
    try:
        found = (folder / FILE_NAME).stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def status_of(state: RunState, *, held: bool) -> RunStatus:
    """Return a run's status from its state and whether its journal is locked."""
    if state.finished:
        return RunStatus(state.finished.result.value)
    return RunStatus.LIVE if held else RunStatus.INTERRUPTED


def signal_runner(run: Run, number: signal.Signals) -> None:
    """Send a signal to the runner of a run, if it is live."""
    # While the lock is held the process id is the runner's and nobody else's.
    if run.state.pid and is_held(run.folder):
        with suppress(ProcessLookupError):
            os.kill(run.state.pid, number)
