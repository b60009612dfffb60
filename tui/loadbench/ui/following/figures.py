"""The figures of an attempt that take time to compute: its totals, and the points of its charts.

They are computed in the threads that read journals. For an attempt of a day that takes a second.
"""

from dataclasses import dataclass

from loadbench.engine.journal.state import RunState
from loadbench.engine.report.running_totals import Accumulator, RunningTotals
from loadbench.engine.report.slices import Slice, Slices


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptFigures:
    """What is computed of the samples of one attempt."""

    totals: RunningTotals | None = None
    """None: it has no sample yet, or older ones have not been read yet."""
    slices: tuple[Slice, ...] = ()


NO_FIGURES = AttemptFigures()


class FigureReader:
    """Computes the figures of one attempt after another, as their samples arrive."""

    def __init__(self) -> None:
        self._accumulator, self._slices = Accumulator(), Slices()

    def of(self, state: RunState, *, has_left_out: bool = False) -> AttemptFigures:
        """Return the figures of the current attempt.

        Args:
            state: The run.
            has_left_out: Older samples have not been read yet, so that there are no totals.
        """
        if not state.samples:
            return NO_FIGURES
        totals = None if has_left_out else self._accumulator.of(state)
        return AttemptFigures(totals=totals, slices=tuple(self._slices.of(state.samples)))
