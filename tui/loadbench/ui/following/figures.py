"""Compute the totals of an attempt and the points of its charts.

This runs in the threads that read journals, because it is slow: about one second for an attempt
that lasted a day.
"""

from dataclasses import dataclass

from loadbench.engine.journal.state import RunState
from loadbench.engine.measure.main_request import main_of
from loadbench.engine.report.running_totals import Accumulator, RunningTotals
from loadbench.engine.report.slices import Slice, Slices


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptFigures:
    """Figures computed from the samples of one attempt."""

    totals: RunningTotals | None = None
    """None if there are no samples, or if older samples have not been read yet."""
    slices: tuple[Slice, ...] = ()


NO_FIGURES = AttemptFigures()


class FigureReader:
    """Compute the figures of the current attempt incrementally, as samples arrive."""

    def __init__(self) -> None:
        self._accumulator, self._slices = Accumulator(), Slices()

    def of(self, state: RunState, *, has_dropped_samples: bool = False) -> AttemptFigures:
        """Return the figures of the current attempt.

        Args:
            state: The state of the run.
            has_dropped_samples: Whether older samples have not been read yet. If so, the totals
                are None.
        """
        if not state.samples:
            return NO_FIGURES
        totals = None if has_dropped_samples else self._accumulator.of(state)
        slices = self._slices.of(state.samples, main_of(state.profile))
        return AttemptFigures(totals=totals, slices=tuple(slices))
