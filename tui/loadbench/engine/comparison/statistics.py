"""The statistics of a comparison, on numbers only. docs/compare.md has all formulas.

Every value is compared by its logarithm, so that a difference of logarithms is a ratio.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from loadbench.engine.comparison.model import CONFIDENCE, Change, Estimate
from loadbench.engine.comparison.student_t import p_value, quantile
from loadbench.engine.comparison.variances import (
    RepeatedValues,
    Variance,
    estimated_variances,
    mean_log,
)

POWER = 0.8
"""Probability with which the smallest difference is shown: Cohen, Statistical Power Analysis for
the Behavioral Sciences, 2nd edition, 1988, chapter 2."""
MAX_EXPONENT = 700.0
"""Largest exponent of a ratio and of the ends of its interval, so that they are finite numbers."""


@dataclass(frozen=True, slots=True)
class ComparedValues:
    """The estimates of one metric."""

    cells: tuple[Estimate, ...]
    mean: Estimate
    """Of the geometric mean of the ratios over all cells."""
    pooled: Variance | None = None
    """None without repeats."""


def geometric_mean(values: Sequence[float]) -> float:
    """Return the geometric mean of values above 0."""
    return math.exp(mean_log(values))


def compare_values(
    cells: Sequence[RepeatedValues], *, material: float, is_more_better: bool = False
) -> ComparedValues:
    """Compare a metric cell by cell, and over all cells.

    Without any repeats, nothing is tested. If fewer than half of the cells have repeats, only these
    are.

    Args:
        cells: Its values in each cell. At least one.
        material: The smallest relative change that matters, such as 0.05.
        is_more_better: Whether a larger value is better.
    """
    variances = estimated_variances(cells)
    ratios = [cell.log_ratio for cell in cells]
    estimates = [Estimate(ratio=_exp(one), change=Change.NOT_TESTED) for one in ratios]
    tested = {
        i: (variance.spread * math.sqrt(cell.share), variance.df)
        for i, (cell, variance) in enumerate(zip(cells, variances.of_cells, strict=True))
        if variance
    }
    levels = corrected_levels([p_value(ratios[i] / error, df) for i, (error, df) in tested.items()])
    for (i, (error, df)), level in zip(tested.items(), levels, strict=True):
        estimates[i] = _estimate(
            ratios[i], error, df, level, material, is_more_better=is_more_better
        )
    mean = Estimate(ratio=_exp(fmean(ratios)), change=Change.NOT_TESTED)
    if of_mean := variances.of_mean:
        mean = _estimate(
            fmean(ratios),
            math.sqrt(of_mean.value),
            of_mean.df,
            CONFIDENCE,
            material,
            is_more_better=is_more_better,
        )
    pooled = variances.pooled if variances.pooled.df else None
    return ComparedValues(tuple(estimates), mean, pooled)


def corrected_levels(p_values: Sequence[float]) -> list[float]:
    """Return the confidence level for each test, so that the intervals agree with the decisions.

    In ascending order of p, the test of rank k of m gets the level (1 − α)^(1 / (m − k + 1)) until
    the first one that does not reject at its level. That one and all after it get this level. So an
    interval excludes 1 exactly if the test rejects, and the probability of any false rejection is
    at most α.

    Source: Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of
    Statistics 6, 1979, pp. 65–70, with the levels of Šidák, Rectangular confidence regions for the
    means of multivariate normal distributions, Journal of the American Statistical Association 62,
    1967, pp. 626–633, which hold for two-sided t tests of independent means.
    """
    levels = [0.0] * len(p_values)
    remaining = len(p_values)
    for i in sorted(range(remaining), key=p_values.__getitem__):
        levels[i] = CONFIDENCE ** (1 / remaining)
        if p_values[i] <= 1 - levels[i]:
            remaining = max(1, remaining - 1)
    return levels


def _estimate(
    log_ratio: float,
    error: float,
    df: float,
    level: float,
    material: float,
    *,
    is_more_better: bool,
) -> Estimate:
    width = quantile(level, df)
    low, high = _exp(log_ratio - width * error), _exp(log_ratio + width * error)
    # POWER is one-sided: 0.8 below the quantile is 0.6 on both sides of 0.
    smallest = _exp((width + quantile(2 * POWER - 1, df)) * error) - 1
    if low <= 1 <= high:
        change = Change.NOT_SHOWN
    elif abs(log_ratio) < math.log1p(material):
        change = Change.TOO_SMALL
    else:
        change = Change.BETTER if (log_ratio > 0) is is_more_better else Change.WORSE
    return Estimate(
        ratio=_exp(log_ratio), change=change, low=low, high=high, level=level, smallest=smallest
    )


def _exp(value: float) -> float:
    return math.exp(min(max(value, -MAX_EXPONENT), MAX_EXPONENT))
