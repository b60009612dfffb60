"""Student's t distribution, against scipy."""

import math

import pytest
from scipy import stats

from loadbench.engine.comparison.student_t import p_value, quantile

DEGREES = [*range(1, 50), *range(50, 1001, 38), 1000, 1001, 2500, 40_000, 1.5, 7.3, 999.5, 1000.5]
LEVELS = (0.5, 0.6, 0.75, 0.8, 0.9, 0.95, 0.975, 0.99, 0.995, 0.999, 0.9999, 1 - 5e-6)
VALUES = (0.0, 1e-9, 1e-3, 0.1, 0.5, 0.9, 1.0, 1.5, 2.0, 3.0, 4.5, 7.0, 12.0, 40.0, 1e3)


@pytest.mark.parametrize("df", DEGREES)
def test_quantiles_agree_with_scipy(df: float) -> None:
    for level in LEVELS:
        expected = stats.t.ppf(0.5 + level / 2, df)
        assert quantile(level, df) == pytest.approx(expected, rel=1e-9, abs=0)


@pytest.mark.parametrize("df", DEGREES)
def test_p_values_agree_with_scipy(df: float) -> None:
    for t in VALUES:
        expected = 2 * stats.t.sf(t, df)
        assert p_value(t, df) == pytest.approx(expected, rel=1e-6, abs=1e-9)
        assert p_value(-t, df) == p_value(t, df)


def test_extreme_values_have_a_p_value() -> None:
    assert p_value(math.inf, 3) == 0
    assert p_value(1e200, 3) == 0
    assert p_value(0, 1) == 1
    assert p_value(0, 5000) == 1
