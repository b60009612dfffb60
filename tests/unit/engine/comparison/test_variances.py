"""The spread of values between repeats."""

import math
import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from loadbench.engine.comparison.gamma_functions import digamma, inverse_trigamma, trigamma
from loadbench.engine.comparison.variances import (
    MIN_SPREAD,
    RepeatedValues,
    Variance,
    are_equal,
    estimated_variances,
    fitted_prior,
)

QUIET = (100.0, 104.0, 97.0)
NOISY = (100.0, 190.0, 45.0)
SINGLE = RepeatedValues([200.0], [230.0])


def values(repeats: Sequence[float] = QUIET) -> RepeatedValues:
    return RepeatedValues(repeats, repeats)


def own(repeats: Sequence[float]) -> float:
    return float(stats.tvar([math.log(value) for value in repeats]))


@given(st.floats(1e-3, 1e6))
def test_the_functions_agree_with_scipy(x: float) -> None:
    assert digamma(x) == pytest.approx(special.digamma(x), rel=1e-12, abs=1e-12)
    assert trigamma(x) == pytest.approx(special.polygamma(1, x), rel=1e-12)
    assert inverse_trigamma(trigamma(x)) == pytest.approx(x, rel=1e-9)


def test_equal_variances_are_pooled_over_all_cells_with_repeats() -> None:
    found = estimated_variances([values(), values(), SINGLE])

    assert found.pooled.df == 8
    assert found.pooled.value == pytest.approx(own(QUIET))
    assert found.of_cells == (found.pooled,) * 3
    assert found.of_mean is not None
    share = (2 / 3 + 2 / 3 + 2) / 9
    assert found.of_mean.value == pytest.approx(own(QUIET) * share)
    assert found.of_mean.df == 8


def test_the_test_of_equality_agrees_with_scipy() -> None:
    source, checked = random.Random(26), set()
    for _ in range(300):
        sizes = [source.randrange(3, 7) for _ in range(source.randrange(2, 12))]
        spreads = [source.choice((0.02, 0.04, 0.1)) for _ in sizes]
        samples = [
            [source.gauss(0, spread) for _ in range(size)]
            for size, spread in zip(sizes, spreads, strict=True)
        ]
        p = stats.bartlett(*samples).pvalue
        if abs(p - 0.01) > 0.001:
            found = are_equal([Variance(float(stats.tvar(one)), len(one) - 1) for one in samples])
            assert found is bool(p > 0.01)
            checked.add(found)
    assert checked == {True, False}


def test_one_variance_is_equal_to_itself() -> None:
    assert are_equal([Variance(0.01, 2)])


def test_different_variances_are_moderated_towards_the_others() -> None:
    found = estimated_variances([values()] * 6 + [values(NOISY)] * 2)

    quiet, noisy = found.of_cells[0], found.of_cells[-1]
    assert quiet is not None
    assert noisy is not None
    assert own(QUIET) < quiet.value < noisy.value < own(NOISY)
    assert noisy.value > 3 * found.pooled.value / 2
    assert 4 < quiet.df == noisy.df < 32


def test_variances_are_not_below_the_rounding_of_the_values() -> None:
    equal = values((100.0, 100.0, 100.0))
    found = estimated_variances([equal] * 2)
    assert found.pooled.value == pytest.approx(MIN_SPREAD**2)

    found = estimated_variances([equal, *[values()] * 3])
    prior = fitted_prior([Variance(MIN_SPREAD**2, 4), *[Variance(own(QUIET), 4)] * 3])
    assert prior is not None
    assert found.of_cells[0] == prior.moderated(Variance(MIN_SPREAD**2, 4))


def test_the_prior_is_the_distribution_of_the_true_variances() -> None:
    source = random.Random(26)
    df, value = 6.0, 0.0016
    variances = []
    for _ in range(4000):
        true = df * value / source.gammavariate(df / 2, 2)
        variances.append(Variance(true * source.gammavariate(2, 2) / 4, 4))
    prior = fitted_prior(variances)
    assert prior is not None
    assert prior.value == pytest.approx(value, rel=0.05)
    assert prior.df == pytest.approx(df, rel=0.15)


def test_differences_by_chance_have_no_prior() -> None:
    assert fitted_prior([Variance(0.0016, 4), Variance(0.0018, 4)]) is None


def test_the_mean_of_different_variances_has_their_sum() -> None:
    found = estimated_variances([values()] * 6 + [values(NOISY)] * 2).of_mean
    assert found is not None
    parts = [own(QUIET) * 2 / 3] * 6 + [own(NOISY) * 2 / 3] * 2
    assert found.value == pytest.approx(sum(parts) / 64)
    # Nearly all comes from the two noisy cells with 4 degrees of freedom each.
    assert found.df == pytest.approx(8, rel=0.05)


def test_cells_without_repeats_have_the_expected_variance_in_the_mean() -> None:
    cells = [values((100.0, 100 + step, 100 - step)) for step in (2, 2, 2, 2, 2, 6, 7, 8)]
    repeated = [Variance(own(one.before), 4) for one in cells]
    prior = fitted_prior(repeated)
    assert prior is not None
    assert prior.df > 2
    found = estimated_variances([*cells, SINGLE])
    assert found.of_mean is not None
    parts = [one.value * 2 / 3 for one in repeated]
    rest = 2 * prior.value * prior.df / (prior.df - 2)
    assert found.of_mean.value == pytest.approx((sum(parts) + rest) / 81, rel=1e-3)

    # An infinite variance is expected if the cells differ much.
    assert estimated_variances([values()] * 3 + [values(NOISY)] * 2 + [SINGLE]).of_mean is None


def test_without_repeats_nothing_is_known() -> None:
    found = estimated_variances([SINGLE] * 2)
    assert (found.of_cells, found.of_mean, found.pooled.df) == ((None, None), None, 0)


@pytest.mark.parametrize(("repeated", "is_known"), [(3, True), (2, True), (1, False)])
def test_half_of_the_cells_stand_for_the_others(repeated: int, is_known: bool) -> None:
    found = estimated_variances([values()] * repeated + [SINGLE] * (4 - repeated))
    assert (found.of_cells[-1] is not None) is is_known
    assert (found.of_mean is not None) is is_known
    assert found.of_cells[0] == found.pooled


def test_a_cell_without_repeats_has_no_test_if_the_others_differ_too_much() -> None:
    equal, absurd = values((100.0, 100.0, 100.0)), values((1.0, 1e6, 1e3))
    found = estimated_variances([equal, absurd, SINGLE])
    assert found.of_cells[-1] is None
    assert found.of_mean is None
    assert all(found.of_cells[:2])
