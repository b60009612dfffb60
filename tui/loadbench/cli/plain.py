"""The plain view of a run: one line per event, and a progress bar on a terminal."""

import signal
import time
from dataclasses import replace
from pathlib import Path

from loadbench import wording
from loadbench.cli.live_output import LiveOutput
from loadbench.cli.signals import SignalAction, Signals
from loadbench.engine.journal.codec import Entry
from loadbench.engine.journal.events import CellFinished, RunResumed
from loadbench.engine.journal.state import RunState
from loadbench.engine.report.recommendation.sentences import answer
from loadbench.engine.requests.pages import PAGE_NAME
from loadbench.engine.requests.stopping import signal_runner, stop_run
from loadbench.engine.run_reader import Run, RunReader, RunStatus
from loadbench.engine.search.eta import remaining_range_s
from loadbench.wording.measurements import measurement_lines

POLL_S = 0.2
"""Seconds between two polls of the journal."""
ENDING_POLL_S = 0.02
"""Seconds between two polls after the end of the run, while its page is written."""


class PlainView:
    """Follows one run and prints its progress.

    Args:
        folder: Folder of the run.
        quiet: Whether to omit the events recorded before `watch` starts.
    """

    def __init__(self, folder: Path, *, quiet: bool = False) -> None:
        self._folder = folder
        self._output = LiveOutput()
        self._reader = RunReader(folder, on_entry=self._on_entry)
        self._lines: list[str] = []
        self._quiet = quiet
        self._shows_answer = not quiet
        self._answer = ""
        self._read_at = time.monotonic()

    def watch(self, signals: Signals) -> Run | None:
        """Follow the run until it ends.

        SIGINT or SIGTERM stops the run, a second one kills it; SIGHUP detaches.

        Returns:
            The run that ended, or None if a signal detached the view.
        """
        handled = SignalAction.WATCH
        with self._output:
            while True:
                run = self._reader.poll()
                self._print_new_lines()
                self._print_answer(run)
                if run.status is not RunStatus.LIVE and not run.is_held:
                    return run
                self._show_progress(run)
                if signals.action is SignalAction.DETACH:
                    return None
                if signals.action is not handled:
                    handled = signals.action
                    if run.status is not RunStatus.LIVE:
                        return run  # only its page is still being written
                    self._act(handled, run)
                time.sleep(POLL_S if run.status is RunStatus.LIVE else ENDING_POLL_S)

    def _on_entry(self, entry: Entry, state: RunState) -> None:
        """Queue the output lines of an entry; `state` is the run's state after the entry."""
        self._read_at = time.monotonic()
        if isinstance(entry.event, RunResumed):
            # Print only the events after the resume.
            self._lines.clear()
        if line := wording.event_line(entry, state):
            self._lines.append(line)
        if isinstance(entry.event, CellFinished):
            self._lines += [f"    {line}" for line in measurement_lines(entry.event)]

    def _print_new_lines(self) -> None:
        lines, self._lines = self._lines, []
        for line in () if self._quiet else lines:
            self._output.line(line)
        self._quiet = False

    def _print_answer(self, run: Run) -> None:
        """Print the recommendation so far, if a cell has changed it."""
        found = run.recommendation
        text = answer(found) if found and found.configurations and not found.is_complete else ""
        if text and text != self._answer and self._shows_answer:
            self._output.line(text)
        self._answer = text

    def _act(self, action: SignalAction, run: Run) -> None:
        if action is SignalAction.STOP:
            self._output.line(
                "Stopping the run and tearing the service down. Press Ctrl+C again to kill the run."
            )
            stop_run(run)
        elif action is SignalAction.KILL:
            self._output.line("Killed the runner")
            signal_runner(run, signal.SIGKILL)

    def _show_progress(self, run: Run) -> None:
        state, profile = run.state, run.state.profile
        if not self._output.is_terminal or profile is None:
            return
        if run.status is not RunStatus.LIVE:
            # The runner still holds the lock.
            self._output.show_progress(f"Writing {PAGE_NAME}", 1, 1)
            return
        # Add the time since the newest event.
        state = replace(state, elapsed_s=state.elapsed_s + time.monotonic() - self._read_at)
        left, longest = remaining_range_s(profile, state)
        text = wording.progress_line(state, left, longest)
        self._output.show_progress(text, state.elapsed_s, max(state.elapsed_s + longest, 1))
