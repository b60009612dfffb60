"""Reads whether the Locust process computes or waits."""

import psutil


class Activity:
    """The activity of a command.

    Args:
        supervisor: Process id of its supervisor, whose only child it is.
    """

    def __init__(self, supervisor: int) -> None:
        self._supervisor = supervisor

    def describe(self) -> str:
        """Return `computing` or `waiting`. Empty if the process has exited.

        A process that is ready to run computes, even if others use the CPU at this moment.
        """
        try:
            for child in psutil.Process(self._supervisor).children():
                is_running = child.status() == psutil.STATUS_RUNNING
                return "computing" if is_running else "waiting"
        except psutil.Error:
            pass
        return ""
