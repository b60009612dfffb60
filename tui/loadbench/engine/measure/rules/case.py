"""The input and the result of a verdict rule."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from loadbench.engine.journal.events import CellFinished, Conditions, ErrorCount, Verdict
from loadbench.engine.measure.buckets import num_failures
from loadbench.engine.measure.idle import ScaledService
from loadbench.engine.measure.main_request import results_of_name
from loadbench.engine.profile.plan import Cell

_UNKNOWN = Conditions(begin_s=0.0, in_flight=0.0, thinking=0.0, gaps=(), lag=(), clock_jump_ms=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The input of the rules."""

    cell: Cell
    finished: CellFinished
    """The results of the cell, with the verdict still open."""
    main: str | None = None
    """Name of the main requests. None: all requests."""
    drift: float | None = None
    """Relative change of throughput or median between the first measurement of the first cell and
    this recheck, whichever is larger. None for other cells, or if there is nothing to compare."""
    max_run_time_s: float | None = None
    """Maximum length of an automatic window in seconds. None: the run time is fixed."""
    scaled: ScaledService = field(default_factory=ScaledService)
    """What the run scales."""

    @property
    def results(self) -> CellFinished:
        """The results of the main requests."""
        return results_of_name(self.finished, self.main)

    @property
    def has_other_failures(self) -> bool:
        """Whether requests failed that are no main requests."""
        return num_failures(self.finished.requests) > num_failures(self.results.requests)

    @property
    def conditions(self) -> Conditions:
        """The conditions of the measurement window, or neutral values if they were not recorded."""
        return self.finished.circumstances or _UNKNOWN


@dataclass(frozen=True, slots=True)
class Violation:
    """The result of a rule that applies."""

    text: str
    """A noun phrase with the figure and its limit."""
    value: float | None = None
    """The figure, in the unit that docs/measurement.md gives for the rule. None if there is
    no single figure."""
    limit: float | None = None
    """The maximum or minimum of the figure."""
    verdict: Verdict | None = None
    """The verdict, if it differs from that of the rule."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A check and the verdict for a cell that violates it."""

    verdict: Verdict
    check: Callable[[Case], Violation | None]
    """Returns None if the rule does not apply."""


def most_frequent(errors: Sequence[ErrorCount], *, are_of_others: bool = False) -> str:
    """Return the most frequent error as a suffix, or an empty text.

    Args:
        errors: The errors, most frequent first.
        are_of_others: Whether they include those of other requests than the main ones.
    """
    if not errors:
        return ""
    error = f"{errors[0].error} ({times(errors[0].count)})"
    return f"; most frequent error of all requests: {error}" if are_of_others else f": {error}"


def times(amount: int) -> str:
    """Return a number of times as text, such as `3 times`."""
    return "once" if amount == 1 else f"{amount} times"
