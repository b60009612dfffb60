"""Following a run: a thread reads its journal as it grows, and posts the state to whoever asked."""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from loadbench import wording
from loadbench.engine.journal.codec import Entry
from loadbench.engine.journal.events import CommandAnswered
from loadbench.engine.journal.state import RunState
from loadbench.engine.run_reader import Run, RunReader, RunStatus
from loadbench.errors import JournalError
from loadbench.ui.following.figures import NO_FIGURES, AttemptFigures, FigureReader
from loadbench.ui.lines.events import EventLine

POLL_S = 0.2
EVENTS_KEPT = 500
RECENT_SAMPLES = 600
"""Of the current cell: what is shown first of a long journal."""
LONG_LINES = 10_000
"""Lines of a cell that has been measured for hours: they take a second or more to read."""
BREATH_S = 0.005


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
    figures: AttemptFigures = NO_FIGURES
    """Of the current cell."""

    def elapsed_s(self, now: float) -> float:
        """Return the seconds that the run has taken; while nothing is said, time goes on."""
        said = self.run.state.elapsed_s
        return said + max(0.0, now - self.read_at) if self.run.status is RunStatus.LIVE else said


class _Ended(Exception):  # noqa: N818  # a request, not an error
    """Nobody waits for what is being read."""


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
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utc,
    ) -> None:
        self._folder = folder
        self._tell, self._fail = tell, fail
        self._clock, self._now = clock, now
        self._ended = threading.Event()
        self._forget()

    def start(self) -> None:
        """Begin to read. The thread keeps no program from ending."""
        threading.Thread(target=self._follow, name="follower", daemon=True).start()

    def stop(self) -> None:
        """Read no more."""
        self._ended.set()

    def _follow(self) -> None:
        try:
            reader = self._first_reader()
            self._read(reader)
            while not self._ended.wait(POLL_S):
                if reader.has_left_out:
                    # Now all of it, while what is newest is shown.
                    self._forget()
                    reader = self._whole_reader()
                self._read(reader)
        except _Ended:
            return
        except JournalError as error:
            self._give_up(error)
        except Exception as error:  # noqa: BLE001  # nobody else would hear of it in this thread
            self._give_up(JournalError(f"{self._folder}: it cannot be shown: {error!r}"))

    def _give_up(self, error: JournalError) -> None:
        if not self._ended.is_set():
            self._fail(error)

    def _first_reader(self) -> RunReader:
        """Return a reader that shows what is newest of a long journal at once."""
        return RunReader(
            self._folder,
            max_samples=RECENT_SAMPLES,
            from_lines=LONG_LINES,
            on_entry=self._note,
        )

    def _whole_reader(self) -> RunReader:
        """Return a reader that leaves nothing out, and the processor to others in between."""

        def breathe() -> None:
            if self._ended.wait(BREATH_S):
                raise _Ended

        return RunReader(self._folder, on_entry=self._note, breathe=breathe)

    def _forget(self) -> None:
        self._run: Run | None = None
        self._newest: Entry | None = None
        self._read_at = 0.0
        self._events: deque[EventLine] = deque(maxlen=EVENTS_KEPT)
        self._told: tuple[EventLine, ...] = ()
        self._answers: dict[str, CommandAnswered] = {}
        self._figures = FigureReader()

    def _note(self, entry: Entry, state: RunState) -> None:
        """Take in an entry, and what the run is after it."""
        self._newest = entry
        if isinstance(entry.event, CommandAnswered):
            self._answers[entry.event.id] = entry.event
        if said := wording.event_line(entry, state):
            self._events.append(EventLine(entry.at, said))

    def _read(self, reader: RunReader) -> None:
        """Take in what is new, and tell of it."""
        before, newest = self._run, self._newest
        run = self._run = reader.poll()
        if self._newest is newest and before and _looks_like(run, before):
            return
        if self._newest is not newest and self._newest:
            self._read_at = self._clock() - self._age_s(self._newest.at)
            events = tuple(self._events)
            # The same as before where nothing was added, so that panels see that at a glance.
            self._told = self._told if events == self._told else events
        if not self._ended.is_set():
            seq = self._newest.seq if self._newest else 0
            figures = self._figures.of(run.state, has_left_out=reader.has_left_out)
            answers = dict(self._answers)
            self._tell(View(run, self._told, answers, self._read_at, seq, figures))

    def _age_s(self, at: str) -> float:
        """Return how long ago something was written, by the time of day."""
        try:
            return max(0.0, (self._now() - datetime.fromisoformat(at)).total_seconds())
        except (ValueError, TypeError):
            return 0.0


def _looks_like(run: Run, before: Run) -> bool:
    """Return whether a run without new entries looks as it did before."""
    return (run.status, run.reports) == (before.status, before.reports)
