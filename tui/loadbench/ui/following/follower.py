"""Follow a run: read its journal in a thread as it grows, and publish the state of the run."""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from loadbench import wording
from loadbench.engine.journal.codec import Entry
from loadbench.engine.journal.events import CellStarted, CommandAnswered
from loadbench.engine.journal.state import RunState
from loadbench.engine.run_reader import Run, RunReader, RunStatus
from loadbench.errors import JournalError
from loadbench.ui.following.figures import NO_FIGURES, AttemptFigures, FigureReader
from loadbench.ui.lines.events import EventLine, event_cell, event_outcome

POLL_S = 0.2
MAX_EVENTS = 500
RECENT_SAMPLES = 600
"""Number of samples of the current cell that are read first if a journal is long."""
LONG_LINES = 10_000
"""Minimum number of lines of a long journal, which takes a second or more to read."""
BREATH_S = 0.005
"""Pause after each part of a long journal, in seconds."""


def utc() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class View:
    """The newest state of a run, as read from its journal."""

    run: Run
    events: tuple[EventLine, ...] = ()
    """The last events, oldest first."""
    answers: Mapping[str, CommandAnswered] = field(default_factory=dict)
    """Answers to commands, by command id."""
    read_at: float = 0.0
    """Time of the newest entry, on the follower's clock."""
    seq: int = 0
    """Number of the newest entry."""
    figures: AttemptFigures = NO_FIGURES
    """Figures of the current cell."""

    def elapsed_s(self, now: float) -> float:
        """Return the duration of the run, up to `now` if it is live.

        Args:
            now: Current time, on the follower's clock.
        """
        elapsed_s = self.run.state.elapsed_s
        if self.run.status is not RunStatus.LIVE:
            return elapsed_s
        return elapsed_s + max(0.0, now - self.read_at)


class _Stopped(Exception):  # noqa: N818  # a signal to stop, not an error
    """The follower was stopped during a read."""


class Follower:
    """Reads one journal in a thread until `stop` is called.

    Args:
        folder: The run's folder.
        on_view: Called from the follower's thread with each new view.
        on_error: Called from that thread if the journal cannot be read. The thread then ends.
        clock: Monotonic time in seconds.
        now: Returns the current time in UTC.
    """

    def __init__(
        self,
        folder: Path,
        *,
        on_view: Callable[[View], object],
        on_error: Callable[[JournalError], object],
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utc,
    ) -> None:
        self._folder = folder
        self._on_view, self._on_error = on_view, on_error
        self._clock, self._now = clock, now
        self._stopped = threading.Event()
        self._reset()

    def start(self) -> None:
        """Start reading in a daemon thread, which does not delay the exit of the program."""
        threading.Thread(target=self._follow, name="follower", daemon=True).start()

    def stop(self) -> None:
        """Stop reading."""
        self._stopped.set()

    def _follow(self) -> None:
        try:
            reader = self._recent_reader()
            self._read(reader)
            while not self._stopped.wait(POLL_S):
                if reader.has_dropped_samples:
                    # Read the whole journal while the UI shows its newest part.
                    self._reset()
                    reader = self._whole_reader()
                self._read(reader)
        except _Stopped:
            return
        except JournalError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001  # an exception in a thread would go unnoticed
            self._fail(JournalError(f"{self._folder}: internal error: {error!r}"))

    def _fail(self, error: JournalError) -> None:
        if not self._stopped.is_set():
            self._on_error(error)

    def _recent_reader(self) -> RunReader:
        """Return a reader that skips older samples of a long journal."""
        return RunReader(
            self._folder,
            max_samples=RECENT_SAMPLES,
            min_lines=LONG_LINES,
            on_entry=self._add,
        )

    def _whole_reader(self) -> RunReader:
        """Return a reader of the whole journal that pauses between its parts."""

        def yield_cpu() -> None:
            if self._stopped.wait(BREATH_S):
                raise _Stopped

        return RunReader(self._folder, on_entry=self._add, yield_cpu=yield_cpu)

    def _reset(self) -> None:
        self._run: Run | None = None
        self._newest: Entry | None = None
        self._read_at = 0.0
        self._events: deque[EventLine] = deque(maxlen=MAX_EVENTS)
        self._shown_events: tuple[EventLine, ...] = ()
        self._answers: dict[str, CommandAnswered] = {}
        self._figures = FigureReader()

    def _add(self, entry: Entry, state: RunState) -> None:
        """Add an entry, with the state of the run after that entry."""
        self._newest = entry
        if isinstance(entry.event, CommandAnswered):
            self._answers[entry.event.id] = entry.event
        if text := wording.event_line(entry, state):
            word, tone = event_outcome(entry.event)
            cell, is_start = event_cell(entry.event, state), isinstance(entry.event, CellStarted)
            self._events.append(EventLine(entry.at, text, word, tone, cell, is_start))

    def _read(self, reader: RunReader) -> None:
        """Read new entries, and publish a view if the run has changed."""
        before, newest = self._run, self._newest
        run = self._run = reader.poll()
        if self._newest is newest and before and _looks_like(run, before):
            return
        if self._newest is not newest and self._newest:
            self._read_at = self._clock() - self._age_s(self._newest.at)
            events = tuple(self._events)
            # Keep the same object if the events are equal, so that panels compare them quickly.
            if events != self._shown_events:
                self._shown_events = events
        if not self._stopped.is_set():
            seq = self._newest.seq if self._newest else 0
            figures = self._figures.of(run.state, has_dropped_samples=reader.has_dropped_samples)
            answers = dict(self._answers)
            run.results.compute()
            self._on_view(View(run, self._shown_events, answers, self._read_at, seq, figures))

    def _age_s(self, at: str) -> float:
        """Return the seconds since an ISO 8601 timestamp, or 0 if it is invalid."""
        try:
            return max(0.0, (self._now() - datetime.fromisoformat(at)).total_seconds())
        except (ValueError, TypeError):
            return 0.0


def _looks_like(run: Run, before: Run) -> bool:
    """Return whether a run without new entries looks the same as before."""
    return (run.status, run.reports) == (before.status, before.reports)
