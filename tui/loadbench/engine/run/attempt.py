"""One attempt at one cell: scale, ramp, settle, measure, drain, report."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from loadbench.engine.drivers.metrics import MetricsPoller
from loadbench.engine.drivers.protocol import Stack
from loadbench.engine.files import write_whole
from loadbench.engine.journal.events import (
    CellFinished,
    CellPhase,
    Conditions,
    Note,
    Phase,
    Sample,
    Verdict,
)
from loadbench.engine.load.protocol import Load, LoadState, Measured
from loadbench.engine.measure.conditions import WindowUse, cpu_cores, whole_seconds
from loadbench.engine.measure.steady import Steadiness, steadiness
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.plan import Cell
from loadbench.engine.report.export.locust_html import with_note
from loadbench.engine.report.verdicts import judge_in_run
from loadbench.engine.run.control_loop import ControlLoop
from loadbench.engine.run.machine import MachineMeter
from loadbench.errors import DiskFullError, JournalError, LoadLostError, StackError

OVERDUE_S = 30.0
"""How much longer than planned a phase may take before Locust counts as hung."""


SOON_S = 3.0
"""What a service lacks is not worth telling for as long as most take to be ready."""

FIRST_SECOND_S = 2.0
"""Until the first whole second at the target number of users has passed and was seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """What a run is performed with."""

    profile: Profile
    stack: Stack
    load: Load
    metrics: MetricsPoller = field(default_factory=MetricsPoller)


