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
from loadbench.engine.journal.lock import is_held
from loadbench.engine.journal.progress import remaining_s
from loadbench.engine.journal.reader import JournalReader
from loadbench.engine.journal.state import EMPTY
from loadbench.engine.run_reader import Run, RunStatus, signal_runner, status_of
from loadbench.errors import JournalError

POLL_S = 0.2


class Wish(Enum):
    """What the signals that came ask for."""

    WATCH = auto()
    STOP = auto()
    KILL = auto()
    DETACH = auto()


class Signals:
    """Turns SIGINT, SIGTERM and SIGHUP into wishes, while the block lasts.

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
        self._reader = JournalReader(folder)
        self._state = EMPTY
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
                # Asked before reading: what was written before the lock fell free is then read.
                held = is_held(self._folder)
                self._tell(self._reader.poll())
                status = status_of(self._state, held=held)
                if status is not RunStatus.LIVE and not held:
                    return Run(self._folder, self._state, status)
                self._show(bar, task)
                if signals.wish is Wish.DETACH:
                    return None
                if signals.wish is not done:
                    done = signals.wish
                    self._act(done)
                time.sleep(POLL_S)

    def _tell(self, entries: list[Entry]) -> None:
        # What was told before a resume is not told again.
        resumes = [i for i, entry in enumerate(entries) if isinstance(entry.event, RunResumed)]
        first = len(entries) if self._quiet else resumes[-1] if resumes else 0
        self._quiet = False
        if entries:
            self._read_at = time.monotonic()
        for i, entry in enumerate(entries):
            self._state = self._state.apply(entry)
            line = wording.event_line(entry, self._state) if i >= first else None
            if line:
                self._print(line)

    def _act(self, wish: Wish) -> None:
        if wish is Wish.STOP:
            self._print("stopping, and taking everything down; once more to kill")
            try:
                send_command(self._folder, "stop")
            except JournalError:
                # Where nothing can be written any more, a signal still arrives.
                self._signal(signal.SIGTERM)
        elif wish is Wish.KILL:
            self._print("killed")
            self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        signal_runner(Run(self._folder, self._state, RunStatus.LIVE), number)

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

    def _show(self, bar: Progress, task: TaskID) -> None:
        state, profile = self._state, self._state.profile
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
