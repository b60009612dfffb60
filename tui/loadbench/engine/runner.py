"""The sweep: for each outstanding cell scale, ramp, settle, measure, drain, report."""

import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from loadbench.engine.commands import Command, CommandReader
from loadbench.engine.control import judge
from loadbench.engine.events import (
    CellFailed,
    CellFinished,
    CellPhase,
    CellSkipped,
    CellStarted,
    CommandAnswered,
    Event,
    Note,
    Phase,
    Result,
    RunFinished,
    Sample,
    StackProgress,
)
from loadbench.engine.journal import JournalWriter, disk_full_as_error
from loadbench.engine.load import Load, LoadState, Measured
from loadbench.engine.measure import verdict
from loadbench.engine.measure.histogram import count, failures, successes
from loadbench.engine.measure.steady import Steadiness, steadiness
from loadbench.engine.plan import Cell
from loadbench.engine.profile import Profile
from loadbench.engine.report.summary import write_summary
from loadbench.engine.stack import Stack
from loadbench.engine.state import CellState, RunState
from loadbench.errors import (
    DiskFullError,
    JournalError,
    LoadbenchError,
    LoadError,
    LoadLostError,
    StackError,
)

TICK_S = 0.2
OVERDUE_S = 30.0
"""How much longer than planned a phase may take before Locust counts as hung."""

LOAD_ATTEMPTS = 3
"""How often a cell is begun when Locust ends or hangs in the middle of it."""


class StopAsked(Exception):  # noqa: N818  # a request, not an error
    """Somebody wants the run to end."""


