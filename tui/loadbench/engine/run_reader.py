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
from functools import cached_property
from pathlib import Path

from loadbench.engine.journal.codec import FILE_NAME, Entry
from loadbench.engine.journal.events import CellFinished
from loadbench.engine.journal.lock import is_held
from loadbench.engine.journal.reader import JournalReader
from loadbench.engine.journal.state import EMPTY, CellStatus, RunState
from loadbench.engine.report.rows import Row, rows
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


@dataclass(frozen=True)  # without slots, which leave no room for cached properties
class Run:
    """A run, read from its folder."""

    folder: Path
    state: RunState
    status: RunStatus
    is_held: bool = False
    """A runner holds the journal; it may for a moment after the run has finished."""
    reports: frozenset[str] = frozenset()
    """File names of the Locust reports of finished cells that exist in the folder."""

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """A row for every cell, in the order of the plan.

        A list of runs is redrawn often, but `RunReader` returns another `Run` only after a change.
        """
        return rows(self.state)

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
    """Return the path of Locust's report of a cell; None: no report of its latest attempt."""
    state = run.state.cells[cell]
    name = state.cell.report_name
    found = state.status is CellStatus.FINISHED and name in run.reports
    return run.folder / name if found else None


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
        self._run: Run | None = None
        self._cells = EMPTY.cells
        self._expected: frozenset[str] = frozenset()
        self._reports: frozenset[str] = frozenset()
        self._folder_stamp: int | None = None

    def poll(self) -> Run:
        """Read what was added since the last call, and return the run as it is now.

        The same object is returned until the state, the lock or the reports change.

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
        reports, run = self._find_reports(), self._run
        if (
            run is None
            or run.state is not self._state
            or (run.is_held, run.reports) != (held, reports)
        ):
            status = status_of(self._state, held=held)
            run = self._run = Run(self._folder, self._state, status, held, reports)
        return run

    def _find_reports(self) -> frozenset[str]:
        """Return which reports of finished cells exist; look again if that may have changed."""
        if self._cells is not self._state.cells:
            self._cells = self._state.cells
            finished = (it for it in self._cells.values() if it.status is CellStatus.FINISHED)
            self._expected = frozenset(it.cell.report_name for it in finished)
        stamp = _folder_stamp(self._folder)
        # Two changes within one tick of the file system's clock leave the stamp as it was, so a
        # missing report is looked for in any case.
        if stamp != self._folder_stamp or self._reports != self._expected:
            self._folder_stamp = stamp
            self._reports = self._expected & _file_names(self._folder)
        return self._reports

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


def _folder_stamp(folder: Path) -> int | None:
    """Return what changes when a file is added or removed; None: no such folder."""
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return None


def _file_names(folder: Path) -> frozenset[str]:
    """Return the names of the files in a folder; none if it cannot be read."""
    try:
        with os.scandir(folder) as found:
            return frozenset(it.name for it in found if it.is_file())
    except OSError:
        return frozenset()


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
