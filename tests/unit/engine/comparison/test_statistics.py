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
    ComparedValues,
    compare_values,
    corrected_levels,
    geometric_mean,
)
from loadbench.engine.comparison.variances import MIN_SPREAD, RepeatedValues

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
    # Rejected at the levels of 4 and 3. The third fails at that of 2, and so does the fourth.
    levels = corrected_levels([0.04, 0.001, 0.03, 0.016])
    assert levels == pytest.approx([0.95 ** (1 / number) for number in (2, 4, 2, 3)])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_levels_reject_exactly_what_the_step_down_test_rejects(p_values: list[float]) -> None:
    levels = corrected_levels(p_values)
    rejected = [p <= 1 - level for p, level in zip(p_values, levels, strict=True)]

    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    is_open, expected = True, [False] * len(p_values)
    for rank, i in enumerate(order):
        is_open = is_open and p_values[i] <= 1 - 0.95 ** (1 / (len(order) - rank))
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


def test_if_fewer_than_half_of_the_cells_have_repeats_only_these_are_tested() -> None:
    single = RepeatedValues([100.0], [200.0])
    found = compare_values([values(factor=2.0), single, single], material=0.05)
    assert changes(found) == [Change.WORSE, Change.NOT_TESTED, Change.NOT_TESTED]
    assert found.cells[0].level == pytest.approx(0.95)
    assert found.mean.change is Change.NOT_TESTED
    assert found.mean.ratio == pytest.approx(2.0)


@given(
    st.lists(
        st.tuples(*[st.lists(st.floats(5e-324, 1.7e308), min_size=1, max_size=4)] * 2),
        min_size=1,
        max_size=8,
    )
)
def test_absurd_values_have_finite_estimates(cells: list[tuple[list[float], list[float]]]) -> None:
    found = compare_values([RepeatedValues(*one) for one in cells], material=0.05)
    for estimate in (*found.cells, found.mean):
        numbers = (estimate.ratio, estimate.low, estimate.high, estimate.smallest)
        assert all(math.isfinite(one) for one in numbers if one is not None)
        assert estimate.low is None or estimate.low <= estimate.ratio <= (estimate.high or 0.0)


def test_one_degree_of_freedom_in_many_cells_is_no_error() -> None:
    single = RepeatedValues([100.0], [100.0])
    found = compare_values([RepeatedValues([100.0], [100.0, 300.0]), *[single] * 99], material=0.05)
    assert changes(found) == [Change.NOT_SHOWN, *[Change.NOT_TESTED] * 99]
