"""The sweep: measure all remaining cells in order, even if some of them fail."""

import time
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress

from loadbench.engine.bounds.texts import shortened
from loadbench.engine.journal.events import (
    CellFailed,
    CellSkipped,
    CellStarted,
    Note,
    Result,
    StackPrepared,
    StackProgress,
)
from loadbench.engine.journal.state import CellState, CellStatus
from loadbench.engine.profile.plan import Cell
from loadbench.engine.run.attempt import CellAttempt, Equipment
from loadbench.engine.run.control_loop import (
    ON_REQUEST,
    ControlLoop,
    SkipRequested,
)
from loadbench.engine.run.ending import cells_measured, resume_command
from loadbench.engine.run.starts import SameStartError, Starts
from loadbench.engine.run.steps.planning import Planner
from loadbench.engine.run.steps.stop_flag import BUDGET_USED, StopRequested
from loadbench.engine.search.model import Probe, Stop
from loadbench.errors import (
    DiskFullError,
    EngineError,
    JournalError,
    LoadbenchError,
    LoadError,
    LoadLostError,
    LoadStartError,
    StackError,
    StartError,
)

MAX_RECORDED_CHARACTERS = 2_000
"""Limit for the reason of a failure, and for each log line recorded with it."""

MAX_LOAD_ATTEMPTS = 3
"""Maximum number of attempts at a cell when Locust exits or hangs."""


