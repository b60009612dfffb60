"""The plain view of a run: a line an event, a bar on a terminal."""

import signal
import time
from contextlib import suppress
from dataclasses import replace
from enum import Enum, auto
from pathlib import Path
from types import FrameType, TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from loadbench import wording
from loadbench.engine.journal.codec import Entry
from loadbench.engine.journal.commands import send_command
from loadbench.engine.journal.events import RunResumed
from loadbench.engine.journal.progress import remaining_s
from loadbench.engine.journal.state import RunState
from loadbench.engine.run_reader import Run, RunReader, RunStatus, signal_runner
from loadbench.errors import JournalError

POLL_S = 0.2


class Wish(Enum):
    """What the signals that came ask for."""

    WATCH = auto()
    STOP = auto()
    KILL = auto()
    DETACH = auto()


class Signals:
    """Turns SIGINT, SIGTERM and SIGHUP into options, while the block lasts.

    Args:
        first: What a first SIGINT or SIGTERM asks for.
    """

    def __init__(self, first: Wish = Wish.STOP) -> None:
        self.wish = Wish.WATCH
        self._first = first
        self._former: dict[signal.Signals, object] = {}

    def __enter__(self) -> "Signals":
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._former[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # it came from signal()

    def ask_to_stop(self) -> None:
        """Have the run stopped, as by a first SIGINT."""
        self.wish = Wish.STOP

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        # No more than this: where a handler interrupts, any lock may be held.
        match self.wish:
            case Wish.WATCH:
                self.wish = Wish.DETACH if number == signal.SIGHUP else self._first
            case Wish.STOP if number != signal.SIGHUP:
                self.wish = Wish.KILL


class PlainView:
    """Follows one run and tells of it.

    Args:
        folder: The run's folder.
        console: Where lines and the bar go.
        quiet: Do not tell what happened before now.
    """

    def __init__(self, folder: Path, console: Console, *, quiet: bool = False) -> None:
        self._folder = folder
        self._console = console
        self._reader = RunReader(folder, on_entry=self._note)
        self._lines: list[str] = []
        self._quiet = quiet
        self._read_at = time.monotonic()

    def watch(self, signals: Signals) -> Run | None:
        """Follow the run until it ends.

        SIGINT and SIGTERM stop it, a second one kills it; SIGHUP leaves it alone.

        Returns:
            The run as it ended; None: it goes on, and nobody looks.
        """
        done = Wish.WATCH
        with self._bar() as bar:
            task = bar.add_task("", total=None)
            while True:
                run = self._reader.poll()
                self._tell()
                if run.status is not RunStatus.LIVE and not run.is_held:
                    return run
                self._show(bar, task, run.state)
                if signals.wish is Wish.DETACH:
                    return None
                if signals.wish is not done:
                    done = signals.wish
                    self._act(done, run)
                time.sleep(POLL_S)

    def _note(self, entry: Entry, state: RunState) -> None:
        """Take in an entry, and what the run is after it."""
        self._read_at = time.monotonic()
        if isinstance(entry.event, RunResumed):
            # What was told before a resume is not told again.
            self._lines.clear()
        if line := wording.event_line(entry, state):
            self._lines.append(line)

    def _tell(self) -> None:
        lines, self._lines = self._lines, []
        for line in () if self._quiet else lines:
            self._print(line)
        self._quiet = False

    def _act(self, wish: Wish, run: Run) -> None:
        if wish is Wish.STOP:
            self._print("stopping, and taking everything down; once more to kill")
            try:
                send_command(self._folder, "stop")
            except JournalError:
                # Where nothing can be written any more, a signal still arrives.
                signal_runner(run, signal.SIGTERM)
        elif wish is Wish.KILL:
            self._print("killed")
            signal_runner(run, signal.SIGKILL)

    def _print(self, line: str) -> None:
        with suppress(BrokenPipeError, OSError):
            plain = wording.printable(line)
            # Words are kept together where a person reads, lines where a program does.
            whole = not self._console.is_terminal
            self._console.print(plain, markup=False, highlight=False, soft_wrap=whole)

    def _bar(self) -> Progress:
        return Progress(
            BarColumn(bar_width=8),
            TextColumn("{task.description}", markup=False),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
            refresh_per_second=2,
        )

    def _show(self, bar: Progress, task: TaskID, state: RunState) -> None:
        profile = state.profile
        if not self._console.is_terminal or profile is None:
            return
        # While nothing is said, time goes on all the same.
        state = replace(state, elapsed_s=state.elapsed_s + time.monotonic() - self._read_at)
        left = remaining_s(profile, state)
        bar.update(
            task,
            description=wording.progress_line(state, left),
            completed=state.elapsed_s,
            total=max(state.elapsed_s + left, 1),
        )
