"""Which load to measure next within a bracket.

Without a prediction, the bracket is bisected. With one, the search starts there and gallops away
from it with steps of 1, 1, 2, 4 and so on until both edges are known, then bisects (J. L. Bentley
and A. C. Yao, An almost optimal algorithm for unbounded searching, Information Processing Letters
5, 1976). A good prediction needs two loads: the edges.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf, log, sqrt


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRange:
    """The open range of loads that may contain the capacity."""

    low: float
    """0 if no load passed."""
    high: float
    """Infinite if no load missed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherRow:
    """The result for another number of models."""

    models: int
    passed: float | None
    missed: float | None


def next_amount(
    amounts: Sequence[float],
    candidates: Sequence[float],
    known: OpenRange,
    start: float | None = None,
) -> float:
    """Return the load to measure next.

    Args:
        amounts: The loads of the profile, ascending.
        candidates: Those within the range that can be measured, ascending, at least one.
        known: The range.
        start: The predicted load. None if there is no prediction.
    """
    is_bracketed = known.low > 0 and known.high < inf
    if start is None or (is_bracketed and not known.low < start < known.high):
        return candidates[len(candidates) // 2]
    if known.low < start < known.high:
        return _nearest(amounts, candidates, bisect_left(amounts, start))
    first = bisect_left(amounts, start)
    if known.low >= start:
        last = bisect_right(amounts, known.low) - 1
        return _nearest(amounts, candidates, last + max(1, last - first))
    last = bisect_left(amounts, known.high)
    return _nearest(amounts, candidates, last - max(1, first - last))


def predicted(
    amounts: Sequence[float], models: int, references: Iterable[OtherRow]
) -> float | None:
    """Return the load of the profile at which to start, or None if nothing is known.

    The capacity of the nearest other number of models is scaled to this one. It lies between the
    two edges there, so their geometric mean is scaled. More models are not expected to have a
    smaller capacity, nor fewer models a larger one.

    Args:
        amounts: The loads of the profile, ascending.
        models: The number of models.
        references: The results for other numbers of models, oldest first.
    """
    known = [one for one in references if one.passed is not None or one.missed is not None]
    if not known:
        return None
    nearest = min(reversed(known), key=lambda one: abs(log(models / one.models)))
    passed, missed = nearest.passed, nearest.missed
    capacity = sqrt(passed * missed) if passed and missed else passed or missed or amounts[0]
    scaled = capacity * models / nearest.models
    start = amounts[max(0, bisect_right(amounts, scaled) - 1)]
    limit = passed or amounts[0]
    return max(start, limit) if models > nearest.models else min(start, limit)


def _nearest(amounts: Sequence[float], candidates: Sequence[float], index: int) -> float:
    """Return the candidate nearest to an index of the loads, which may be out of range."""
    target = amounts[min(max(index, 0), len(amounts) - 1)]
    place = bisect_left(candidates, target)
    near = candidates[max(0, place - 1) : place + 1]
    return min(near, key=lambda amount: abs(bisect_left(amounts, amount) - index))
