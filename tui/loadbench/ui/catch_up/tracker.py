"""How far a run was seen on one screen, and when to save that. Pure: no Textual, no clock."""

from dataclasses import dataclass
from datetime import datetime

from loadbench.engine.journal.state import ENDED_STATUSES
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.ui.catch_up.seen import Seen
from loadbench.ui.following.follower import View

WATCHED_S = 120.0
"""Seconds after the last input during which the user counts as present. A server may notice a lost
connection only minutes later."""

SAVE_S = 10.0
"""Minimum seconds between two saves while the screen is open."""


@dataclass(slots=True, kw_only=True)
class SeenTracker:
    """Tracks how far the run was seen. Times in seconds are those of one monotonic clock."""

    seen: Seen | None = None
    """How far the run was seen; None: never seen live."""
    _saved: Seen | None = None
    _saved_at_s: float = float("-inf")
    _saved_milestones: tuple[object, ...] = ()
    _input_at_s: float = float("-inf")

    def start(self, saved: Seen | None) -> None:
        """Continue from the record in the file; None: there is none."""
        self.seen = self._saved = saved

    def on_user_input(self, *, clock_s: float) -> None:
        """Record that the user is present."""
        self._input_at_s = clock_s

    def is_watched(self, *, clock_s: float) -> bool:
        """Return whether the user counts as present."""
        return clock_s - self._input_at_s < WATCHED_S

    def mark_seen(self, view: View, *, clock_s: float, now: datetime) -> Seen | None:
        """Record a view as seen. A finished run is recorded only if it was seen live before.

        Args:
            view: The view on the screen.
            clock_s: Monotonic time.
            now: Time of day.

        Returns:
            The record, if it has to be saved now.
        """
        is_live = view.run.status is RunStatus.LIVE
        if not is_live and self.seen is None:
            return None
        self.seen = Seen(seq=view.seq, live=is_live, at=now)
        milestones = _milestones(view.run)
        if milestones == self._saved_milestones or clock_s - self._saved_at_s < SAVE_S:
            return None
        self._saved_at_s, self._saved_milestones = clock_s, milestones
        return self.take_unsaved()

    def take_unsaved(self) -> Seen | None:
        """Return the record if it has changed since the last save, and count it as saved."""
        if self.seen == self._saved:
            return None
        self._saved = self.seen
        return self.seen


def _milestones(run: Run) -> tuple[object, ...]:
    """Return a value that changes with each important event of the run."""
    return run.status, run.state.count(*ENDED_STATUSES), run.state.messages[-1:]
