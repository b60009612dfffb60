"""The statistics of a comparison, on numbers."""

import math
import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from loadbench.engine.comparison.model import Change, Estimate
from loadbench.engine.comparison.statistics import (
    MIN_SPREAD,
    ComparedValues,
    RepeatedValues,
    cell_variances,
    compare_values,
    geometric_mean,
    holm_levels,
)

QUIET = (100.0, 104.0, 97.0)


def values(before: Sequence[float] = QUIET, factor: float = 1.0) -> RepeatedValues:
    return RepeatedValues(before, [value * factor for value in before])


def is_shown(estimate: Estimate) -> bool:
    assert estimate.low is not None
    assert estimate.high is not None
    return not estimate.low <= 1 <= estimate.high


def changes(found: ComparedValues) -> list[Change]:
    return [estimate.change for estimate in found.cells]


def test_one_cell_agrees_with_the_t_test_of_scipy_on_logarithms() -> None:
    before, after = (100.0, 104.0, 97.0), (110.0, 118.0, 109.0, 113.0)
    (estimate,) = compare_values([RepeatedValues(before, after)], material=0.05).cells

    expected = stats.ttest_ind(
        [math.log(value) for value in after], [math.log(value) for value in before]
    ).confidence_interval(0.95)
    assert estimate.low == pytest.approx(math.exp(expected.low), rel=1e-9)
    assert estimate.high == pytest.approx(math.exp(expected.high), rel=1e-9)
    assert estimate.ratio == pytest.approx(geometric_mean(after) / geometric_mean(before))


def test_the_variance_is_pooled_over_all_cells_with_repeats() -> None:
    single = RepeatedValues([200.0], [230.0])
    pooled, variances = cell_variances([values(), values(), single])

    logs = [math.log(value) for value in QUIET]
    assert pooled.df == 8
    assert pooled.value == pytest.approx(stats.tvar(logs))
    assert variances == [pooled] * 3


def test_a_cell_with_one_value_each_is_tested_with_the_spread_of_the_others() -> None:
    found = compare_values([values(), values(), RepeatedValues([200.0], [400.0])], material=0.05)
    assert changes(found) == [Change.NOT_SHOWN, Change.NOT_SHOWN, Change.WORSE]


def test_without_any_repeats_nothing_is_tested() -> None:
    found = compare_values([RepeatedValues([100.0], [150.0])] * 2, material=0.05)

    assert changes(found) == [Change.NOT_TESTED] * 2
    assert found.mean.change is Change.NOT_TESTED
    assert found.mean.ratio == pytest.approx(1.5)
    assert (found.mean.low, found.mean.level, found.mean.smallest) == (None, None, None)
    assert found.pooled is None


def test_much_noisier_cells_keep_their_own_variance_and_do_not_hide_each_other() -> None:
    noisy = values((100.0, 140.0, 60.0))
    cells = [values()] * 6 + [noisy] * 2
    pooled, variances = cell_variances(cells)

    assert pooled.df == 24
    assert variances[:6] == [pooled] * 6
    assert all(one.df == 4 and one.spread > 3 * pooled.spread for one in variances[6:])


def test_a_quiet_cell_does_not_keep_its_own_variance() -> None:
    pooled, variances = cell_variances([values()] * 6 + [values((100.0, 100.1, 99.9))])
    assert variances == [pooled] * 7


def test_equal_values_are_not_divided_by_zero() -> None:
    same = [RepeatedValues([100.0] * 3, [100.0] * 3), RepeatedValues([50.0] * 3, [40.0] * 3)]
    found = compare_values(same, material=0.05)

    assert changes(found) == [Change.NOT_SHOWN, Change.BETTER]
    assert found.cells[0].ratio == 1
    assert found.pooled is not None
    assert found.pooled.spread == MIN_SPREAD


@pytest.mark.parametrize(
    ("factor", "is_more_better", "expected"),
    [
        (1.2, False, Change.WORSE),
        (1.2, True, Change.BETTER),
        (1 / 1.2, False, Change.BETTER),
        (1 / 1.2, True, Change.WORSE),
        (1.0, False, Change.NOT_SHOWN),
        (1.02, False, Change.TOO_SMALL),
        (1 / 1.02, True, Change.TOO_SMALL),
    ],
)
def test_the_direction_of_the_metric_and_the_threshold_decide_the_word(
    factor: float, is_more_better: bool, expected: Change
) -> None:
    cells = [values((100.0, 100.4, 99.7), factor)] * 4
    found = compare_values(cells, material=0.05, is_more_better=is_more_better)
    assert {*changes(found), found.mean.change} == {expected}


def test_the_threshold_is_the_same_for_a_ratio_and_its_inverse() -> None:
    cells = [values((100.0, 100.1, 99.9), 1.0501)] * 2
    inverse = [RepeatedValues(one.after, one.before) for one in cells]
    assert compare_values(cells, material=0.05).mean.change is Change.WORSE
    assert compare_values(inverse, material=0.05).mean.change is Change.BETTER


def test_levels_follow_the_example_of_holm() -> None:
    # Rejected at α/4 and α/3. The third fails at α/2, so the fourth fails at the same level.
    levels = holm_levels([0.04, 0.001, 0.03, 0.016])
    assert levels == pytest.approx([1 - 0.05 / 2, 1 - 0.05 / 4, 1 - 0.05 / 2, 1 - 0.05 / 3])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_levels_reject_exactly_what_holm_rejects(p_values: list[float]) -> None:
    rejected = [p <= 1 - level for p, level in zip(p_values, holm_levels(p_values), strict=True)]

    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    is_open, expected = True, [False] * len(p_values)
    for rank, i in enumerate(order):
        # The same rounding as that of a level.
        is_open = is_open and p_values[i] <= 1 - (1 - (1 - 0.95) / (len(order) - rank))
        expected[i] = is_open
    assert rejected == expected


def test_the_mean_finds_what_no_cell_shows() -> None:
    source = random.Random(4)
    cells = [
        RepeatedValues(
            [100 * math.exp(source.gauss(0, 0.04)) for _ in range(3)],
            [106 * math.exp(source.gauss(0, 0.04)) for _ in range(3)],
        )
        for _ in range(24)
    ]
    found = compare_values(cells, material=0.02)
    assert not all(map(is_shown, found.cells))
    assert found.mean.change is Change.WORSE
    assert found.mean.level == 0.95


def test_the_smallest_difference_is_the_sum_of_both_quantiles() -> None:
    found = compare_values([values()] * 8, material=0.05)
    spread = found.pooled.spread if found.pooled else 0.0
    quantiles = stats.t.ppf(0.975, 32) + stats.t.ppf(0.8, 32)
    expected = math.expm1(quantiles * spread * math.sqrt(2 / 3 / 8))
    assert found.mean.smallest == pytest.approx(expected, rel=1e-6)


def test_the_degrees_of_freedom_of_the_mean_shrink_with_a_noisy_cell() -> None:
    noisy = values((100.0, 140.0, 60.0))
    quiet_error = 0.035 * math.sqrt(2 / 3)
    found = compare_values([values()] * 7 + [noisy], material=0.05).mean
    assert found.high is not None
    width = math.log(found.high / found.ratio)
    own = cell_variances([noisy])[0].spread * math.sqrt(2 / 3)
    error = math.sqrt(7 * quiet_error**2 + own**2) / 8
    # Nearly all of the error comes from the 4 degrees of freedom of the noisy cell.
    assert 2.3 < width / error < stats.t.ppf(0.975, 4)
