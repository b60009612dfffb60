"""Chooses what a run measures next: its remaining cells, then those of its search."""

import time
from collections.abc import Callable

from loadbench.engine.journal.events import CellsPlanned, SearchEnded
from loadbench.engine.journal.state import CellState
from loadbench.engine.journal.timing.progress import next_cell_s
from loadbench.engine.run.control_loop import ControlLoop
from loadbench.engine.search.continuation import is_search
from loadbench.engine.search.model import Probe, Stop
from loadbench.engine.search.strategy import next_step, out_of_budget


class Planner:
    """Plans the cells of a run one by one.

    Args:
        control: The control loop, whose state has the results so far.
        clock: Monotonic clock in seconds. The budget of a search starts now.
    """

    def __init__(self, control: ControlLoop, clock: Callable[[], float] = time.monotonic) -> None:
        self._control, self._clock = control, clock
        self._began_s = clock()
        self._has_begun = False

    @property
    def budget_s(self) -> float | None:
        """The budget of the search in seconds. None if there is no search, or no limit."""
        profile = self._control.state.profile
        return profile.search.budget if profile and profile.is_search else None

    def next(self) -> CellState | Probe | Stop | None:
        """Return what to do next: a planned cell, a cell to plan, or the end of the search.

        None means that nothing remains, in a run without a search.
        """
        state = self._control.state
        step: CellState | Probe | Stop | None = next(iter(state.outstanding), None)
        if step is None and is_search(state):
            step = next_step(state)
        if step is None or isinstance(step, Stop):
            return step
        return step if self._has_time_for(step) else out_of_budget(state)

    def begin(self, step: CellState | Probe) -> CellState:
        """Return the cell to measure now. If it is not planned yet, add it to the plan."""
        self._has_begun = True
        return self._plan(step) if isinstance(step, Probe) else step

    def _plan(self, probe: Probe) -> CellState:
        event = CellsPlanned(cells=(probe.cell,), why=probe.why.value, bracket=probe.bracket)
        self._control.emit(event)
        return self._control.state.cells[probe.cell.key]

    def end(self, stop: Stop | None = None) -> None:
        """Record the end of the search.

        Args:
            stop: How it ended. None: at the end of the budget.
        """
        end = stop or out_of_budget(self._control.state)
        event = SearchEnded(reason=end.reason.value, brackets=end.brackets, grid=end.grid)
        self._control.emit(event)

    def _has_time_for(self, step: CellState | Probe) -> bool:
        profile, budget_s = self._control.state.profile, self.budget_s
        if profile is None or budget_s is None or not self._has_begun:
            # The duration of the first cell is only estimated. The budget ends it in any case.
            return True
        expected_s = next_cell_s(profile, self._control.state, step.cell)
        return self._clock() - self._began_s + expected_s <= budget_s
