"""How much repeats differ, and whether a result is far enough from its limits not to be repeated.

Values are compared on a logarithmic scale, on which latencies of repeats have about the same
spread at each load. The variance is pooled over all levels with repeats, as in an analysis of
variance (NIST/SEMATECH e-Handbook of Statistical Methods, section 7.4.3.2).
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from statistics import fmean

from loadbench.engine.report.recommendation.goals import GoalCheck, Outcome
from loadbench.engine.report.recommendation.loads import LevelOutcome

FAR_SPREADS = 3.0
"""Distance from a limit, in spreads, from which a result is not repeated. A normal value exceeds it
with a probability of 0.13 %."""
MIN_DEGREES = 6
"""Minimum degrees of freedom of a spread. With six, it is less than half of the true spread with a
probability of 4 % (chi-squared distribution)."""


def spreads_of(levels: Iterable[LevelOutcome]) -> dict[str, float]:
    """Return the standard deviation of ln(value) over repeats, by the key of the goal.

    Goals with fewer than `MIN_DEGREES` degrees of freedom are omitted.

    Args:
        levels: The measured levels of a run.
    """
    squares: defaultdict[str, float] = defaultdict(float)
    degrees: defaultdict[str, int] = defaultdict(int)
    for level in levels:
        if len(level.repeats) < 2:
            continue
        for key, values in _logarithms(level).items():
            mean = fmean(values)
            squares[key] += sum((value - mean) ** 2 for value in values)
            degrees[key] += len(values) - 1
    return {
        key: math.sqrt(squares[key] / degrees[key])
        for key in squares
        if degrees[key] >= MIN_DEGREES
    }


def is_far(level: LevelOutcome, spreads: Mapping[str, float]) -> bool:
    """Return whether the results of a level are farther than three spreads from its limits.

    A level that missed must be far beyond one limit, a level that passed far below all of them. The
    exit of a replica is never far, because it has no value.

    Args:
        level: The level.
        spreads: As returned by `spreads_of`.
    """
    if level.outcome is Outcome.PASSED:
        return all(_distance(check, spreads) < -FAR_SPREADS for check in level.checks)
    missed = (check for check in level.checks if check.outcome is Outcome.MISSED)
    return any(_distance(check, spreads) > FAR_SPREADS for check in missed)


def _logarithms(level: LevelOutcome) -> dict[str, list[float]]:
    """Return ln(share of the limit) of each repeat, by the key of the goal."""
    found: defaultdict[str, list[float]] = defaultdict(list)
    for repeat in level.repeats:
        for check in repeat.checks:
            if 0 < check.usage < math.inf:
                found[check.goal.key].append(math.log(check.usage))
    return found


def _distance(check: GoalCheck, spreads: Mapping[str, float]) -> float:
    """Return by how many spreads a value is beyond its limit. Negative if it meets the goal.

    Without a spread it is 0.
    """
    spread = spreads.get(check.goal.key)
    if not spread:
        return 0.0
    if check.usage <= 0:
        return -math.inf
    return math.log(check.usage) / spread
