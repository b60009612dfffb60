"""Following a run: a thread reads its journal as it grows, and posts the state to whoever asked."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from loadbench import wording
from loadbench.engine.journal.codec import without_samples
from loadbench.engine.journal.events import CommandAnswered
from loadbench.engine.journal.lock import is_held
from loadbench.engine.journal.reader import JournalReader
from loadbench.engine.journal.state import EMPTY
from loadbench.engine.run_reader import Run, RunStatus, status_of
from loadbench.errors import JournalError
from loadbench.ui.present.event_lines import EventLine

POLL_S = 0.2
EVENTS_KEPT = 500
AT_ONCE_LINES = 10_000
RECENT_SAMPLES = 600
Clock = Callable[[], float]


def utc() -> datetime:
    """Return the time of day, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class View:
    """A run as it was last read."""

    run: Run
    events: tuple[EventLine, ...] = ()
    """The last ones, oldest first."""
    answers: Mapping[str, CommandAnswered] = field(default_factory=dict)
    """The answers to commands, by the id of the command."""
    read_at: float = 0.0
    """When the newest entry was written, by the follower's clock."""
    seq: int = 0
    """Number of the newest entry."""

    def elapsed_s(self, now: float) -> float:
        """Return the seconds that the run has taken; while nothing is said, time goes on."""
        said = self.run.state.elapsed_s
        return said + max(0.0, now - self.read_at) if self.run.status is RunStatus.LIVE else said


class Follower:
    """Reads one journal until it is told to stop.

    Args:
        folder: The run's folder.
        tell: Called from the follower's own thread with every new view.
        fail: Called from there, once, when the journal cannot be read; it then ends.
        clock: Monotonic seconds.
        now: The time of day, in UTC.
    """

    def __init__(
        self,
        folder: Path,
        *,
        tell: Callable[[View], object],
        fail: Callable[[JournalError], object],
        clock: Clock = time.monotonic,
        now: Callable[[], datetime] = utc,
    ) -> None:
        self._tell, self._fail = tell, fail
        self._clock, self._now = clock, now
        self._reader = JournalReader(folder)
        self._view = View(Run(folder, EMPTY, RunStatus.INTERRUPTED))
        self._held = False
        self._ended = threading.Event()

    def start(self) -> None:
        """Begin to read. The thread keeps no program from ending."""
        threading.Thread(target=self._follow, name="follower", daemon=True).start()

    def stop(self) -> None:
        """Read no more."""
        self._ended.set()

    def _follow(self) -> None:
        try:
            self._read_first()
            while not self._ended.wait(POLL_S):
                self._read(self._wanted())
        except JournalError as error:
            self._give_up(error)
        except Exception as error:  # noqa: BLE001  # nobody else would hear of it in this thread
            path = self._reader.path
            self._give_up(JournalError(f"{path}: it cannot be shown: {error!r}"))

    def _give_up(self, error: JournalError) -> None:
        if not self._ended.is_set():
            self._fail(error)

    def _read_first(self) -> None:
        lines = self._wanted()
        if len(lines) > AT_ONCE_LINES:
            # A cell that has been measured for hours: what is newest is shown first.
            blank = self._view
            self._read(without_samples(lines, but_last=RECENT_SAMPLES))
            self._view = blank
            self._ended.wait(POLL_S)
            self._read(lines, gently=True)
        else:
            self._read(lines)

    def _read(self, lines: list[bytes], *, gently: bool = False) -> None:
        """Take in what is new, and tell of it.

        Args:
            lines: What is new.
            gently: Leave the processor to others in between.
        """
        before = self._view
        folder, state = before.run.folder, before.run.state
        told, answers = [], dict(before.answers)
        newest: str | None = None
        seq = before.seq
        for number, line in enumerate(lines):
            if gently and not number % 50 and self._ended.wait(0.005):
                return
            entry = self._reader.decode(line)
            if entry is None:
                continue
            state, newest, seq = state.apply(entry), entry.at, entry.seq
            if isinstance(entry.event, CommandAnswered):
                answers[entry.event.id] = entry.event
            if said := wording.event_line(entry, state):
                told.append(EventLine(entry.at, said))
        if state.started is None:
            raise JournalError(f"{folder}: no run was started in it")
        status = status_of(state, held=self._held)
        self._view = View(
            Run(folder, state, status),
            (*before.events, *told)[-EVENTS_KEPT:] if told else before.events,
            answers,
            self._clock() - self._age_s(newest) if newest else before.read_at,
            seq,
        )
        if (lines or status is not before.run.status) and not self._ended.is_set():
            self._tell(self._view)

    def _wanted(self) -> list[bytes]:
        # Asked before reading: what was written before the lock fell free is then read.
        self._held = is_held(self._view.run.folder)
        return self._reader.wanted()

    def _age_s(self, at: str) -> float:
        """Return how long ago something was written, by the time of day."""
        try:
            return max(0.0, (self._now() - datetime.fromisoformat(at)).total_seconds())
        except (ValueError, TypeError):
            return 0.0
