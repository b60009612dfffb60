"""Running totals of an attempt, accumulated as samples arrive."""

from dataclasses import dataclass, field

from loadbench.engine.journal.events import ErrorCount, Measurement, Phase, Requests, Stages
from loadbench.engine.journal.state import RunState
from loadbench.engine.journal.time_bucket import RequestTotals


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningTotals:
    """Totals over part of an attempt."""

    is_measured: bool
    """True if they cover the measurement window so far, False if all samples before it."""
    seconds: int
    requests: tuple[Requests, ...]
    measurements: tuple[Measurement, ...]
    stages: Stages
    errors: tuple[ErrorCount, ...]
    """Sorted by frequency, descending."""


@dataclass(slots=True)
class Accumulator:
    """Accumulate the totals of one attempt at a time, reading each sample once."""

    _source: tuple[object, ...] = ()
    _seconds: int = 0
    _totals: RequestTotals = field(default_factory=RequestTotals)

    def of(self, state: RunState) -> RunningTotals:
        """Return the totals of the current attempt.

        Until the measurement window begins, they cover all samples; then only those of the window.

        Args:
            state: The state of the run. Its samples must extend those of the last call or belong to
                another attempt.
        """
        samples, measured = state.samples, state.indices_in(Phase.MEASURING)
        counted, first = measured or range(len(samples)), samples.first
        attempt = (first.cell, first.attempt, first.second) if first else ()
        source = (*attempt, counted.start, bool(measured))
        next_index = counted.start + self._seconds
        if source != self._source or next_index > counted.stop or samples.divides(next_index):
            self._source, self._totals, next_index = source, RequestTotals(), counted.start
        for part in samples.parts(next_index, counted.stop):
            self._totals.add(part)
        self._seconds = len(counted)
        return RunningTotals(
            is_measured=bool(measured),
            seconds=len(counted),
            requests=self._totals.requests,
            measurements=self._totals.measurements,
            stages=self._totals.stages,
            errors=self._totals.errors,
        )
