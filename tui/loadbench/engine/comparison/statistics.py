"""The statistics of a comparison, on numbers only. docs/compare.md has all formulas.

Every value is compared by its logarithm, so that a difference of logarithms is a ratio, and the
spread of repeats, which grows with the value, is about the same in all cells. That spread is
estimated from all cells of both runs together: three repeats of one cell know too little about it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from loadbench.engine.comparison.model import CONFIDENCE, Change, Estimate
from loadbench.engine.comparison.student_t import p_value, quantile

MIN_SPREAD = 0.001
"""Smallest standard deviation of logarithms that is assumed. Latencies are recorded with three
significant digits, so that equal values may differ by up to this much, and more."""

MAX_SPREAD_RATIO = 3.0
"""A cell whose standard deviation is larger than this many times that of the others keeps its own.

Only a larger one: with three repeats each, a third of the common standard deviation or less occurs
by chance in 2 % of all cells (χ² with 4 degrees of freedom below 4/9), three times or more in less
than 0.001 % (above 36). A small one that is believed gives a false alarm; see docs/compare.md."""
MIN_POOLED_DF = 8
"""Degrees of freedom of the others from which on a cell can be compared with them."""

POWER = 0.8
"""Probability with which the smallest difference is shown: Cohen, Statistical Power Analysis for
the Behavioral Sciences, 2nd edition, 1988, §2.4."""


@dataclass(frozen=True, slots=True)
class RepeatedValues:
    """The values of a metric of one cell in both runs: one per repeat, all above 0."""

    before: Sequence[float]
    after: Sequence[float]

    @property
    def log_ratio(self) -> float:
        """Logarithm of the ratio of the geometric means, after / before."""
        return _mean_log(self.after) - _mean_log(self.before)

    @property
    def share(self) -> float:
        """The variance of the log ratio as a share of that of a value: 1/n₁ + 1/n₂."""
        return 1 / len(self.before) + 1 / len(self.after)


@dataclass(frozen=True, slots=True)
class Variance:
    """An estimated variance of logarithms."""

    value: float
    df: int
    """Degrees of freedom. 0 if there are no repeats."""

    @property
    def spread(self) -> float:
        """The standard deviation, not below the rounding of the values."""
        return max(math.sqrt(self.value), MIN_SPREAD)


@dataclass(frozen=True, slots=True)
class ComparedValues:
    """The estimates of one metric."""

    cells: tuple[Estimate, ...]
    mean: Estimate
    """Of the geometric mean of the ratios over all cells."""
    pooled: Variance | None = None
    """None without a test."""


def geometric_mean(values: Sequence[float]) -> float:
    """Return the geometric mean of values above 0."""
    return math.exp(_mean_log(values))


def compare_values(
    cells: Sequence[RepeatedValues], *, material: float, is_more_better: bool = False
) -> ComparedValues:
    """Compare a metric cell by cell, and over all cells.

    Without any repeats, nothing is tested.

    Args:
        cells: Its values in each cell. At least one.
        material: The smallest relative change that matters, such as 0.05.
        is_more_better: Whether a larger value is better.
    """
    pooled, variances = cell_variances(cells)
    ratios = [cell.log_ratio for cell in cells]
    if not pooled.df:
        untested = [Estimate(ratio=math.exp(one), change=Change.NOT_TESTED) for one in ratios]
        mean = Estimate(ratio=math.exp(fmean(ratios)), change=Change.NOT_TESTED)
        return ComparedValues(tuple(untested), mean)
    errors = [
        variance.spread * math.sqrt(cell.share)
        for cell, variance in zip(cells, variances, strict=True)
    ]
    levels = holm_levels(
        [
            p_value(ratio / error, variance.df)
            for ratio, error, variance in zip(ratios, errors, variances, strict=True)
        ]
    )
    estimates = [
        _estimate(ratio, error, variance.df, level, material, is_more_better=is_more_better)
        for ratio, error, variance, level in zip(ratios, errors, variances, levels, strict=True)
    ]
    error = math.sqrt(math.fsum(one * one for one in errors)) / len(cells)
    df = _mean_df(errors, variances, pooled)
    mean = _estimate(fmean(ratios), error, df, CONFIDENCE, material, is_more_better=is_more_better)
    return ComparedValues(tuple(estimates), mean, pooled)


def cell_variances(cells: Sequence[RepeatedValues]) -> tuple[Variance, list[Variance]]:
    """Return the pooled variance, and the variance to use for each cell.

    That is the pooled one, except in cells that are much noisier than the others; these are not in
    the pool. From the cells with the smaller half of the variances upwards, each next one is
    compared with the pool of all smaller ones. So several noisy cells do not hide each other.
    """
    own = [_own_variance(cell) for cell in cells]
    repeated = sorted((i for i, one in enumerate(own) if one.df), key=lambda i: own[i].value)
    total, df, num_pooled = 0.0, 0, 0
    for i in repeated:
        is_comparable = num_pooled >= len(repeated) / 2 and df >= MIN_POOLED_DF
        pooled = Variance(total / df if df else 0.0, df)
        if is_comparable and own[i].spread > MAX_SPREAD_RATIO * pooled.spread:
            break
        total, df, num_pooled = total + own[i].value * own[i].df, df + own[i].df, num_pooled + 1
    pooled = Variance(total / df if df else 0.0, df)
    noisy = set(repeated[num_pooled:])
    return pooled, [one if i in noisy else pooled for i, one in enumerate(own)]


def holm_levels(p_values: Sequence[float]) -> list[float]:
    """Return the confidence level for each test, so that the intervals agree with Holm's decisions.

    In ascending order of p, the test of rank k of m gets the level 1 − α/(m − k + 1) until the
    first one that does not reject at its level. That one and all after it get this level. So an
    interval excludes 1 exactly if the test rejects, and the probability of any false rejection is
    at most α.

    Source: Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of
    Statistics 6, 1979, pp. 65–70.
    """
    alpha, number = 1 - CONFIDENCE, len(p_values)
    levels = [0.0] * number
    remaining = number
    for i in sorted(range(number), key=p_values.__getitem__):
        levels[i] = 1 - alpha / remaining
        if p_values[i] <= alpha / remaining:
            remaining = max(1, remaining - 1)
    return levels


def _mean_df(errors: Sequence[float], variances: Sequence[Variance], pooled: Variance) -> float:
    """Return the degrees of freedom of the mean over the cells, by Welch and Satterthwaite.

    Source: Satterthwaite, An approximate distribution of estimates of variance components,
    Biometrics Bulletin 2, 1946, pp. 110–114. All cells with the pooled variance are one component.
    """
    parts = [(error * error, variance) for error, variance in zip(errors, variances, strict=True)]
    own = [part for part in parts if part[1] is not pooled]
    if not own:
        return pooled.df
    of_pool = math.fsum(square for square, variance in parts if variance is pooled)
    total = math.fsum(square for square, _ in parts)
    parts = [(of_pool, pooled), *own]
    return total**2 / math.fsum(square**2 / variance.df for square, variance in parts)


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
    low, high = math.exp(log_ratio - width * error), math.exp(log_ratio + width * error)
    # POWER is one-sided: 0.8 below the quantile is 0.6 on both sides of 0.
    smallest = math.expm1((width + quantile(2 * POWER - 1, df)) * error)
    if low <= 1 <= high:
        change = Change.NOT_SHOWN
    elif abs(log_ratio) < math.log1p(material):
        change = Change.TOO_SMALL
    else:
        change = Change.BETTER if (log_ratio > 0) is is_more_better else Change.WORSE
    return Estimate(
        ratio=math.exp(log_ratio), change=change, low=low, high=high, level=level, smallest=smallest
    )


def _own_variance(cell: RepeatedValues) -> Variance:
    """Return the variance within the repeats of a cell, of both runs."""
    sides = [[math.log(value) for value in values] for values in (cell.before, cell.after)]
    df = sum(len(side) - 1 for side in sides)
    total = math.fsum(_squares(side) for side in sides)
    return Variance(total / df if df else 0.0, df)


def _squares(values: Sequence[float]) -> float:
    """Return the sum of the squared deviations from the mean."""
    mean = fmean(values)
    return math.fsum((value - mean) ** 2 for value in values)


def _mean_log(values: Sequence[float]) -> float:
    return fmean(map(math.log, values))
