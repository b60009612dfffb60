"""Read a run from its folder: lock, journal, fold and status in one place.

Viewers follow a run with `RunReader`; `read_run` reads it once. Neither formats anything.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from itertools import islice
from pathlib import Path
from types import MappingProxyType

from loadbench.engine.bounds.parsing import BadInputError
from loadbench.engine.hardware.values import clean_text
from loadbench.engine.journal.codec import FILE_NAME, Entry
from loadbench.engine.journal.events import CellFinished, Note, RunFinished, SearchEnded
from loadbench.engine.journal.lock import is_held
from loadbench.engine.journal.reader import JournalReader
from loadbench.engine.journal.state import EMPTY, CellStatus, RunState
from loadbench.engine.journal.timing.durations import Durations, comparable, durations_of
from loadbench.engine.profile.model import Profile
from loadbench.engine.report.recommendation.recommend import Recommendation, recommendation_of
from loadbench.engine.report.rows import Row, RowCache
from loadbench.engine.report.verdicts import with_rule_ids
from loadbench.engine.search.continuation import is_searching
from loadbench.errors import JournalError

_LINES_PER_YIELD = 50
_MAX_DAMAGE_NOTES = 3
"""Maximum number of damaged lines that are described. All of them are counted."""
_MAX_EARLIER_RUNS = 10
"""Maximum number of earlier runs to search for comparable ones."""
Stamp = tuple[int, int]
"""Size in bytes and modification time in ns."""


class RunStatus(StrEnum):
    """Status of a run, derived from its journal and the journal's lock, never stored."""

    LIVE = "live"
    INTERRUPTED = "interrupted"
    DONE = "done"
    STOPPED = "stopped"
    ABORTED = "aborted"


class Results:
    """Everything that is derived from the cells of a run, each computed once.

    A list of runs is redrawn often, and a live run is read every second, but its cells change only
    when one starts or ends. Until then, `RunReader` gives every `Run` the same results.

    Args:
        state: The state of the run.
        cache: The rows of the same run in an earlier state.
    """

    def __init__(self, state: RunState, cache: RowCache | None = None) -> None:
        self._state = state
        self._cache = cache or RowCache()

    def compute(self) -> None:
        """Compute everything now, in a thread other than that of the UI."""
        _ = self.rows, self.recommendation

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """One row per cell, in plan order."""
        return self._cache.rows(self._state)

    @cached_property
    def recommendation(self) -> Recommendation | None:
        """The recommendation, or None if this version cannot read the profile."""
        return recommendation_of(self._state)


@dataclass(frozen=True)  # no slots: cached properties need a __dict__
class Run:
    """A run as read from its folder."""

    folder: Path
    state: RunState
    status: RunStatus
    is_held: bool = False
    """Whether a runner holds the journal's lock. It may do so briefly after the run has ended."""
    reports: frozenset[str] = frozenset()
    """File names of the Locust reports of finished cells that exist in the folder."""

    shared: Results | None = field(default=None, compare=False, repr=False)
    """Results that other states with the same cells share. None if there are none."""

    @cached_property
    def results(self) -> Results:
        """Everything that is derived from the cells."""
        return self.shared or Results(self.state)

    @property
    def rows(self) -> tuple[Row, ...]:
        """One row per cell, in plan order."""
        return self.results.rows

    @property
    def recommendation(self) -> Recommendation | None:
        """The recommendation, or None if this version cannot read the profile."""
        return self.results.recommendation

    @property
    def was_killed(self) -> bool:
        """Whether its runner ended without recording the end of the run, and without clean-up."""
        return self.status is not RunStatus.LIVE and self.state.finished is None

    @property
    def name(self) -> str:
        """Name shown to users, such as `with_cpu/20261122-0721`."""
        return f"{self.folder.parent.name}/{self.folder.name}"


def expected_durations(
    profile: Profile,
    runs: Iterable[Run],
    driver: str | None = None,
    expected_of: Mapping[str, float] = MappingProxyType({}),
) -> Durations:
    """Return how long the cells of a profile take: the estimate that all views show.

    Uses the newest comparable runs that have ended, see `durations.comparable`.

    Args:
        profile: The profile.
        runs: Its runs, newest first. Consumed only as far as needed.
        driver: The driver that would run the profile. None if it is not known yet.
        expected_of: Expected length of automatic windows in seconds by cell, if it is known.
    """
    found = comparable(profile, ended_states(runs), driver)
    return durations_of(profile, found, expected_of)


def ended_states(runs: Iterable[Run]) -> Iterator[RunState]:
    """Yield the states of the newest runs that have ended, from which estimates are made."""
    ended = (run.state for run in runs if run.status is not RunStatus.LIVE)
    return islice(ended, _MAX_EARLIER_RUNS)


def report_path(run: Run, cell: str) -> Path | None:
    """Return the path of a cell's Locust report, or None if its latest attempt has none."""
    state = run.state.cells[cell]
    name = state.cell.report_name
    has_report = state.status is CellStatus.FINISHED and name in run.reports
    return run.folder / name if has_report else None