class SkipAsked(Exception):  # noqa: N818  # a request, not an error
    """Somebody wants the current cell to be left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """What a run is performed with."""

    folder: Path
    profile: Profile
    stack: Stack
    load: Load
    journal: JournalWriter


class Runner:
    """Performs a run from the state that its journal is in.

    Args:
        equipment: What it is performed with.
        state: The fold of everything the journal holds.
        tick_s: Seconds between two looks at everything.
    """

    def __init__(self, equipment: Equipment, state: RunState, *, tick_s: float = TICK_S) -> None:
        self._folder = equipment.folder
        self._profile = equipment.profile
        self._stack = equipment.stack
        self._load = equipment.load
        self._journal = equipment.journal
        self.state = state
        self._tick_s = tick_s
        self._commands = CommandReader(equipment.folder)
        self._background = ThreadPoolExecutor(1, thread_name_prefix="stack")
        self._progress: list[tuple[str, str]] = []
        self._woken = threading.Event()
        self._stop_reason: str | None = None
        self._load_up = False
        self._tag = ""

    def request_stop(self, reason: str) -> None:
        """End the run in order, soon. May be called from a signal handler."""
        self._stop_reason = self._stop_reason or reason
        self._woken.set()

    def run(self) -> Result:
        """Measure all outstanding cells, take everything down, and say how it ended."""
        try:
            result, reason = self._sweep()
        except StopAsked as asked:
            result, reason = Result.STOPPED, str(asked)
        except DiskFullError as error:
            result, reason = Result.ABORTED, f"{error}; free some, then `run --resume` goes on"
        except LoadbenchError as error:
            result, reason = Result.ABORTED, str(error)
        except Exception as error:  # noqa: BLE001  # the outermost loop: a run ends in order
            traceback.print_exc()
            result = Result.ABORTED
            reason = f"a fault of loadbench-tui, see runner.log: {type(error).__name__}: {error}"
        finally:
            self._take_down()
        return self._finish(result, reason)

    def reject_stale_commands(self) -> None:
        """Answer the commands that a former runner of this run left unanswered."""
        for command in self._commands.poll():
            if command.id not in self.state.answered:
                self._answer(command, accepted=False, message="stale: the run was not live")

    def _sweep(self) -> tuple[Result, str]:
        self._start_load()
        self._wait_for(self._background.submit(self._stack.prepare, self._say))
        while self.state.outstanding:
            self._attempt(self.state.outstanding[0])
            while self.state.paused:
                self._look()
        return Result.DONE, "every cell is over"

    def _attempt(self, cell_state: CellState) -> None:
        """Measure a cell, with a new Locust if that is lost; its end is in the journal then."""
        cell, first = cell_state.cell, cell_state.attempt + 1
        for attempt in range(first, first + LOAD_ATTEMPTS):
            self._emit(CellStarted(cell=cell.key, attempt=attempt))
            try:
                self._measure(cell, attempt)
            except SkipAsked:
                self._abandon_load()
                self._emit(CellSkipped(cell=cell.key, attempt=attempt, reason="asked for"))
            except StackError as error:
                self._abandon_load()
                self._fail(cell, attempt, error)
            except LoadError as error:
                self._abandon_load()
                self._emit(CellFailed(cell=cell.key, attempt=attempt, reason=str(error)))
            except LoadLostError as error:
                self._abandon_load()
                if attempt < first + LOAD_ATTEMPTS - 1:
                    self._emit(Note(text=f"{error}; {cell.key} is measured again with a new one"))
                    continue
                self._emit(CellFailed(cell=cell.key, attempt=attempt, reason=str(error)))
            write_summary(self.state, self._folder)
            return

    def _measure(self, cell: Cell, attempt: int) -> None:
        self._tag = f"{cell.key}.{attempt}"
        self._enter(cell, Phase.SCALING)
        self._start_load()
        self._scale(cell)
        self._enter(cell, Phase.RAMPING)
        self._ramp(cell)
        self._enter(cell, Phase.SETTLING)
        settled = self._settle(cell)
        self._enter(cell, Phase.MEASURING)
        self._measure_window(cell)
        self._enter(cell, Phase.DRAINING)
        self._wait_for(self._background.submit(self._load.stop), cell=cell)
        measured = self._load.measured()
        self._save_report(cell)
        self._emit(self._finished(cell, attempt, measured, settled))

    def _scale(self, cell: Cell) -> None:
        self._wait_for(self._background.submit(self._stack.scale, cell.models, self._say))
        timeout_s = self._profile.stack.startup_timeout
        deadline = time.monotonic() + timeout_s
        while missing := self._stack.missing(cell.models):
            if time.monotonic() > deadline:
                raise StackError(
                    f"not ready within startup_timeout ({timeout_s:g} s): {missing}; "
                    "stack.log says more"
                )
            self._look(faults=True)

    def _ramp(self, cell: Cell) -> None:
        self._load.swarm(cell, self._stack.host, self._tag)
        within_s = cell.ramp_s + OVERDUE_S
        self._observe_until(cell, lambda now: now.spawned, within_s=within_s)

    def _settle(self, cell: Cell) -> Steadiness:
        settle = self._profile.settle
        if not settle.max:
            return Steadiness(True)
        # The second in which the last user came is not yet one at the target.
        first = self._next_second + 1
        deadline = time.monotonic() + settle.max
        while True:
            self._observe(cell)
            now = steadiness(self.state.samples[first:], settle.window)
            if now.steady or time.monotonic() > deadline:
                return now
            self._look(faults=True)

    def _measure_window(self, cell: Cell) -> None:
        seconds = self._profile.run_time
        self._load.measure(seconds)
        within_s = seconds + OVERDUE_S
        self._observe_until(cell, lambda now: now.remaining_s == 0, within_s=within_s)

    def _observe_until(
        self, cell: Cell, done: Callable[[LoadState], bool], *, within_s: float
    ) -> None:
        deadline = time.monotonic() + within_s
        while True:
            state = self._observe(cell)
            if state and done(state):
                return
            if time.monotonic() > deadline:
                raise LoadLostError(f"Locust did not come further within {within_s:g} s")
            self._look(faults=True, at_most_s=state.remaining_s if state else None)

    def _observe(self, cell: Cell) -> LoadState | None:
        """Put the seconds that have passed into the journal; None: Locust is at another cell."""
        state = self._load.state(self._next_second)
        if state.cell != self._tag:
            return None
        containers = self._stack.containers() if state.seconds else ()
        for second in state.seconds:
            self._emit(
                Sample(
                    cell=cell.key,
                    second=second.second,
                    users=second.users,
                    requests=second.requests,
                    stages=second.stages,
                    containers=containers,
                    client_cpu_cores=second.client_cpu_cores,
                )
            )
        return state

    @property
    def _next_second(self) -> int:
        return len(self.state.samples)

    def _finished(
        self, cell: Cell, attempt: int, measured: Measured, settled: Steadiness
    ) -> CellFinished:
        evidence = verdict.Evidence(
            successes=count(successes(measured.requests)),
            failures=count(failures(measured.requests)),
            aborted=measured.aborted,
            errors=measured.errors,
            exceptions=measured.exceptions,
            steadiness=settled,
        )
        worth, reasons = verdict.judge(evidence)
        return CellFinished(
            cell=cell.key,
            attempt=attempt,
            verdict=worth,
            reasons=reasons,
            measured_s=measured.measured_s,
            completed=measured.completed,
            requests=measured.requests,
            aborted=measured.aborted,
            errors=measured.errors,
            stages=measured.stages,
            settled=settled.steady,
            client_cpu_cores=measured.client_cpu_cores,
        )

    def _save_report(self, cell: Cell) -> None:
        """Save Locust's report; the numbers are had already, so losing it loses no cell."""
        try:
            report = self._load.report()
        except LoadLostError as error:
            self._abandon_load()
            self._emit(Note(text=f"{cell.report_name} is missing: {error}"))
            return
        part = self._folder / f".{cell.report_name}.part"
        try:
            with disk_full_as_error(self._folder):
                part.write_bytes(report)
                part.replace(self._folder / cell.report_name)
        except DiskFullError:
            part.unlink(missing_ok=True)
            raise

    def _fail(self, cell: Cell, attempt: int, error: StackError) -> None:
        self._emit(
            CellFailed(
                cell=cell.key,
                attempt=attempt,
                reason=str(error),
                container=error.container,
                exit_code=error.exit_code,
                log_lines=error.log_lines,
            )
        )

    def _start_load(self) -> None:
        if not self._load_up:
            self._load.start()
            self._load_up = True

    def _abandon_load(self) -> None:
        # Its users would otherwise wait for answers that nobody needs any more.
        self._load_up = False
        self._load.close()

    def _wait_for(self, task: Future[None], *, cell: Cell | None = None) -> None:
        """Wait for a task in the background, looking at everything else meanwhile."""
        task.add_done_callback(lambda _: self._woken.set())
        while not task.done():
            if cell:
                self._observe(cell)
            self._look()
        if cell:
            self._observe(cell)
        task.result()

    def _look(self, *, faults: bool = False, at_most_s: float | None = None) -> None:
        """Wait for a tick, then act on whatever was asked for or has gone wrong.

        Raises:
            StopAsked: Somebody wants the run to end.
            SkipAsked: Somebody wants the current cell to be left out.
            StackError: Part of the stack ended, where `faults` are looked for.
        """
        self._woken.wait(self._tick_s if at_most_s is None else min(self._tick_s, at_most_s))
        self._woken.clear()
        self._say_progress()
        if self._stop_reason:
            raise StopAsked(self._stop_reason)
        for command in self._commands.poll():
            self._follow(command)
        if faults and (fault := self._stack.fault()):
            raise fault

    def _follow(self, command: Command) -> None:
        if command.id in self.state.answered:
            return
        answer = judge(command, self.state)
        current = self.state.current
        self._answer(command, accepted=answer.accepted, message=answer.message, cell=answer.cell)
        if not answer.accepted:
            return
        match command.command:
            case "stop":
                raise StopAsked("asked for")
            case "skip" if answer.cell == current:
                raise SkipAsked
            case "skip" if answer.cell:
                attempt = self.state.cells[answer.cell].attempt
                self._emit(CellSkipped(cell=answer.cell, attempt=attempt, reason="asked for"))

    def _answer(
        self, command: Command, *, accepted: bool, message: str, cell: str | None = None
    ) -> None:
        self._emit(
            CommandAnswered(
                id=command.id,
                command=command.command,
                accepted=accepted,
                message=message,
                cell=cell,
            )
        )

    def _say(self, step: str, line: str) -> None:
        """Take a step's newest line, in whatever thread; the runner's own thread writes it."""
        self._progress.append((step, line))

    def _say_progress(self) -> None:
        while self._progress:
            step, line = self._progress.pop(0)
            self._emit(StackProgress(step=step, line=line))

    def _enter(self, cell: Cell, phase: Phase) -> None:
        self._emit(CellPhase(cell=cell.key, phase=phase))

    def _emit(self, event: Event) -> None:
        self.state = self.state.apply(self._journal.append(event))

    def _take_down(self) -> None:
        self._load.close()
        self._stack.close()
        self._background.shutdown(wait=True)

    def _finish(self, result: Result, reason: str) -> Result:
        with suppress(OSError):
            self._journal.release_reserve()
        with suppress(JournalError):
            self._emit(RunFinished(result=result, reason=reason))
        with suppress(JournalError):
            write_summary(self.state, self._folder)
        return result