class Runner:
    """Executes a run, starting from the state recorded in its journal.

    Args:
        equipment: Stack, load and metrics of the run; the runner closes them.
        control: The control loop for events and commands.
        clock: Monotonic clock in seconds, for the budget of a search.
    """

    def __init__(
        self,
        equipment: Equipment,
        control: ControlLoop,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._equipment = equipment
        self._control = control
        self._planner = Planner(control, clock)
        self._starts = Starts()
        self._is_load_running = False
        control.watch_containers(equipment.stack.containers)

    def run(self) -> Result:
        """Measure all remaining cells, clean up and record the result."""
        left, budget_s = None, self._planner.budget_s
        timer = self._control.stop.set_after(budget_s) if budget_s else None
        try:
            try:
                result, reason = self._sweep_or_reason()
            finally:
                if timer:
                    timer.cancel()
                left = self._clean_up()
        except Exception as error:  # noqa: BLE001  # outermost handler: always record the end
            traceback.print_exc()
            result = Result.ABORTED
            reason = f"internal error, see runner.log: {type(error).__name__}: {error}"
        self._control.finish(result, reason, left)
        return result

    def _clean_up(self) -> str | None:
        """Stop everything, and return a description of what could not be stopped, if anything."""
        with ThreadPoolExecutor(1, thread_name_prefix="clean-up") as pool:
            closing = pool.submit(self._close)
            if wait([closing], timeout=self._control.quiet_s).not_done:
                running = [
                    one.name for one in self._control.state.containers if one.state == "running"
                ]
                line = f"Waiting for {', '.join(running) or 'all processes'} to stop"
                with suppress(JournalError):
                    self._control.emit(StackProgress(step="wait", line=line))
            return closing.result()

    def _close(self) -> str | None:
        load, stack = self._equipment.load, self._equipment.stack
        self._equipment.metrics.close()
        load.close()
        stack.close()
        self._control.background.shutdown()
        # Close again: a background task may have started processes during the first close.
        left = stack.close()
        load.close()
        return left

    def _sweep_or_reason(self) -> tuple[Result, str]:
        try:
            self._sweep()
        except StopRequested as request:
            return Result.STOPPED, str(request)
        except DiskFullError as error:
            return Result.ABORTED, f"{error}; free some disk space, then {self._resume}"
        except (EngineError, StartError) as error:
            return Result.ABORTED, f"{error}; fix this, then {self._resume}"
        except LoadbenchError as error:
            for line in error.log_lines if isinstance(error, LoadError) else ():
                self._control.emit(StackProgress(step="locust.log", line=line))
            return Result.ABORTED, str(error)
        return Result.DONE, cells_measured(self._control.state)

    @property
    def _resume(self) -> str:
        control = self._control
        return f"resume with {resume_command(control.folder, control.state)}"

    def _sweep(self) -> None:
        try:
            self._measure_all()
        except StopRequested as request:
            if str(request) != BUDGET_USED:
                raise
            self._planner.end()

    def _measure_all(self) -> None:
        self._start_first_load()
        stack, control = self._equipment.stack, self._control
        task = control.background.submit(stack.prepare, control.report_progress)
        self._record_images(control.wait_for(task, self._what_prepares))
        if page := self._equipment.page:
            # Otherwise it would disturb the first cell.
            control.wait_for(control.background.submit(page.wait_until_ready))
        while step := self._next_step():
            if isinstance(step, Stop):
                self._planner.end(step)
                return
            if control.state.paused:
                control.save_summary()
                control.poll()
                continue
            control.check_space()
            self._measure(self._planner.begin(step))
            control.cell_ended()

    def _what_prepares(self) -> str:
        # Once there is progress, its newest line is more specific.
        return "" if self._control.state.progress else "the service to be prepared"

    def _next_step(self) -> CellState | Probe | Stop | None:
        """Return what to do next. Before the run ends, or plans a cell, handle new commands."""
        if not self._control.state.outstanding:
            self._control.poll(max_wait_s=0.0)
        return self._planner.next()

    def _record_images(self, images: Mapping[str, str]) -> None:
        before = self._control.state.images
        changed = [name for name in images if name in before and images[name] != before[name]]
        if changed:
            text = (
                "warning: images changed since the run started, so earlier and later cells may "
                f"not be comparable: {', '.join(changed)}"
            )
            self._control.emit(Note(text=text))
        if images:
            self._control.emit(StackPrepared(images=dict(images)))

    def _measure(self, cell_state: CellState) -> None:
        """Measure a cell; if Locust exits or hangs, restart it and retry."""
        first = cell_state.attempt + 1
        for attempt in range(first, first + MAX_LOAD_ATTEMPTS):
            error = self._attempt(cell_state.cell, attempt)
            if error is None:
                return
            if attempt < first + MAX_LOAD_ATTEMPTS - 1:
                retry = f"restarting Locust and measuring {cell_state.cell.key} again"
                self._control.emit(Note(text=f"{error}; {retry}"))
        reason = f"{error}; gave up after {MAX_LOAD_ATTEMPTS} attempts"
        self._fail(cell_state.cell, attempt, StackError(reason))

    def _attempt(self, cell: Cell, attempt: int) -> LoadLostError | None:
        """Measure a cell once; return the error if a retry may succeed, otherwise None."""
        self._control.emit(CellStarted(cell=cell.key, attempt=attempt))
        one = CellAttempt(cell, attempt, self._equipment, self._control)
        try:
            # First, because a background task of a skipped cell delays all others.
            self._control.wait_for_skipped()
            self._start_load()
            with self._starts.watch(cell):
                one.start()
            one.measure()
        except SkipRequested:
            self._close_load()
            self._control.emit(CellSkipped(cell=cell.key, attempt=attempt, reason=ON_REQUEST))
        except LoadStartError as error:
            self._fail(cell, attempt, error)
            if not self._control.state.count(CellStatus.FINISHED):
                # Other cells would fail in the same way.
                raise
            self._close_load()
        except (StackError, LoadError) as error:
            # Record the failure first: Locust may take seconds to exit.
            self._fail(cell, attempt, error)
            self._close_load()
            if isinstance(error, SameStartError):
                self._end_starts(cell, error)
        except EngineError as error:
            # No other cell can be measured either, so the run ends.
            self._fail(cell, attempt, StackError(str(error)))
            raise
        except LoadLostError as error:
            self._close_load()
            return error
        return None

    def _end_starts(self, cell: Cell, error: SameStartError) -> None:
        """End the run, or the cells with the same number of models, after equal start failures.

        Another number of models is tried if the service has started before, or if it is smaller,
        because it may need less memory.

        Raises:
            StartError: No other cell is likely to start.
        """
        same = f"{error.starts} starts failed in the same way"
        remaining, profile = self._control.state.outstanding, self._equipment.profile
        further = [one.cell.models for one in remaining]
        further += profile.models if profile.is_search else ()
        is_smaller = any(models < cell.models for models in further)
        if further and not (self._starts.has_succeeded or is_smaller):
            text = shortened(str(error), MAX_RECORDED_CHARACTERS)
            raise StartError(f"{text} ({same})")
        reason = StackError(f"not started: {same}, see {error.cell}")
        for one in remaining:
            # Cells that are measured again have results, which are not discarded without a start.
            if one.cell.models == cell.models and one.finished is None:
                self._fail(one.cell, one.attempt, reason)
                self._control.cell_ended()

    def _fail(self, cell: Cell, attempt: int, error: StackError | LoadError) -> None:
        stack = (
            StackError(str(error), log_lines=error.log_lines)
            if isinstance(error, LoadError)
            else error
        )
        self._control.emit(
            CellFailed(
                cell=cell.key,
                attempt=attempt,
                reason=shortened(str(error), MAX_RECORDED_CHARACTERS),
                container=stack.container,
                exit_code=stack.exit_code,
                log_lines=tuple(
                    shortened(line, MAX_RECORDED_CHARACTERS) for line in stack.log_lines
                ),
            )
        )

    def _start_load(self) -> None:
        load, control = self._equipment.load, self._control
        if not self._is_load_running:
            try:
                control.wait_for(control.background.submit(load.start), load.awaited)
            finally:
                for text in load.notes():
                    control.emit(Note(text=text))
            self._is_load_running = True

    def _start_first_load(self) -> None:
        """Start Locust before the stack, so that an error in the locustfile ends the run early."""
        for attempt in range(1, MAX_LOAD_ATTEMPTS + 1):
            try:
                self._start_load()
            except LoadLostError as error:
                if attempt == MAX_LOAD_ATTEMPTS:
                    raise
                self._control.emit(Note(text=f"{error}; restarting Locust"))
            else:
                return

    def _close_load(self) -> None:
        # Otherwise its users would wait for responses that are no longer needed.
        self._is_load_running = False
        self._equipment.load.close()
