"""Wait for steady numbers: how long, and what is reported meanwhile."""

import math
import time
from collections.abc import Callable

from loadbench.engine.journal.timing.progress import SETTLE
from loadbench.engine.measure.steady import (
    MAX_EXTENSION,
    Steadiness,
    mean_rate,
    needed_window_s,
    settle_limit_s,
    steadiness,
)
from loadbench.engine.numbers import number
from loadbench.engine.profile.model import SETTLE_WINDOWS, Profile
from loadbench.engine.run.control_loop import ControlLoop

_FIRST_SECOND_S = 2.0
"""Seconds until the first full second at the target number of users has been read."""
_CHANGE = 0.2
"""Relative change of the window length after which it is reported again."""


class Settling:
    """The settling phase of an attempt, which starts now.

    Args:
        profile: The profile of the run.
        control: The control loop of the run, with the samples of the attempt.
        clock: Monotonic clock in seconds.
    """

    def __init__(
        self, profile: Profile, control: ControlLoop, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settle, self._name = profile.settle, profile.load.main
        self._control = control
        # Skip the second in which the last user started: not all users were active throughout it.
        self._first = len(control.state.samples) + 1
        self._clock, self._started = clock, clock()
        self._read = -1
        """Number of samples at the last check."""
        self._now = Steadiness(False)
        self._rate = 0.0
        self._reported_s = 0
        """The reported window length. 0 if none was reported."""

    def result(self) -> Steadiness | None:
        """Check the newest samples. Return the result if the phase ends, otherwise None."""
        samples = self._control.state.samples
        if len(samples) != self._read:
            self._read = len(samples)
            # Older seconds are no longer kept in full.
            self._first = max(self._first, len(samples) - samples.whole_s)
            newest = samples[self._first :]
            self._now = steadiness(newest, self._settle.window, self._name)
            self._rate = mean_rate(newest, self._name)
        if self._now.is_steady:
            return self._now
        needed_s = needed_window_s(self._rate, self._settle.window)
        limit_s = settle_limit_s(self._settle, needed_s, samples.whole_s)
        if self._clock() > self._started + limit_s + _FIRST_SECOND_S:
            return Steadiness(False, self._now.reason + self._advice(needed_s, samples.whole_s))
        self._report(needed_s, limit_s)
        return None

    def _report(self, needed_s: int | None, limit_s: float) -> None:
        """Report that windows are longer than usual, once the usual time has passed."""
        if needed_s is None or limit_s == self._settle.max:
            return
        is_usual = self._read - self._first < SETTLE_WINDOWS * self._settle.window
        if is_usual or abs(needed_s - self._reported_s) <= _CHANGE * self._reported_s:
            return
        self._reported_s = needed_s
        rate = number(self._rate)
        text = f"Settling: windows of {needed_s} s, because there is only {rate} req/s"
        self._control.report_progress(SETTLE, text)

    def _advice(self, needed_s: int | None, longest_s: int) -> str:
        """Return what to do if the rate was too low for any windows, or an empty text."""
        if needed_s is None or needed_s <= self._settle.window:
            return ""
        all_s = SETTLE_WINDOWS * needed_s
        if all_s > longest_s:
            return f" (use more users, or set settle.window: {needed_s}s)"
        if all_s > MAX_EXTENSION * self._settle.max:
            max_s = math.ceil(all_s / MAX_EXTENSION)
            return f" (use more users, or set settle.max: {max_s}s)"
        return ""
