"""One attempt at one cell: scale, ramp, settle, measure, drain, report."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from loadbench.engine.bounds.loopback import address_of
from loadbench.engine.drivers.metrics import MetricsPoller
from loadbench.engine.drivers.protocol import Stack
from loadbench.engine.files import write_atomically
from loadbench.engine.journal.events import (
    CellFinished,
    CellPhase,
    Conditions,
    Container,
    Note,
    Phase,
    ReplicaRequests,
    Sample,
    StackProgress,
    Verdict,
)
from loadbench.engine.load.protocol import Load, LoadState, Measured
from loadbench.engine.masking import NO_SECRETS, Masker
from loadbench.engine.measure.conditions import WindowUse, cpu_cores, whole_seconds
from loadbench.engine.measure.steady import Steadiness
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.plan import Cell
from loadbench.engine.report.export.locust_html import with_note
from loadbench.engine.report.verdicts import judge_in_run
from loadbench.engine.requests.pages import PreparedPage
from loadbench.engine.run.control_loop import ControlLoop
from loadbench.engine.run.machine import MachineMeter
from loadbench.engine.run.starts import NOT_READY
from loadbench.engine.run.steps.auto_window import AutoWindow
from loadbench.engine.run.steps.settling import Settling
from loadbench.errors import DiskFullError, JournalError, LoadLostError, StackError

OVERDUE_S = 30.0
"""Seconds that a phase may exceed its planned length before Locust counts as hung."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """The profile of a run and the components that execute it."""

    profile: Profile
    stack: Stack
    load: Load
    metrics: MetricsPoller = field(default_factory=MetricsPoller)
    masker: Masker = NO_SECRETS
    """Masks the secret values of the profile in reports."""
    page: PreparedPage | None = None
    """The page of the run, if its process is prepared before the first cell."""


class CellAttempt:
    """One attempt at measuring a cell.

    Args:
        cell: The cell.
        attempt: Number of the attempt, from 1.
        equipment: The profile and the components of the run.
        control: The control loop that writes events and handles commands.
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
        self._masker = equipment.masker
        self._machine = MachineMeter()
        self._use = WindowUse(range(0))
        self._unloaded: tuple[Container, ...] = ()
        self._control = control
        # Unlike the key, the tag differs between attempts, which may share a Locust process.
        self._tag = f"{cell.key}.{attempt}"

    def start(self) -> None:
        """Scale the service to the cell's number of models, and wait until it is ready.

        Raises:
            StackError: The stack did not become ready.
            EngineError: The Docker engine is unavailable, so no cell can be measured.
            StopRequested: A command or a signal asks the run to stop.
            SkipRequested: A command asks to skip this cell.
        """
        self._enter(Phase.SCALING)
        self._scale()
        self._control.record_containers()

    def measure(self) -> None:
        """Measure the cell after its start, and save its results and its report.

        Raises:
            StackError: Part of the stack failed.
            LoadError: Locust rejected the cell, or its test_start listeners take too long.
            LoadLostError: Locust exited or hung.
            EngineError: The Docker engine is unavailable, so no cell can be measured. The engine
                may have been stopped during the window.
            StopRequested: A command or a signal asks the run to stop.
            SkipRequested: A command asks to skip this cell.
            DiskFullError: No space is left for the results.
        """
        self._enter(Phase.RAMPING)
        self._ramp()
        settled = self._settle()
        self._enter(Phase.MEASURING)
        self._measure_window()
        self._enter(Phase.DRAINING)
        finished = self._judged(self._finished(self._drain(), settled))
        try:
            self._save_report(finished)
        finally:
            # Record the results even if saving the report fails, such as on a full disk.
            self._control.emit(finished)

    def _enter(self, phase: Phase) -> None:
        self._control.emit(CellPhase(cell=self._cell.key, phase=phase))

    def _scale(self) -> None:
        models, timeout_s = self._cell.models, self._profile.stack.startup_timeout
        control, submit = self._control, self._control.background.submit
        # Stops have limits of their own, so they do not count towards the timeout.
        control.wait_for(submit(self._stack.shrink, models, control.report_progress))
        start = time.monotonic()
        control.wait_for(
            submit(self._stack.scale, models, control.report_progress), self._what_starts
        )
        missing: str | None = None
        reported, scaled = "", time.monotonic()
        while missing := control.wait_for(
            submit(self._stack.missing, models),
            # Later, what is missing is known and has been reported.
            lambda: "" if missing else f"the service to be ready, at most {timeout_s:g} s",
        ):
            if time.monotonic() > start + timeout_s:
                raise StackError(f"{NOT_READY} ({timeout_s:g} s): {missing}")
            if missing != reported and time.monotonic() - scaled > control.quiet_s:
                text = f"Waiting until ready, at most {timeout_s:g} s: {missing}"
                control.report_progress("wait", text)
                reported = missing
            self._poll()
        replicas = self._stack.replicas
        places = [f"{one.name} at {one.url}" for one in replicas] or [self._stack.host]
        text = f"Requests go to {', '.join(places)}"
        self._control.emit(StackProgress(step="ready", line=text))

    def _what_starts(self) -> str:
        """Return what the start waits for, with its time limit."""
        text = f"the service to start, at most {self._profile.stack.startup_timeout:g} s"
        pending = [
            f"{one.name} is {one.state if one.state != 'running' else one.health}"
            for one in self._stack.containers()
            if (one.state == "running" and one.health not in (None, "healthy"))
            or one.state in ("created", "restarting", "paused")
        ]
        return f"{text}: {', '.join(pending)}" if pending else text

    def _ramp(self) -> None:
        host, replicas = self._stack.host, self._stack.replicas
        self._unloaded = self._stack.containers()
        if len(replicas) > 1:
            # The metrics of one replica would not describe the service.
            self._metrics.pause()
        else:
            self._metrics.follow(host)
        urls = [one.url for one in replicas]
        control, load = self._control, self._load
        task = control.background.submit(load.swarm, self._cell, host, self._tag, urls)
        control.wait_for(task, load.awaited)
        for text in load.notes():
            control.emit(Note(text=text))
        self._observe_until(lambda now: now.spawned, within_s=self._cell.level.ramp_s + OVERDUE_S)

    def _settle(self) -> Steadiness | None:
        """Wait for steady numbers; return the last check, or None if settling is disabled."""
        if not self._profile.settle.max:
            return None
        self._enter(Phase.SETTLING)
        settling = Settling(self._profile, self._control)
        while True:
            self._observe()
            if result := settling.result():
                return result
            self._poll()

    def _measure_window(self) -> None:
        seconds = self._profile.max_window_s
        begin_s = self._load.measure(seconds)
        # All seconds read so far end before the window starts.
        newest = self._control.state.samples[-1:]
        window = whole_seconds(begin_s, seconds)
        self._use = WindowUse(window, *newest, unloaded=self._unloaded)
        auto: AutoWindow | None = None
        if self._profile.is_run_time_auto:
            auto = AutoWindow(self._profile, self._control, self._load, begin_s)

        def has_ended(now: LoadState) -> bool:
            return now.remaining_s == 0 or (auto is not None and auto.is_backed())

        self._observe_until(has_ended, within_s=seconds + OVERDUE_S)
        if auto:
            self._use.end(whole_seconds(begin_s, self._load.end_window()))

    def _drain(self) -> Measured:
        control, started, reported = self._control, time.monotonic(), ""
        stopping = control.background.submit(self._load.stop)
        control.wake_when_done(stopping)
        while not stopping.done():
            self._observe()
            self._poll()
            is_quiet = time.monotonic() - started > control.quiet_s
            if is_quiet and (text := self._load.awaited()) and text != reported:
                control.report_progress("wait", f"Waiting for {text}")
                reported = text
        stopping.result()
        for text in self._load.notes():
            control.emit(Note(text=text))
        self._observe()
        return self._load.measured()

    def _save_report(self, finished: CellFinished) -> None:
        """Save Locust's report of the cell. Record a failure as a note, unless the disk is full."""
        name, profile = self._cell.report_name, self._profile
        try:
            page = with_note(self._load.report(), finished, profile.goals, profile.load.main)
            write_atomically(self._control.folder / name, self._masker.data(page))
        except DiskFullError:
            raise
        except (LoadLostError, JournalError) as error:
            self._control.emit(Note(text=f"{name} was not saved: {error}"))

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
            settled=settled.is_steady if settled else None,
            unsettled=settled.reason if settled else "",
            exceptions=measured.exceptions,
            fewest_users=measured.fewest_users,
            clients=measured.clients,
            host=self._stack.host,
            replicas=self._with_names(measured.replicas),
            user_classes=measured.user_classes,
            early_failures=measured.early_failures,
            notes=measured.notes,
            measurements=measured.measurements,
            circumstances=self._conditions(measured),
        )

    def _with_names(self, requests: Iterable[ReplicaRequests]) -> tuple[ReplicaRequests, ...]:
        """Return the requests of all replicas, with the names of their containers, in order."""
        by_host = {one.host: one for one in requests}
        named = tuple(
            replace(by_host.pop(host, ReplicaRequests(host=host)), name=one.name)
            for one in self._stack.replicas
            for host in (address_of(one.url),)
        )
        # Users may also send requests to other addresses.
        return (*named, *by_host.values())

    def _judged(self, finished: CellFinished) -> CellFinished:
        verdict, findings = judge_in_run(self._control.state, self._cell, finished)
        return replace(finished, verdict=verdict, findings=findings)

    def _conditions(self, measured: Measured) -> Conditions:
        return replace(
            measured.circumstances,
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
                raise LoadLostError(f"Locust made no progress within {within_s:g} s")
            self._poll(max_wait_s=state.remaining_s if state else None)

    def _observe(self) -> LoadState | None:
        """Read the seconds since the last poll and write them to the journal.

        Returns:
            Locust's state, or None if Locust still runs another cell or did not respond.
        """
        state = self._load.state(len(self._control.state.samples))
        if state is None or state.cell != self._tag:
            return None
        if not state.seconds:
            return state
        containers, service = self._stack.containers(), self._metrics.newest()
        stack_cores = self._stack.local_cpu_cores()
        machine = self._machine.read(
            None if stack_cores is None else stack_cores + cpu_cores(state.seconds[-1].clients)
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
                # One reading covers all seconds since the last poll, so record it once.
                machine=machine if second is state.seconds[-1] else None,
                errors=second.errors,
                measurements=second.measurements,
            )
            self._control.emit(sample)
            self._use.add(sample)
        return state

    def _poll(self, *, max_wait_s: float | None = None) -> None:
        self._control.poll(max_wait_s=max_wait_s)
        if fault := self._stack.fault():
            # The container may have failed after the last poll; record its status first.
            self._control.record_containers()
            raise fault
