"""Student's t distribution: two-sided p values and quantiles, without scipy.

The p value is the regularised incomplete beta function I_x(ν/2, 1/2) at x = ν / (ν + t²)
(NIST Digital Library of Mathematical Functions, 8.17.1), evaluated as the continued fraction of
8.17.22 by the modified method of Lentz (Press et al., Numerical Recipes, 3rd edition, §5.2 and
§6.4). The number of its terms grows with √ν, so for many degrees of freedom t is transformed to a
normal deviate instead (Hill, Algorithm 395, Communications of the ACM 13, 1970, p. 617).
"""

import math
from functools import lru_cache
from statistics import NormalDist

_EPSILON = 1e-14
"""Relative error at which the continued fraction and the search for a quantile end."""
_TINY = 1e-300
_MAX_STEPS = 200
_LARGE = 1000.0
"""Degrees of freedom above which the normal deviate is used. Its error is then below 1e-12."""


def p_value(t: float, df: float) -> float:
    """Return the probability that |T| exceeds |t|.

    Args:
        t: The statistic. It may be infinite.
        df: Degrees of freedom, above 0.
    """
    squared = t * t
    if math.isinf(squared):
        return 0.0
    if df > _LARGE:
        return math.erfc(_normal_deviate(squared, df) / math.sqrt(2))
    x = df / (df + squared)
    return _incomplete_beta(df / 2, 0.5, x, squared / (df + squared))


@lru_cache(maxsize=4096)
def quantile(level: float, df: float) -> float:
    """Return the t that |T| does not exceed with a probability: the two-sided quantile.

    Newton's method on ln p as a function of ln t, which is concave, so that the steps converge from
    any start.

    Args:
        level: The probability, above 0 and below 1, such as 0.95.
        df: Degrees of freedom, above 0.
    """
    target = math.log1p(-level)
    log_t = math.log(NormalDist().inv_cdf(0.5 + level / 2))
    for _ in range(_MAX_STEPS):
        t = math.exp(log_t)
        p = p_value(t, df)
        step = (math.log(p) - target) * p / (2 * t * _density(t, df))
        log_t += step
        if abs(step) < _EPSILON:
            break
    return math.exp(log_t)


def _density(t: float, df: float) -> float:
    log_beta = math.lgamma(df / 2) + math.lgamma(0.5) - math.lgamma((df + 1) / 2)
    return math.exp(-log_beta - (df + 1) / 2 * math.log1p(t * t / df)) / math.sqrt(df)


def _normal_deviate(squared: float, df: float) -> float:
    """Return the normal deviate with the same p value as a t, given t²."""
    a = df - 0.5
    b = 48 * a * a
    y = a * math.log1p(squared / df)
    correction = (((-0.4 * y - 3.3) * y - 24.0) * y - 85.5) / (0.8 * y * y + 100.0 + b)
    return ((correction + y + 3.0) / b + 1.0) * math.sqrt(y)


def _incomplete_beta(a: float, b: float, x: float, rest: float) -> float:
    """Return I_x(a, b). `rest` is 1 − x, which would lose digits if it were computed here."""
    if x <= 0 or rest <= 0:
        return 0.0 if x <= 0 else 1.0
    log_front = a * math.log(x) + b * math.log(rest)
    log_front += math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    if x < (a + 1) / (a + b + 2):
        return math.exp(log_front) * _continued_fraction(a, b, x) / a
    return 1 - math.exp(log_front) * _continued_fraction(b, a, rest) / b


def _continued_fraction(a: float, b: float, x: float) -> float:
    """Return the continued fraction of I_x(a, b), for x below (a + 1) / (a + b + 2)."""
    c, d = 1.0, 1 / _nonzero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _MAX_STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _nonzero(1 + term * d)
            c = _nonzero(1 + term / c)
            value *= c * d
        if abs(c * d - 1) < _EPSILON:
            break
    return value


def _nonzero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
