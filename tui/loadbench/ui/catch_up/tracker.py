"""Track the position up to which the user has seen a run, and decide when to save it."""

from dataclasses import dataclass
from datetime import datetime

from loadbench.engine.journal.state import ENDED_STATUSES
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.ui.catch_up.seen import Seen
from loadbench.ui.following.follower import View

WATCHED_S = 120.0
"""Seconds after the last input during which the user counts as present.

It is limited because a server may take minutes to detect a lost connection."""

SAVE_S = 10.0
"""Minimum interval between two saves while the screen is open, in seconds."""


@dataclass(slots=True, kw_only=True)
class SeenTracker:
    """Track the last seen position. All `clock_s` values come from the same monotonic clock."""

    seen: Seen | None = None
    """The last seen position. None if the run was never seen live."""
    _saved: Seen | None = None
    _saved_at_s: float = float("-inf")
    _saved_milestones: tuple[object, ...] = ()
    _input_at_s: float = float("-inf")

    def start(self, saved: Seen | None) -> None:
        """Start from the saved position, or from None if there is none."""
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
            view: The displayed view.
            clock_s: Monotonic time.
            now: Current date and time.

        Returns:
            The position if it must be saved now, or None.
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
        """Return the position and mark it as saved, or return None if it is already saved."""
        if self.seen == self._saved:
            return None
        self._saved = self.seen
        return self.seen


def _milestones(run: Run) -> tuple[object, ...]:
    """Return a value that changes with each important event of the run."""
    return run.status, run.state.count(*ENDED_STATUSES), run.state.messages[-1:]
