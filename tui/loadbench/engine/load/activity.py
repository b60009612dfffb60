"""Reads whether the Locust process computes or waits."""

import time

import psutil

_COMPUTING_CORES = 0.5
"""CPU usage from which a process computes: more than half of the time."""

_INTERVAL_S = 0.5
"""Minimum time between two readings."""


class Activity:
    """The CPU usage of a command. `update` reads it, and `text` describes it.

    Args:
        supervisor: Process id of its supervisor, whose only child it is.
    """

    def __init__(self, supervisor: int) -> None:
        self._supervisor = supervisor
        self._last: tuple[float, float] | None = None
        self.text = ""
        """`computing` or `waiting`. Empty if it is not known yet."""

    def update(self) -> None:
        """Read the CPU usage since the last call."""
        now = time.monotonic()
        try:
            children = psutil.Process(self._supervisor).children(recursive=True)
            cpu_s = sum(sum(one.cpu_times()[:2]) for one in children)
        except psutil.Error:
            return
        if self._last is None:
            self._last = now, cpu_s
        elif now - self._last[0] >= _INTERVAL_S:
            cores = (cpu_s - self._last[1]) / (now - self._last[0])
            self.text = "computing" if cores > _COMPUTING_CORES else "waiting"
            self._last = now, cpu_s
