"""The runner's control loop: it writes events, follows commands and waits."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

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
    StackProgress,
)
from loadbench.engine.journal.state import RunState
from loadbench.engine.journal.writer import JournalWriter
from loadbench.engine.report.export.summary import write_summary
from loadbench.engine.requests.command_rules import Answer, answer_to
from loadbench.errors import DiskFullError, JournalError

TICK_S = 0.2

T = TypeVar("T")


class StopRequested(Exception):  # noqa: N818  # a request, not an error
    """Somebody wants the run to end."""


class SkipRequested(Exception):  # noqa: N818  # a request, not an error
    """Somebody wants the current cell to be left out."""


@dataclass(slots=True)
class StopFlag:
    """Set by a signal handler, which may do no more: locks may be held where it interrupts."""

    reason: str | None = None

    def ask(self, reason: str) -> None:
        """Ask the run to end; the first reason counts."""
        self.reason = self.reason or reason


class ControlLoop:
    """Keeps the state of the run, which is the fold of its journal, and follows commands.

    Args:
        folder: The run's folder.
        journal: Open and locked.
        state: The fold of everything the journal holds.
        stop: What a signal handler sets to end the run.
        tick_s: Seconds between two looks at everything.
    """

    def __init__(
        self,
        folder: Path,
        journal: JournalWriter,
        state: RunState,
        *,
        stop: StopFlag | None = None,
        tick_s: float = TICK_S,
    ) -> None:
        self.folder = folder
        self.state = state
        self.background = ThreadPoolExecutor(1, thread_name_prefix="background")
        self._journal = journal
        self._tick_s = tick_s
        self._commands = CommandReader(folder)
        self._unanswered: list[Command] = []
        self._progress: list[tuple[str, str]] = []
        self._woken = threading.Event()
        self._stop = stop or StopFlag()
        self._containers: Callable[[], tuple[Container, ...]] = lambda: self.state.containers

    def watch(self, containers: Callable[[], tuple[Container, ...]]) -> None:
        """Look at the containers too from now on, and write down when one comes, goes or ends."""
        self._containers = containers

    def emit(self, event: Event) -> None:
        """Put an event into the journal and into the state."""
        self.state = self.state.apply(self._journal.append(event))

    def say(self, step: str, line: str) -> None:
        """Take a step's newest line, in whatever thread; the runner's own thread writes it."""
        self._progress.append((step, line))

    def look(self, *, at_most_s: float | None = None) -> None:
        """Wait for a tick, then act on whatever was asked for.

        Raises:
            StopRequested: Somebody wants the run to end.
            SkipRequested: Somebody wants the current cell to be left out.
        """
        self._woken.wait(self._tick_s if at_most_s is None else min(self._tick_s, at_most_s))
        self._woken.clear()
        self._write_progress()
        self.note_containers()
        if self._stop.reason:
            raise StopRequested(self._stop.reason)
        self._unanswered += self._commands.poll()
        while self._unanswered:
            # Taken out first: following one may end the cell or the run, and the others wait.
            self._follow(self._unanswered.pop(0))

    def wake_after(self, task: Future[Any]) -> None:
        """End the wait of the current or next look as soon as a task has ended."""
        task.add_done_callback(lambda _: self._woken.set())

    def wait_for(self, task: Future[T]) -> T:
        """Return what a task in the background returns, following commands meanwhile.

        Raises:
            StopRequested: Somebody wants the run to end.
            SkipRequested: Somebody wants the current cell to be left out.
            Exception: What the task raised.
        """
        self.wake_after(task)
        self.look()
        while not task.done():
            self.look()
        self._write_progress()
        return task.result()

    def note_containers(self) -> None:
        """Put the containers into the journal where they are not as they were."""
        now = self._containers()
        if [_standing(it) for it in self.state.containers] != [_standing(it) for it in now]:
            self.emit(Containers(containers=now))

    def reject_stale_commands(self) -> None:
        """Answer the commands that a former runner of this run left unanswered."""
        self._reject_all("stale: the run was not live")

    def finish(self, result: Result, reason: str, left: str | None = None) -> None:
        """Say how the run ended, and what is left; a full disk has room for that in its reserve."""
        with suppress(OSError):
            self._journal.release_reserve()
        with suppress(JournalError):
            self._reject_all("the run has ended")
            self.emit(RunFinished(result=result, reason=reason, left=left))
        with suppress(JournalError):
            write_summary(self.state, self.folder)

    def save_summary(self) -> None:
        """Write the summary, which can be had from the journal again; a full disk is one though.

        Raises:
            DiskFullError: There is no space left.
        """
        try:
            write_summary(self.state, self.folder)
        except DiskFullError:
            raise
        except JournalError as error:
            self.emit(Note(text=f"{error}; `report` makes the summary anew"))

    def _follow(self, command: Command) -> None:
        if command.id in self.state.answered:
            return
        answer = answer_to(command, self.state)
        current = self.state.current
        self._answer(command, answer)
        if not answer.accepted:
            return
        match command.command:
            case "stop":
                raise StopRequested("asked for")
            case "skip" if answer.cell == current:
                raise SkipRequested
            case "skip" if answer.cell:
                attempt = self.state.cells[answer.cell].attempt
                self.emit(CellSkipped(cell=answer.cell, attempt=attempt, reason="asked for"))

    def _reject_all(self, message: str) -> None:
        unanswered, self._unanswered = [*self._unanswered, *self._commands.poll()], []
        for command in unanswered:
            if command.id not in self.state.answered:
                self._answer(command, Answer(False, message))

    def _answer(self, command: Command, answer: Answer) -> None:
        self.emit(
            CommandAnswered(
                id=command.id,
                command=command.command,
                accepted=answer.accepted,
                message=answer.message,
                cell=answer.cell,
                added=answer.added,
            )
        )

    def _write_progress(self) -> None:
        while self._progress:
            step, line = self._progress.pop(0)
            self.emit(StackProgress(step=step, line=line))


def _standing(it: Container) -> tuple[object, ...]:
    return it.name, it.state, it.exit_code, it.health, it.oom_killed, it.restarts
