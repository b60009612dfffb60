"""The digamma and trigamma functions and the inverse of the latter, without scipy."""

import math

_SHIFT = 12.0
"""Argument from which on the asymptotic series are used. Their error is then below 1e-13."""
_MAX_STEPS = 50
_EPSILON = 1e-12
"""Relative step at which Newton's method ends."""


def digamma(x: float) -> float:
    """Return ψ(x), the derivative of ln Γ.

    Source: NIST Digital Library of Mathematical Functions, 5.5.2 (recurrence) and 5.11.2 (series).

    Args:
        x: The argument, above 0.
    """
    below = 0.0
    while x < _SHIFT:
        below += 1 / x
        x += 1
    y = 1 / (x * x)
    series = y * (1 / 12 - y * (1 / 120 - y * (1 / 252 - y * (1 / 240 - y / 132))))
    return math.log(x) - 0.5 / x - series - below


def trigamma(x: float) -> float:
    """Return ψ'(x), the second derivative of ln Γ.

    Source: the derivatives of the equations of `digamma`.

    Args:
        x: The argument, above 0.
    """
    below = 0.0
    while x < _SHIFT:
        below += 1 / (x * x)
        x += 1
    y = 1 / (x * x)
    series = y * (1 / 6 - y * (1 / 30 - y * (1 / 42 - y * (1 / 30 - y * 5 / 66))))
    return (1 + 0.5 / x + series) / x + below


def inverse_trigamma(value: float) -> float:
    """Return the x with ψ'(x) = value.

    Newton's method on 1/ψ', which is convex and nearly linear, from below.

    Source: Smyth, Linear models and empirical Bayes methods for assessing differential expression
    in microarray experiments, Statistical Applications in Genetics and Molecular Biology 3, 2004,
    article 3, appendix.

    Args:
        value: The value, above 0.
    """
    x = 0.5 + 1 / value
    for _ in range(_MAX_STEPS):
        found = trigamma(x)
        step = found * (1 - found / value) / _second_derivative(x)
        x += step
        if abs(step) < _EPSILON * x:
            break
    return x


def _second_derivative(x: float) -> float:
    """Return ψ''(x)."""
    below = 0.0
    while x < _SHIFT:
        below -= 2 / x**3
        x += 1
    y = 1 / (x * x)
    series = y * (1 / 2 - y * (1 / 6 - y * (1 / 6 - y * 3 / 10)))
    return below - y * (1 + 1 / x + series)
