"""A measurement window that lasts until the percentiles have enough samples."""

import math

from loadbench.engine.journal.timing.progress import MEASURE
from loadbench.engine.load.protocol import Load
from loadbench.engine.measure.sampling.backed import missing_samples, sample_needs
from loadbench.engine.profile.model import Profile
from loadbench.engine.run.control_loop import ControlLoop

REPORT_S = 10
"""Seconds between two progress lines."""


class AutoWindow:
    """The open measurement window of a profile with `run_time: auto`.

    Args:
        profile: The profile of the run.
        control: The control loop of the run, with the samples of the attempt.
        load: The load generator.
        begin_s: Start of the window in seconds, as in `Sample.second`.
    """

    def __init__(self, profile: Profile, control: ControlLoop, load: Load, begin_s: float) -> None:
        self._profile, self._control, self._load = profile, control, load
        self._needs = sample_needs(profile.goals, profile.load.main)
        self._begin_s, self._first = begin_s, math.ceil(begin_s)
        self._read = len(control.state.samples)
        """Number of samples of the attempt at the last check."""
        self._reported_s = 0.0
        """Length of the window at the last progress line."""

    def is_backed(self) -> bool:
        """Return whether there are enough samples and the minimum length is reached.

        The samples of the load generator are asked for once per second.
        """
        if not self._read_seconds():
            return False
        length_s = self._control.state.samples[-1].second + 1 - self._begin_s
        if length_s < self._profile.min_run_time:
            return False
        counted = self._load.samples()
        if counted is None:
            return False
        missing = missing_samples(
            self._needs, counted, is_long=length_s > self._profile.load.timeout
        )
        if missing and length_s >= self._reported_s + REPORT_S:
            self._reported_s = length_s
            self._control.report_progress(MEASURE, f"Measuring: {missing[0]}")
        return not missing

    def _read_seconds(self) -> bool:
        """Return whether there is a new second that is entirely in the window."""
        samples, before = self._control.state.samples, self._read
        self._read = len(samples)
        return any(one.second >= self._first for one in samples[before:])
