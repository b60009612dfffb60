"""Resource usage of the whole machine, by all processes."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from loadbench.engine.journal.events import Machine

MIN_INTERVAL_S = 0.5
"""Minimum seconds between two readings, since the counters have a resolution of 10 ms."""


class MachineMeter:
    """Measures the resource usage of the whole machine between two readings.

    Args:
        clock: Monotonic clock in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._before = self._read()

    def read(self, own_cpu_cores: float | None) -> Machine | None:
        """Return the averages since the last call that returned a result.

        Args:
            own_cpu_cores: Mean CPU usage of the service and Locust on this machine, in cores.
                None if unknown.

        Returns:
            The averages, or None if less than `MIN_INTERVAL_S` has passed since that call.
        """
        now, before = self._read(), self._before
        elapsed = now.at_s - before.at_s
        if elapsed < MIN_INTERVAL_S:
            return None
        self._before = now
        busy = (now.busy_s - before.busy_s) / elapsed
        runner = (now.runner_s - before.runner_s) / elapsed
        others = None if own_cpu_cores is None else max(0.0, busy - own_cpu_cores - runner)
        return Machine(
            cores=os.cpu_count() or 1,
            cpu_cores=round(busy, 3),
            others_cpu_cores=None if others is None else round(others, 3),
            stolen_cpu_cores=round((now.stolen_s - before.stolen_s) / elapsed, 3),
            swapped_bytes=now.swapped_bytes - before.swapped_bytes,
        )

    def _read(self) -> "_Reading":
        times, swap = psutil.cpu_times(), psutil.swap_memory()
        return _Reading(
            at_s=self._clock(),
            # Without irq and softirq: that time cannot be attributed to a process.
            busy_s=times.user + times.nice + times.system,
            runner_s=time.process_time(),
            stolen_s=getattr(times, "steal", 0.0),
            swapped_bytes=swap.sin + swap.sout,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """Counters since the machine booted."""

    at_s: float
    busy_s: float
    runner_s: float
    stolen_s: float
    swapped_bytes: int
