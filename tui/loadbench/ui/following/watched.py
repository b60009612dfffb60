"""A run that is looked at: one for all screens that show it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from loadbench.engine.journal.events import CellEnd
from loadbench.engine.journal.reader import read_attempt, read_ends
from loadbench.engine.journal.service_log import FILE_NAME as SERVICE_LOG
from loadbench.engine.journal.state import CellStatus, RunState, fold
from loadbench.engine.profile.model import Profile
from loadbench.engine.report.rows import bottleneck_of
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.errors import JournalError
from loadbench.ui.background import BackgroundQueue, Job, in_background
from loadbench.ui.following.cell_logs import CellLogs
from loadbench.ui.following.figures import AttemptFigures, FigureReader
from loadbench.ui.following.follower import View
from loadbench.ui.lines.cell import CellView
from loadbench.ui.lines.service_log import CellLog

ATTEMPTS_KEPT = 8
"""Of cells that were shown."""
SAMPLES_KEPT = 3600
"""Of all these attempts together; the newest attempt may have more."""

Attempt = tuple[str, int]
"""The key of a cell, and the number of the attempt."""
ReadAttempt = tuple[RunState, AttemptFigures]
"""The run as it was at the end of an attempt, and the figures of that attempt."""
T = TypeVar("T")


class RunView(Protocol):
    """A screen that shows something of a run."""

    @property
    def is_to_be_seen(self) -> bool:
        """Whether there is a reason to paint it."""

    def repaint(self) -> None:
        """Paint it, if there is a reason."""


@dataclass(slots=True, kw_only=True, eq=False)
class WatchedRun:
    """The newest view of a run, and what was read of its cells since they were asked for.

    Args:
        folder: The run's folder.
        start: Starts work beside the screens.
        changed: Called when something that was asked for has been read.
        fail: Called when the journal cannot be read.
        painted: Called when one of its screens has been painted.
    """

    folder: Path
    start: Callable[[Job], object]
    changed: Callable[[], object]
    fail: Callable[[JournalError], object]
    painted: Callable[[], object]
    view: View | None = None
    """None: it was not read yet."""
    problem: str = ""
    """Why the journal cannot be read (any more)."""
    screens: list[RunView] = field(default_factory=list)
    """Those that show something of it."""
    cursor: str | None = None
    """The key of the cell that the user chose; None: the current one is followed."""
    asked: set[str] = field(default_factory=set)
    """The ids of commands that the runner has not answered yet."""
    commands: BackgroundQueue = field(default_factory=BackgroundQueue)
    """What is being sent to the runner, in order."""
    _attempts: dict[Attempt, ReadAttempt] = field(default_factory=dict)
    _ends: dict[Attempt, tuple[CellEnd, ...]] = field(default_factory=dict)
    _reading: set[tuple[str, Attempt]] = field(default_factory=set)
    _logs: CellLogs = field(init=False)

    def __post_init__(self) -> None:
        """Prepare what needs the arguments."""
        path = self.folder / SERVICE_LOG
        self._logs = CellLogs(path=path, start=self.start, changed=self.changed)

    @property
    def run(self) -> Run | None:
        """The run, as it was last read."""
        return self.view.run if self.view else None

    @property
    def profile(self) -> Profile | None:
        """What the run was started with; None: it was not read yet, or cannot be read."""
        return self.view.run.state.profile if self.view else None

    @property
    def status(self) -> RunStatus | None:
        """How the run stands; None: it was not read yet."""
        return self.view.run.status if self.view else None

    @property
    def is_reading(self) -> bool:
        """Whether something that was asked for is being read."""
        is_first = self.view is None and not self.problem
        return bool(self._reading) or self._logs.is_reading or is_first

    @property
    def is_looked_at(self) -> bool:
        """Whether one of its screens can be seen."""
        return any(screen.is_to_be_seen for screen in self.screens)

    @property
    def chosen_cell(self) -> str | None:
        """The key of the chosen cell, else of the current one, else of the last; None: unread."""
        if self.run is None:
            return None
        state = self.run.state
        if self.cursor in state.cells:
            return self.cursor
        if state.current in state.cells:
            return state.current
        begun = [key for key, cell in state.cells.items() if cell.attempt]
        return begun[-1] if begun else next(iter(state.cells), None)

    def choose(self, key: str) -> None:
        """Choose a cell; the current one, while it is followed, is followed still."""
        if key != self.chosen_cell:
            self.cursor = key

    def repaint(self) -> None:
        """Paint those screens of the run that can be seen."""
        for screen in self.screens:
            screen.repaint()

    def shown(self, key: str) -> CellView:
        """Return a cell as it is shown now; its latest attempt is read if it was not."""
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
            )
        if not cell.attempt:
            return CellView(cell, None)
        read = self._get("attempt", self._attempts, (key, cell.attempt), _read_attempt)
        bottleneck = bottleneck_of(state, cell)
        if read is None:
            return CellView(cell, None, bottleneck=bottleneck)
        attempt, figures = read
        return CellView(
            cell, attempt, totals=figures.totals, slices=figures.slices, bottleneck=bottleneck
        )

    def earlier(self, key: str) -> list[tuple[int, CellEnd | None]]:
        """Return the attempts of a cell before the one that is shown, with what ended each.

        None: that one was interrupted. There are none until they were read.
        """
        assert self.view is not None
        cell = self.view.run.state.cells[key]
        waits = cell.status is CellStatus.PENDING
        before = cell.attempt if waits else cell.attempt - 1
        ends = self._get("ends", self._ends, (key, before), _read_ends) if before > 0 else None
        if ends is None:
            return []
        # A cell that is to be measured again, and is skipped instead, keeps the end that it had.
        by_number = {it.attempt: it for it in reversed(ends)}
        return [(number, by_number.get(number)) for number in range(1, before + 1)]

    def log_of(self, key: str, *, most: int) -> CellLog:
        """Return the last log lines of services during a cell's latest attempt."""
        assert self.view is not None
        return self._logs.of(self.view.run.state.cells[key], most=most)

    def _get(
        self,
        what: str,
        known: dict[Attempt, T],
        of: Attempt,
        read: Callable[[Path, str], T],
    ) -> T | None:
        """Return what is known; if it is not, begin to read it."""
        if of not in known and (what, of) not in self._reading:
            self._reading.add((what, of))
            self.start(partial(self._read, what, known, of, read))
        return known.get(of)

    async def _read(
        self,
        what: str,
        known: dict[Attempt, T],
        of: Attempt,
        read: Callable[[Path, str], T],
    ) -> None:
        try:
            known[of] = await in_background(read, self.folder, of[0])
        except JournalError as error:
            self.fail(error)
            return
        finally:
            self._reading.discard((what, of))
        self._forget_oldest()
        self.changed()

    def _forget_oldest(self) -> None:
        while len(self._ends) > ATTEMPTS_KEPT:
            del self._ends[next(iter(self._ends))]
        samples = [len(state.samples) for state, _ in self._attempts.values()]
        while len(samples) > ATTEMPTS_KEPT or (len(samples) > 1 and sum(samples) > SAMPLES_KEPT):
            del self._attempts[next(iter(self._attempts))]
            del samples[0]


def _read_attempt(folder: Path, cell: str) -> ReadAttempt:
    state = fold(read_attempt(folder, cell))
    return state, FigureReader().of(state)


def _read_ends(folder: Path, cell: str) -> tuple[CellEnd, ...]:
    ends = (entry.event for entry in read_ends(folder, cell))
    return tuple(it for it in ends if isinstance(it, CellEnd))
