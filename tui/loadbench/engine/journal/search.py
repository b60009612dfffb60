"""Values of the events about a search for the capacity: why a cell is measured, what is known."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import Field

_Amount = Annotated[float, Field(ge=0, le=10**15)]
_Models = Annotated[int, Field(ge=1, le=10**15)]


class ProbeReason(StrEnum):
    """Why a search measures a cell. Later versions may add reasons."""

    FIRST = "first"
    """The middle of the range, because nothing is known yet."""
    PREDICTED = "predicted"
    """The load that the capacity of another number of models predicts."""
    HIGHER = "higher"
    """A larger load, because no load has missed a goal yet."""
    LOWER = "lower"
    """A smaller load, because no load has met all goals yet."""
    BETWEEN = "between"
    """A load between the largest that passed and the smallest that missed."""
    SPAWN_RATE = "spawn_rate"
    """Another spawn rate of the same load, which must pass at every one."""
    REPEAT = "repeat"
    """Another of the repeats that the profile asks for."""
    CONFIRM = "confirm"
    """Another repeat of an edge of the bracket."""
    TIE = "tie"
    """Another repeat, because the earlier ones disagree."""
    RETRY = "retry"
    """Another repeat, because the results were unusable or undecided."""
    RECHECK = "recheck"
    """The first cell again, at the end of the run."""


class StopReason(StrEnum):
    """Why a search ended, as a whole or for a number of models."""

    EDGE_FOUND = "edge_found"
    """No load of the profile lies between the largest that passed and the smallest that missed."""
    TOP_PASSED = "top_passed"
    """The largest load of the profile passed."""
    BOTTOM_FAILED = "bottom_failed"
    """The smallest load of the profile missed a goal."""
    TOO_SMALL = "too_small"
    """Throughput grows up to the largest load of the profile, but does not reach its goal."""
    SATURATED = "saturated"
    """The largest load passed, but throughput no longer grows with the load."""
    UNDECIDED = "undecided"
    """No remaining load led to usable results: cells failed, were skipped or had too few requests.
    """
    BUDGET_USED = "budget_used"
    """The time of the budget does not suffice for another cell."""
    MAX_CELLS = "max_cells"
    """The run has as many cells as `max_cells` of the profile allows."""


_DECIDED = frozenset(
    {
        StopReason.EDGE_FOUND,
        StopReason.TOP_PASSED,
        StopReason.SATURATED,
        StopReason.BOTTOM_FAILED,
        StopReason.TOO_SMALL,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bracket:
    """What a search knows about the capacity of one number of models."""

    models: _Models
    passed: _Amount | None = None
    """The largest load that passed, below the smallest that missed. None if none passed."""
    missed: _Amount | None = None
    """The smallest load that missed a goal. None if none did."""
    reason: str = ""
    """A `StopReason`. Empty while the search continues, or if it was interrupted."""
    is_confirmed: bool = False
    """Whether both edges were measured more than once, or are far from all limits."""

    @property
    def is_decided(self) -> bool:
        """Whether the search has a result for this number of models.

        A reason of a later version is unknown, so it is none.
        """
        return self.reason in _DECIDED

    @property
    def is_known(self) -> bool:
        """Whether any load passed or missed."""
        return self.passed is not None or self.missed is not None
