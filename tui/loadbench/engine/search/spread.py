"""How much repeats differ, and how far a result is from its limits in these units.

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


def margin(level: LevelOutcome, spreads: Mapping[str, float]) -> float:
    """Return by how many spreads the results of a level are on their side of the limits.

    A level that missed is as far as its clearest miss, a level that passed as near as its nearest
    limit. Without a spread, and after the exit of a replica, the margin is 0.

    Args:
        level: The level, decided.
        spreads: As returned by `spreads_of`.
    """
    if level.outcome is Outcome.PASSED:
        return min((-_distance(check, spreads) for check in level.checks), default=0.0)
    missed = (check for check in level.checks if check.outcome is Outcome.MISSED)
    return max((_distance(check, spreads) for check in missed), default=0.0)


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
