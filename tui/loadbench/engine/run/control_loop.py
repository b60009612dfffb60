"""The runner's control loop: write events, handle commands and wait."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from loadbench.engine.bounds.texts import shortened
from loadbench.engine.journal.commands import Command, CommandReader
from loadbench.engine.journal.events import (
    CellSkipped,
    CommandAnswered,
    Container,
    Containers,
    Event,
    Note,
    Result,
    RunFinished,
    RunLabelled,
    StackProgress,
)
from loadbench.engine.journal.state import ENDED_STATUSES, RunState
from loadbench.engine.journal.writer import JournalWriter
from loadbench.engine.report.export.summary import SummaryWriter
from loadbench.engine.requests.command_rules import Answer, answer_to
from loadbench.engine.run.space import SpaceWatch
from loadbench.engine.run.steps.stop_flag import StopFlag, StopRequested
from loadbench.errors import DiskFullError, JournalError, SummaryKeptError

TICK_S = 0.2
"""Default seconds between two polls."""

QUIET_S = 3.0
"""Default seconds without progress before a wait is reported; most waits are shorter."""

MAX_ANSWER_CHARACTERS = 500
"""Maximum length of the answer to a command."""

UNSAVED_SHARE = 0.05
"""Largest share of the ended cells that may be missing in the saved summary."""

ON_REQUEST = "on request"
"""Reason recorded when a command stops the run or skips a cell."""

T = TypeVar("T")


class SkipRequested(Exception):  # noqa: N818  # a request, not an error
    """A command asks to skip the current cell."""


class ControlLoop:
    """Writes events, maintains the state of the run and handles commands.

    Args:
        folder: The run's folder.
        journal: The open and locked journal.
        state: The state of the run after all entries of the journal.
        stop: Flag that a signal handler or a timer sets to stop the run.
        tick_s: Seconds between two polls.
        quiet_s: Seconds without progress before a wait is reported.
        space: Watches the free space. None watches the file system of the folder.
    """

    def __init__(
        self,
        folder: Path,
        journal: JournalWriter,
        state: RunState,
        *,
        stop: StopFlag | None = None,
        tick_s: float = TICK_S,
        quiet_s: float = QUIET_S,
        space: SpaceWatch | None = None,
    ) -> None:
        self.folder = folder
        self.state = state
        self.background = ThreadPoolExecutor(1, thread_name_prefix="background")
        self._journal = journal
        self.quiet_s = quiet_s
        self._tick_s = tick_s
        self._commands = CommandReader(folder)
        self._has_noted_problem = self._has_noted_lines = self._is_kept_noted = False
        self._unanswered: list[Command] = []
        self._progress: list[tuple[str, str]] = []
        self._quiet_since = 0.0
        # What the background task waits for, even after a skip.
        self._what: Callable[[], str] = str
        self._wakeup = threading.Event()
        self.stop = stop or StopFlag()
        self._space = space or SpaceWatch(folder)
        self._summary = SummaryWriter(folder)
        self._unsaved = 0
        """Number of cells that have ended since the summary was written."""
        self._containers: Callable[[], tuple[Container, ...]] = lambda: self.state.containers

    def watch_containers(self, containers: Callable[[], tuple[Container, ...]]) -> None:
        """Set the function that returns the containers whose changes `poll` records."""
        self._containers = containers

    def emit(self, event: Event) -> None:
        """Write an event to the journal and apply it to the state."""
        self.state = self.state.apply(self._journal.append(event))

    def report_progress(self, step: str, line: str) -> None:
        """Queue the newest output line of a step for the next poll. Any thread may call this."""
        self._progress.append((step, line))

    def poll(self, *, max_wait_s: float | None = None) -> None:
        """Wait for one tick, then write progress and handle commands.

        Args:
            max_wait_s: Maximum seconds to wait, if shorter than a tick.

        Raises:
            StopRequested: A command or a signal asks the run to stop.
            SkipRequested: A command asks to skip the current cell.
            DiskFullError: The disk will soon be full.
        """
        self._wakeup.wait(self._tick_s if max_wait_s is None else min(self._tick_s, max_wait_s))
        self._wakeup.clear()
        self._write_progress()
        self.record_containers()
        if self.stop.reason:
            raise StopRequested(self.stop.reason)
        if not self._unanswered:
            self._unanswered = self._read_commands()
        if self._commands.has_more:
            self._wakeup.set()
        while self._unanswered:
            # Remove the command first: handling it may raise, and the others must stay queued.
            self._handle(self._unanswered.pop(0))
        self._space.check(self.state)

    def wake_when_done(self, task: Future[Any]) -> None:
        """End the wait of the current or next poll as soon as a task is done."""
        task.add_done_callback(lambda _: self._wakeup.set())

    def wait_for(self, task: Future[T], what: Callable[[], str] = str) -> T:
        """Wait for a background task while handling commands, and return its result.

        Args:
            task: The task.
            what: Returns what the task waits for, with its limit: `Locust to start, at most 30 s`.
                Unless empty, it is recorded after `quiet_s` without progress.

        Raises:
            StopRequested: A command or a signal asks the run to stop.
            SkipRequested: A command asks to skip the current cell.
            DiskFullError: The disk will soon be full.
            Exception: Raised by the task.
        """
        self._what = what
        self._wait_until_done(task, what)
        self._what = str
        return task.result()

    def wait_for_skipped(self) -> None:
        """Wait for the background task of a skipped cell and ignore its result. See `wait_for`."""
        what, task = self._what, self.background.submit(lambda: None)
        self._wait_until_done(task, lambda: f"the skipped cell: {what() or 'its last step'}")
        self._what = str

    def check_space(self) -> None:
        """Check the disk before another cell is measured. Warn once if it is too small for all.

        Raises:
            DiskFullError: The disk has too little space for one cell.
        """
        if warning := self._space.check_before_cell(self.state):
            self.emit(Note(text=warning))

    def record_containers(self) -> None:
        """Write the containers to the journal if their status has changed."""
        containers = self._containers()
        before = [_status(container) for container in self.state.containers]
        if before != [_status(container) for container in containers]:
            self.emit(Containers(containers=containers))

    def reject_stale_commands(self) -> None:
        """Reject the commands that a previous runner of this run left unanswered."""
        self._reject_all("stale: sent while the run was not live")

    def finish(self, result: Result, reason: str, left: str | None = None) -> None:
        """Record the end of the run, using the reserved space if the disk is full.

        Args:
            result: How the run ended.
            reason: Why it ended.
            left: Description of what the clean-up left behind. None if nothing remains.
        """
        with suppress(OSError):
            self._journal.release_reserve()
        with suppress(JournalError):
            self._reject_all("the run has ended")
            if self._commands.invalid_lines > 1:
                skipped = f"{self._commands.invalid_lines} invalid lines"
                self.emit(Note(text=f"{self._commands.path.name}: skipped {skipped}"))
            self._note_if_summary_is_kept()
        # Even if the lines above could not be written.
        with suppress(JournalError):
            self.emit(RunFinished(result=result, reason=reason, left=left))
        with suppress(JournalError):
            self._summary.write(self.state)

    def cell_ended(self) -> None:
        """Save the summary, unless only a small share of its cells is new.

        The time to write it grows with the number of cells, so saving it after every cell of a long
        run would take a quadratic time.

        Raises:
            DiskFullError: No space is left on the disk.
        """
        self._unsaved += 1
        if self._unsaved >= UNSAVED_SHARE * self.state.count(*ENDED_STATUSES):
            self.save_summary()

    def save_summary(self) -> None:
        """Write the summary if cells have ended since it was last written.

        A failure is recorded as a note, since `report` can rebuild the summary.

        Raises:
            DiskFullError: No space is left on the disk.
        """
        if not self._unsaved:
            return
        self._unsaved = 0
        try:
            self._summary.write(self.state)
        except DiskFullError:
            raise
        except SummaryKeptError:
            self._note_if_summary_is_kept()
        except JournalError as error:
            self.emit(Note(text=f"{error}. To rebuild the summary: loadbench-tui report"))

    def _note_if_summary_is_kept(self) -> None:
        try:
            self._summary.check(self.state)
        except SummaryKeptError as error:
            if not self._is_kept_noted:
                self._is_kept_noted = True
                self.emit(Note(text=f"warning: {error}"))

    def _handle(self, command: Command) -> None:
        if command.id in self.state.answered:
            return
        answer = answer_to(command, self.state)
        current = self.state.current
        self._answer(command, answer)
        if not answer.accepted:
            return
        match command.command:
            case "stop":
                raise StopRequested(ON_REQUEST)
            case "label":
                self.emit(RunLabelled(label=answer.label))
            case "skip" if answer.cell == current:
                raise SkipRequested
            case "skip" if answer.cell:
                attempt = self.state.cells[answer.cell].attempt
                self.emit(CellSkipped(cell=answer.cell, attempt=attempt, reason=ON_REQUEST))

    def _read_commands(self) -> list[Command]:
        """Return new commands. Record once that the file is unreadable, or has invalid lines."""
        reader = self._commands
        commands = reader.poll()
        if reader.problem and not self._has_noted_problem:
            self._has_noted_problem = True
            text = (
                f"warning: {reader.path}: {reader.problem}. The run continues, but viewers cannot "
                "send commands, except to stop it: loadbench-tui stop "
                f"{self.folder.parent.name}/{self.folder.name}"
            )
            self.emit(Note(text=text))
        if reader.invalid_lines and not self._has_noted_lines:
            self._has_noted_lines = True
            text = f"warning: {reader.path.name}: a line is not a valid command and was skipped"
            self.emit(Note(text=text))
        return commands

    def _reject_all(self, message: str) -> None:
        unanswered, self._unanswered = [*self._unanswered, *self._read_commands()], []
        while unanswered or self._commands.has_more:
            for command in unanswered:
                if command.id not in self.state.answered:
                    self._answer(command, Answer(False, message))
            unanswered = self._read_commands()

    def _answer(self, command: Command, answer: Answer) -> None:
        self.emit(
            CommandAnswered(
                id=command.id,
                command=command.command,
                accepted=answer.accepted,
                message=shortened(answer.message, MAX_ANSWER_CHARACTERS),
                cell=answer.cell,
                added=answer.added,
            )
        )

    def _wait_until_done(self, task: Future[Any], what: Callable[[], str]) -> None:
        self._quiet_since, reported = time.monotonic(), ""
        self.wake_when_done(task)
        self.poll()
        while not task.done():
            is_quiet = time.monotonic() - self._quiet_since >= self.quiet_s
            if is_quiet and (text := what()) and text != reported:
                self.report_progress("wait", f"Waiting for {text}")
                reported = text
            self.poll()
        self._write_progress()

    def _write_progress(self) -> None:
        while self._progress:
            step, line = self._progress.pop(0)
            self._quiet_since = time.monotonic()
            self.emit(StackProgress(step=step, line=line))


def _status(container: Container) -> tuple[object, ...]:
    return (
        container.name,
        container.state,
        container.exit_code,
        container.health,
        container.oom_killed,
        container.restarts,
    )