class RunReader:
    """Read a run and follow its journal as it grows.

    Damaged lines are skipped and counted in the state. The first ones are also reported as if the
    journal contained a note, so that all views show them.

    Args:
        folder: The run's folder.
        max_samples: Maximum number of newest samples to keep per poll. None keeps all samples of
            the current cell.
        min_lines: Minimum number of lines per poll for `max_samples` to apply.
        on_entry: Called with every new entry, in order, and the state of the run after it.
        yield_cpu: Called every 50 lines, to yield the CPU to other threads. An exception that it
            raises ends the poll; the reader must not be used afterwards.
    """

    def __init__(
        self,
        folder: Path,
        *,
        max_samples: int | None = None,
        min_lines: int = 0,
        on_entry: Callable[[Entry, RunState], object] = lambda _entry, _state: None,
        yield_cpu: Callable[[], object] = lambda: None,
    ) -> None:
        self._folder = folder
        self._max_samples = max_samples
        self._from_lines = min_lines
        self._on_entry = on_entry
        self._breathe = yield_cpu
        self._reader = JournalReader(folder)
        self._state = EMPTY
        self._newest: Entry | None = None
        self._damage = ""
        self._stamp: Stamp | None = None
        self._run: Run | None = None
        self._rows = RowCache()
        self._cells = EMPTY.cells
        self._expected: frozenset[str] = frozenset()
        self._reports: frozenset[str] = frozenset()
        self._folder_stamp: int | None = None

    def poll(self) -> Run:
        """Read the new journal entries and return the current state of the run.

        Returns the same object until the state, the lock or the reports change.

        Raises:
            JournalError: The journal cannot be read, or has no `run_started` event.
        """
        # Check the lock before reading, so that everything written before its release is read.
        held = is_held(self._folder)
        for number, line in enumerate(self._new_lines()):
            if not number % _LINES_PER_YIELD:
                self._breathe()
            if entry := self._take(line):
                self._on_entry(entry, self._state)
        if self._state.started is None:
            problem = self._damage or ": no run_started event found"
            raise JournalError(
                f"{self._folder / FILE_NAME}{problem}. Without this event the run cannot be read. "
                "Restore the file from a copy, or move the folder of the run out of the reports"
            )
        reports, run = self._find_reports(), self._run
        if (
            run is None
            or run.state is not self._state
            or (run.is_held, run.reports) != (held, reports)
        ):
            status = status_of(self._state, held=held)
            is_same = run is not None and _sources(run.state) == _sources(self._state)
            shared = run.results if run and is_same else Results(self._state, self._rows)
            run = self._run = Run(self._folder, self._state, status, held, reports, shared)
        return run

    def _find_reports(self) -> frozenset[str]:
        """Return the existing reports of finished cells. List the folder only if it has changed."""
        if self._cells is not self._state.cells:
            self._cells = self._state.cells
            finished = (
                state for state in self._cells.values() if state.status is CellStatus.FINISHED
            )
            self._expected = frozenset(state.cell.report_name for state in finished)
        stamp = _folder_stamp(self._folder)
        # Two changes within one tick of the file system's clock have the same stamp, so list
        # the folder again while a report is missing.
        if stamp != self._folder_stamp or self._reports != self._expected:
            self._folder_stamp = stamp
            self._reports = self._expected & _file_names(self._folder)
        return self._reports

    @property
    def has_dropped_samples(self) -> bool:
        """Whether samples of the current cell have been dropped so far."""
        return self._reader.has_dropped_samples

    def _new_lines(self) -> Iterator[bytes]:
        stamp = journal_stamp(self._folder)
        if stamp is not None and stamp == self._stamp:
            return
        yield from self._reader.wanted(max_samples=self._max_samples, min_lines=self._from_lines)
        self._stamp = stamp

    def _take(self, line: bytes) -> Entry | None:
        """Apply a line to the state, and return the entry to report, if any."""
        try:
            entry = self._reader.decode(line)
            if entry is None:
                return None
            if isinstance(entry.event, CellFinished):
                entry = replace(entry, event=with_rule_ids(self._state, entry.event))
            self._state = self._state.apply(entry)
        except JournalError:
            raise
        except BadInputError as error:
            return self._count_damage(str(error))
        except Exception as error:  # noqa: BLE001  # an entry that cannot be applied is damaged
            return self._count_damage(f"{type(error).__name__}: {error}")
        self._newest = entry
        return entry

    def _count_damage(self, reason: str) -> Entry | None:
        """Count a damaged line, and return a note about it, unless there are enough already."""
        number, reason = self._reader.line_number, clean_text(reason) or "unknown"
        self._damage = self._damage or f":{number}: damaged line ({reason})"
        damaged = self._state.damaged_lines + 1
        self._state = replace(self._state, damaged_lines=damaged)
        if self._newest is None or damaged > _MAX_DAMAGE_NOTES:
            return None
        text = f"warning: line {number} of {FILE_NAME} is damaged and was skipped: {reason}"
        note = replace(self._newest, seq=number, event=Note(text=text))
        self._state = self._state.apply(note)
        return note


def _sources(state: RunState) -> tuple[int, SearchEnded | None, RunFinished | None]:
    """Return what results are derived from. Cells are compared by identity, which is fast."""
    return id(state.cells), state.search_ended, state.finished


def read_run(folder: Path) -> Run:
    """Read a run once.

    Raises:
        JournalError: The folder has no readable journal.
    """
    return RunReader(folder).poll()


def journal_stamp(folder: Path) -> Stamp | None:
    """Return a stamp that changes with a run's journal, or None if there is no journal."""
    try:
        status = (folder / FILE_NAME).stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def _folder_stamp(folder: Path) -> int | None:
    """Return a stamp that changes if a file is added or removed, or None if there is no folder."""
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return None


def _file_names(folder: Path) -> frozenset[str]:
    """Return the names of the files in a folder, or an empty set if it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return frozenset(entry.name for entry in entries if entry.is_file())
    except OSError:
        return frozenset()


def status_of(state: RunState, *, held: bool) -> RunStatus:
    """Derive a run's status from its state and whether its journal is locked.

    A run whose runner was killed after the last cell is done, since nothing is left to measure.
    """
    if state.finished:
        return RunStatus(state.finished.result.value)
    if held:
        return RunStatus.LIVE
    has_remaining = bool(state.outstanding) or not state.cells or is_searching(state)
    return RunStatus.INTERRUPTED if has_remaining else RunStatus.DONE
