"""Requests to stop a run that do not come from a command."""

import threading
from dataclasses import dataclass

BUDGET_USED = "the budget of the search is used up"
"""Reason of a stop at the end of the budget."""


class StopRequested(Exception):  # noqa: N818  # a request, not an error
    """A command, a signal or the end of the budget asks the run to stop."""


@dataclass(slots=True)
class StopFlag:
    """A stop request from a signal handler, which must not acquire locks, or from a timer."""

    reason: str | None = None

    def set(self, reason: str) -> None:
        """Request a stop. Only the first reason is kept."""
        self.reason = self.reason or reason

    def set_after(self, seconds: float) -> threading.Timer:
        """Request a stop at the end of the budget.

        Args:
            seconds: Seconds from now.

        Returns:
            The timer, to cancel the request.
        """
        timer = threading.Timer(seconds, self.set, [BUDGET_USED])
        timer.daemon = True
        timer.start()
        return timer