class CellAttempt:
    """One attempt at a cell.

    Args:
        cell: The cell.
        attempt: Its number, from 1.
        equipment: What it is measured with.
        control: Where its events go.
    """

    def __init__(
        self, cell: Cell, attempt: int, equipment: Equipment, control: ControlLoop
    ) -> None:
        self._cell = cell
        self._attempt = attempt
        self._profile = equipment.profile
        self._stack = equipment.stack
        self._load = equipment.load
        self._metrics = equipment.metrics
        self._machine = MachineMeter()
        self._use = WindowUse(range(0))
        self._control = control
        # Unlike the key, the tag tells this attempt from an earlier one at the same Locust.
        self._tag = f"{cell.key}.{attempt}"

    def perform(self) -> None:
        """Measure the cell; its numbers and its report are saved then.

        Raises:
            StackError: The stack did not come up, or part of it ended.
            LoadLostError: Locust ended or hung.
            EngineError: No cell can be measured any more.
            StopRequested: Somebody wants the run to end.
            SkipRequested: Somebody wants this cell to be left out.
            DiskFullError: There is no space left for the results.
        """
        self._enter(Phase.SCALING)
        self._scale()
        self._control.note_containers()
        self._enter(Phase.RAMPING)
        self._ramp()
        settled = self._settle()
        self._enter(Phase.MEASURING)
        self._measure()
        self._enter(Phase.DRAINING)
        finished = self._judged(self._finished(self._drain(), settled))
        try:
            self._save_report(finished)
        finally:
            # The numbers are had: not even a disk that is too full for the report loses them.
            self._control.emit(finished)

    def _enter(self, phase: Phase) -> None:
        self._control.emit(CellPhase(cell=self._cell.key, phase=phase))

    def _scale(self) -> None:
        models, timeout_s = self._cell.models, self._profile.stack.startup_timeout
        submit = self._control.background.submit
        # What a cell that was skipped has under way still ends first, and not in this one's time.
        self._control.wait_for(submit(lambda: None))
        deadline = time.monotonic() + timeout_s
        self._control.wait_for(submit(self._stack.scale, models, self._control.say))
        told, since = "", time.monotonic()
        while missing := self._control.wait_for(submit(self._stack.missing, models)):
            if time.monotonic() > deadline:
                raise StackError(f"not ready within startup_timeout ({timeout_s:g} s): {missing}")
            if missing != told and time.monotonic() - since > SOON_S:
                self._control.say("wait", missing)
                told = missing
            self._look()

    def _ramp(self) -> None:
        self._metrics.follow(self._stack.host)
        self._load.swarm(self._cell, self._stack.host, self._tag)
        self._observe_until(lambda now: now.spawned, within_s=self._cell.level.ramp_s + OVERDUE_S)

    def _settle(self) -> Steadiness | None:
        """Wait for steady numbers; None: the profile asks not to."""
        settle = self._profile.settle
        if not settle.max:
            return None
        self._enter(Phase.SETTLING)
        # The second in which the last user came is not yet one at the target.
        first = len(self._control.state.samples) + 1
        deadline = time.monotonic() + settle.max + FIRST_SECOND_S
        while True:
            self._observe()
            samples = self._control.state.samples
            # Older seconds do not count, and are not kept whole.
            first = max(first, len(samples) - samples.whole_s)
            now = steadiness(samples[first:], settle.window)
            if now.steady or time.monotonic() > deadline:
                return now
            self._look()

    def _measure(self) -> None:
        seconds = self._profile.run_time
        begin_s = self._load.measure(seconds)
        # Seconds that were observed so far have ended before the window begins.
        newest = self._control.state.samples[-1:]
        self._use = WindowUse(whole_seconds(begin_s, seconds), *newest)
        self._observe_until(lambda now: now.remaining_s == 0, within_s=seconds + OVERDUE_S)

    def _drain(self) -> Measured:
        stopping = self._control.background.submit(self._load.stop)
        self._control.wake_after(stopping)
        while not stopping.done():
            self._observe()
            self._look()
        stopping.result()
        self._observe()
        return self._load.measured()

    def _save_report(self, finished: CellFinished) -> None:
        """Save Locust's report of the cell, if it can be had."""
        name = self._cell.report_name
        try:
            write_whole(self._control.folder / name, with_note(self._load.report(), finished))
        except DiskFullError:
            raise
        except (LoadLostError, JournalError) as error:
            self._control.emit(Note(text=f"{name} is missing: {error}"))

    def _finished(self, measured: Measured, settled: Steadiness | None) -> CellFinished:
        return CellFinished(
            cell=self._cell.key,
            attempt=self._attempt,
            verdict=Verdict.VALID,
            measured_s=measured.measured_s,
            completed=measured.completed,
            requests=measured.requests,
            aborted=measured.aborted,
            errors=measured.errors,
            stages=measured.stages,
            settled=settled.steady if settled else None,
            unsettled=settled.why_not if settled else "",
            exceptions=measured.exceptions,
            fewest_users=measured.fewest_users,
            clients=measured.clients,
            circumstances=self._conditions(measured),
        )

    def _judged(self, finished: CellFinished) -> CellFinished:
        verdict, findings = judge_in_run(self._control.state, self._cell, finished)
        return replace(finished, verdict=verdict, findings=findings)

    def _conditions(self, measured: Measured) -> Conditions:
        known = measured.circumstances
        return replace(
            known,
            containers=self._use.containers(),
            service=self._use.service(),
            machine=self._use.machine(),
        )

    def _observe_until(self, done: Callable[[LoadState], bool], *, within_s: float) -> None:
        deadline = time.monotonic() + within_s
        while True:
            state = self._observe()
            if state and done(state):
                return
            if time.monotonic() > deadline:
                raise LoadLostError(f"Locust did not come further within {within_s:g} s")
            self._look(at_most_s=state.remaining_s if state else None)

    def _observe(self) -> LoadState | None:
        """Put the seconds that have passed into the journal.

        Returns:
            Where Locust stands; None: it is still at another cell, or was silent this time.
        """
        state = self._load.state(len(self._control.state.samples))
        if state is None or state.cell != self._tag:
            return None
        if not state.seconds:
            return state
        containers, service = self._stack.containers(), self._metrics.newest()
        here = self._stack.cpu_cores_here()
        machine = self._machine.read(
            None if here is None else here + cpu_cores(state.seconds[-1].clients)
        )
        for second in state.seconds:
            sample = Sample(
                cell=self._cell.key,
                attempt=self._attempt,
                second=second.second,
                users=second.users,
                requests=second.requests,
                stages=second.stages,
                containers=containers,
                clients=second.clients,
                service=service,
                # One reading for all seconds since the last poll, so it is recorded once.
                machine=machine if second is state.seconds[-1] else None,
                errors=second.errors,
            )
            self._control.emit(sample)
            self._use.add(sample)
        return state

    def _look(self, *, at_most_s: float | None = None) -> None:
        self._control.look(at_most_s=at_most_s)
        if fault := self._stack.fault():
            # A look later than the last one: what is told of the fault must be seen too.
            self._control.note_containers()
            raise fault
