"""The run that the user is watching, shared by all screens that show it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from loadbench.engine.journal.events import CellEnd
from loadbench.engine.journal.reader import read_attempt, read_attempt_ends
from loadbench.engine.journal.service_log import FILE_NAME as SERVICE_LOG
from loadbench.engine.journal.service_log import LOCUST_FILE_NAME
from loadbench.engine.journal.state import CellStatus, RunState, fold
from loadbench.engine.measure.main_request import main_of
from loadbench.engine.profile.model import Profile
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.errors import JournalError
from loadbench.ui.background import BackgroundQueue, Job, in_background
from loadbench.ui.following.cell_logs import CellLogs
from loadbench.ui.following.figures import AttemptFigures, FigureReader
from loadbench.ui.following.follower import View
from loadbench.ui.lines.cell import CellView
from loadbench.ui.lines.service_log import CellLog

MAX_ATTEMPTS = 8
"""Maximum number of cached attempts."""
MAX_SAMPLES = 3600
"""Maximum total number of samples in the cache, unless the newest attempt alone exceeds it."""

Attempt = tuple[str, int]
"""Key of a cell, and number of the attempt."""
ReadAttempt = tuple[RunState, AttemptFigures]
"""State of the run at the end of an attempt, and the figures of that attempt."""
T = TypeVar("T")


class RunView(Protocol):
    """Interface of the screens that show a run."""

    @property
    def is_in_view(self) -> bool:
        """Whether the screen is visible."""

    def repaint(self) -> None:
        """Redraw the screen if it is visible."""


@dataclass(slots=True, kw_only=True, eq=False)
class WatchedRun:
    """The newest view of a run, and a cache of the cell data that was read on request.

    Args:
        folder: The run's folder.
        start: Starts a background job.
        changed: Called when requested data has been read.
        fail: Called if the journal cannot be read.
        painted: Called after a screen of the run has been redrawn.
    """

    folder: Path
    start: Callable[[Job], object]
    changed: Callable[[], object]
    fail: Callable[[JournalError], object]
    painted: Callable[[], object]
    view: View | None = None
    """The newest view. None if the run has not been read yet."""
    problem: str = ""
    """Error message if the journal cannot be read; otherwise empty."""
    screens: list[RunView] = field(default_factory=list)
    """The screens that show the run."""
    cursor: str | None = None
    """Key of the selected cell. None if the current cell is followed."""
    unanswered: set[str] = field(default_factory=set)
    """Ids of commands that the runner has not answered yet."""
    commands: BackgroundQueue = field(default_factory=BackgroundQueue)
    """Queue of commands to send to the runner."""
    _attempts: dict[Attempt, ReadAttempt] = field(default_factory=dict)
    _ends: dict[Attempt, tuple[CellEnd, ...]] = field(default_factory=dict)
    _reading: set[tuple[str, Attempt]] = field(default_factory=set)
    _logs: CellLogs = field(init=False)

    def __post_init__(self) -> None:
        """Create the cache of cell logs."""
        path = self.folder / SERVICE_LOG
        locust = self.folder / LOCUST_FILE_NAME
        self._logs = CellLogs(path=path, locust=locust, start=self.start, changed=self.changed)

    @property
    def run(self) -> Run | None:
        """The run as last read, or None if it has not been read yet."""
        return self.view.run if self.view else None

    @property
    def profile(self) -> Profile | None:
        """The profile of the run, or None if it is invalid or has not been read yet."""
        return self.view.run.state.profile if self.view else None

    @property
    def status(self) -> RunStatus | None:
        """The status of the run, or None if it has not been read yet."""
        return self.view.run.status if self.view else None

    @property
    def is_reading(self) -> bool:
        """Whether data is being read that a screen needs."""
        is_first = self.view is None and not self.problem
        return bool(self._reading) or self._logs.is_reading or is_first

    @property
    def is_looked_at(self) -> bool:
        """Whether a screen of the run is visible."""
        return any(screen.is_in_view for screen in self.screens)

    @property
    def chosen_cell(self) -> str | None:
        """Key of the selected, current or last cell, in that order of preference.

        None if the run has not been read yet.
        """
        if self.run is None:
            return None
        state = self.run.state
        if self.cursor in state.cells:
            return self.cursor
        if state.current in state.cells:
            return state.current
        attempted = [key for key, cell in state.cells.items() if cell.attempt]
        return attempted[-1] if attempted else next(iter(state.cells), None)

    def choose(self, key: str) -> None:
        """Select a cell. If it is already shown, do nothing, so that following continues."""
        if key != self.chosen_cell:
            self.cursor = key

    def repaint(self) -> None:
        """Redraw the visible screens of the run."""
        for screen in self.screens:
            screen.repaint()

    def shown(self, key: str) -> CellView:
        """Return the view of a cell. Start reading its latest attempt if that is not cached."""
        assert self.view is not None
        state = self.view.run.state
        cell = state.cells[key]
        if key == state.current:
            figures = self.view.figures
            return CellView(
                cell,
                state,
                totals=figures.totals,
                slices=figures.slices,
                is_live=self.status is RunStatus.LIVE,
                main=main_of(state.profile),
            )
        if not cell.attempt:
            return CellView(cell, None)
        read = self._get("attempt", self._attempts, (key, cell.attempt), _read_attempt)
        row = next(row for row in self.view.run.rows if row.cell == key)
        derived: dict[str, Any] = {
            "bottleneck": row.bottleneck,
            "checks": row.checks,
            "main": main_of(state.profile),
        }
        if read is None:
            return CellView(cell, None, **derived)
        attempt, figures = read
        return CellView(cell, attempt, totals=figures.totals, slices=figures.slices, **derived)

    def earlier(self, key: str) -> list[tuple[int, CellEnd | None]]:
        """Return a cell's earlier attempts: the number of each, and the event that ended it.

        The event is None for an interrupted attempt. The list is empty until the events have been
        read.
        """
        assert self.view is not None
        cell = self.view.run.state.cells[key]
        is_pending = cell.status is CellStatus.PENDING
        before = cell.attempt if is_pending else cell.attempt - 1
        ends = self._get("ends", self._ends, (key, before), _read_ends) if before > 0 else None
        if ends is None:
            return []
        # An attempt has two ends if the cell was later skipped instead of measured again. The first
        # one counts.
        by_number = {end.attempt: end for end in reversed(ends)}
        return [(number, by_number.get(number)) for number in range(1, before + 1)]

    def log_of(self, key: str, *, max_lines: int) -> CellLog:
        """Return the last log lines that services wrote during a cell's latest attempt."""
        assert self.view is not None
        return self._logs.of(self.view.run.state.cells[key], max_lines=max_lines)

    def _get(
        self,
        kind: str,
        cache: dict[Attempt, T],
        attempt: Attempt,
        read: Callable[[Path, str], T],
    ) -> T | None:
        """Return the cached data of an attempt, or start reading it and return None."""
        if attempt not in cache and (kind, attempt) not in self._reading:
            self._reading.add((kind, attempt))
            self.start(partial(self._read, kind, cache, attempt, read))
        return cache.get(attempt)

    async def _read(
        self,
        kind: str,
        cache: dict[Attempt, T],
        attempt: Attempt,
        read: Callable[[Path, str], T],
    ) -> None:
        try:
            cache[attempt] = await in_background(read, self.folder, attempt[0])
        except JournalError as error:
            self.fail(error)
            return
        finally:
            self._reading.discard((kind, attempt))
        self._forget_oldest()
        self.changed()

    def _forget_oldest(self) -> None:
        while len(self._ends) > MAX_ATTEMPTS:
            del self._ends[next(iter(self._ends))]
        samples = [len(state.samples) for state, _ in self._attempts.values()]
        while len(samples) > MAX_ATTEMPTS or (len(samples) > 1 and sum(samples) > MAX_SAMPLES):
            del self._attempts[next(iter(self._attempts))]
            del samples[0]


def _read_attempt(folder: Path, cell: str) -> ReadAttempt:
    state = fold(read_attempt(folder, cell))
    return state, FigureReader().of(state)


def _read_ends(folder: Path, cell: str) -> tuple[CellEnd, ...]:
    ends = (entry.event for entry in read_attempt_ends(folder, cell))
    return tuple(end for end in ends if isinstance(end, CellEnd))
