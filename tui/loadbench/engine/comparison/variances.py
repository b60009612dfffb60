"""How much the logarithms of values spread between repeats. docs/compare.md has the formulas.

Three repeats of one cell know too little about its spread, so all cells of both runs share one
estimate: a pooled variance. If the spread clearly differs between cells, as near saturation, each
cell has an estimate between its own variance and that of the others: a moderated variance.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, variance

from loadbench.engine.comparison.gamma_functions import digamma, inverse_trigamma, trigamma

MIN_SPREAD = 0.001
"""Smallest standard deviation of logarithms that is assumed. Latencies are rounded, so
that equal values may differ by up to this much, and more in runs of earlier versions."""

EQUALITY_LEVEL = 0.99
"""Confidence with which variances must differ before they are no longer pooled. At 0.95, one of 8
changed cells would be found in 89.6 instead of 90.2 % of simulated pairs with equal spread: more
than the gain for pairs with unequal spread; see bench/comparison.py."""

MIN_REPEATED = 0.5
"""Share of cells with repeats from which on their variance stands for that of the others, too. If
only the quietest cell was repeated, its variance would make chance differences of the others
certain."""

MIN_DF = 1.0
"""Degrees of freedom below which an estimate is too uncertain for a test."""


@dataclass(frozen=True, slots=True)
class RepeatedValues:
    """The values of a metric of one cell in both runs: one per repeat, all above 0."""

    before: Sequence[float]
    after: Sequence[float]

    @property
    def log_ratio(self) -> float:
        """Logarithm of the ratio of the geometric means, after / before."""
        return mean_log(self.after) - mean_log(self.before)

    @property
    def share(self) -> float:
        """The variance of the log ratio as a share of that of a value: 1/n₁ + 1/n₂."""
        return 1 / len(self.before) + 1 / len(self.after)


@dataclass(frozen=True, slots=True)
class Variance:
    """An estimated variance of logarithms."""

    value: float
    df: float
    """Degrees of freedom. 0 if there are no repeats."""

    @property
    def spread(self) -> float:
        """The standard deviation."""
        return math.sqrt(self.value)


@dataclass(frozen=True, slots=True)
class Prior:
    """How the true variances are distributed over the cells: `df` · `value` / χ² with `df`."""

    value: float
    df: float

    @property
    def mean(self) -> float:
        """The expected true variance. Infinite up to two degrees of freedom."""
        return self.value * self.df / (self.df - 2) if self.df > 2 else math.inf

    def moderated(self, own: Variance) -> Variance:
        """Return the variance of a cell, given its own.

        Source: Smyth 2004, section 3; see `fitted_prior`.
        """
        df = self.df + own.df
        return Variance((self.df * self.value + own.df * own.value) / df, df)


@dataclass(frozen=True, slots=True)
class Variances:
    """The estimated variances of all cells."""

    pooled: Variance
    of_cells: tuple[Variance | None, ...]
    """None if too little is known about a cell."""
    of_mean: Variance | None
    """Variance of the mean of all log ratios, not of a value. None if too little is known."""


def estimated_variances(cells: Sequence[RepeatedValues]) -> Variances:
    """Return the variances of the cells, and that of the mean of their log ratios.

    Args:
        cells: The values of a metric in each cell. At least one.
    """
    own = [_own_variance(cell) for cell in cells]
    repeated = [one for one in own if one.df]
    pooled = pooled_variance(repeated)
    is_known = len(repeated) >= MIN_REPEATED * len(cells)
    prior = None if are_equal(repeated) else fitted_prior(repeated)
    of_cells = [
        _usable(prior.moderated(one) if prior else pooled) if one.df or is_known else None
        for one in own
    ]
    of_mean = _usable(_mean_variance(cells, own, prior, pooled)) if is_known else None
    return Variances(pooled=pooled, of_cells=tuple(of_cells), of_mean=of_mean)


def pooled_variance(variances: Sequence[Variance]) -> Variance:
    """Return the mean of variances, weighted by their degrees of freedom."""
    df = math.fsum(one.df for one in variances)
    total = math.fsum(one.value * one.df for one in variances)
    return Variance(total / df if df else 0.0, df)


def are_equal(variances: Sequence[Variance]) -> bool:
    """Return whether variances may be equal, by Bartlett's test at `EQUALITY_LEVEL`.

    The quantile of χ² is that of Wilson and Hilferty, with an error of 1 % or less.

    Source: Bartlett, Properties of sufficiency and statistical tests, Proceedings of the Royal
    Society A 160, 1937, pp. 268–282; Wilson and Hilferty, The distribution of chi-square,
    Proceedings of the National Academy of Sciences 17, 1931, pp. 684–688.

    Args:
        variances: The variances, each with at least one degree of freedom.
    """
    free = len(variances) - 1
    if free < 1:
        return True
    pooled = pooled_variance(variances)
    statistic = 2 * math.fsum(one.df * math.log(pooled.spread / one.spread) for one in variances)
    inverse = math.fsum(1 / one.df for one in variances) - 1 / pooled.df
    part = 2 / (9 * free)
    quantile = free * (1 - part + NormalDist().inv_cdf(EQUALITY_LEVEL) * math.sqrt(part)) ** 3
    return statistic / (1 + inverse / (3 * free)) <= quantile


def fitted_prior(variances: Sequence[Variance]) -> Prior | None:
    """Return the distribution of the true variances, or None if chance explains their differences.

    The logarithms of the variances spread by chance, and by the differences of the true ones. The
    moments of the difference give the distribution.

    Source: Smyth, Linear models and empirical Bayes methods for assessing differential expression
    in microarray experiments, Statistical Applications in Genetics and Molecular Biology 3, 2004,
    article 3, section 6.2.

    Args:
        variances: The variances of at least two cells, each with at least one degree of freedom.
    """
    logs = [
        2 * math.log(one.spread) - digamma(one.df / 2) + math.log(one.df / 2) for one in variances
    ]
    excess = variance(logs) - fmean(trigamma(one.df / 2) for one in variances)
    if excess <= 0:
        return None
    half = inverse_trigamma(excess)
    return Prior(math.exp(fmean(logs) + digamma(half) - math.log(half)), 2 * half)


def mean_log(values: Sequence[float]) -> float:
    """Return the mean of the logarithms of values above 0."""
    return fmean(map(math.log, values))


def _mean_variance(
    cells: Sequence[RepeatedValues],
    own: Sequence[Variance],
    prior: Prior | None,
    pooled: Variance,
) -> Variance:
    """Return the variance of the mean of the log ratios.

    With different variances, it is the sum of those of the cells, with the degrees of freedom of
    Welch and Satterthwaite. Cells without repeats have the expected variance of the prior together;
    if it is infinite, the degrees of freedom are 0.

    Source: Satterthwaite, An approximate distribution of estimates of variance components,
    Biometrics Bulletin 2, 1946, pp. 110–114.
    """
    squared = len(cells) ** 2
    if prior is None:
        total = math.fsum(cell.share for cell in cells)
        return Variance(pooled.spread**2 * total / squared, pooled.df)
    parts = [
        Variance(one.spread**2 * cell.share, one.df)
        for cell, one in zip(cells, own, strict=True)
        if one.df
    ]
    rest = math.fsum(cell.share for cell, one in zip(cells, own, strict=True) if not one.df)
    if rest:
        if prior.df <= 2:
            return Variance(math.inf, 0)
        parts.append(Variance(prior.mean * rest, prior.df))
    total = math.fsum(part.value for part in parts)
    df = total**2 / math.fsum(part.value**2 / part.df for part in parts)
    return Variance(total / squared, df)


def _usable(variance: Variance) -> Variance | None:
    return variance if variance.df >= MIN_DF else None


def _own_variance(cell: RepeatedValues) -> Variance:
    """Return the variance within the repeats of a cell, of both runs, not below their rounding."""
    sides = [[math.log(value) for value in values] for values in (cell.before, cell.after)]
    df = sum(len(side) - 1 for side in sides)
    total = math.fsum(_squares(side) for side in sides)
    return Variance(max(total / df, MIN_SPREAD**2) if df else 0.0, df)


def _squares(values: Sequence[float]) -> float:
    """Return the sum of the squared deviations from the mean."""
    mean = fmean(values)
    return math.fsum((value - mean) ** 2 for value in values)
