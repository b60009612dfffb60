"""The precision of histograms, and percentiles against their definition."""

import math
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadbench.engine.journal.events import Buckets
from loadbench.engine.measure.buckets import (
    bucket_ms,
    convolve,
    count,
    failures,
    fine_bucket_ms,
    fine_bucket_width_ms,
    has_enough_samples,
    merge,
    percentile,
    successes,
    time_weighted_median,
    to_buckets,
)
from tests.support.builders import requests

latencies = st.lists(st.floats(0.001, 120_000).map(bucket_ms), min_size=1, max_size=200)
thousandths = st.integers(1, 1000)


def histogram(values: list[float]) -> Buckets:
    """The histogram of these latencies."""
    return to_buckets(Counter(values))


histograms = latencies.map(histogram) | st.just(())


@given(st.floats(1, 1e7))
def test_rounding_error_is_below_half_a_percent(latency_ms: float) -> None:
    assert abs(bucket_ms(latency_ms) - latency_ms) <= 0.005 * latency_ms * (1 + 1e-9)


@given(st.floats(0, 1))
def test_rounding_error_below_a_millisecond_is_at_most_five_microseconds(latency_ms: float) -> None:
    assert abs(bucket_ms(latency_ms) - latency_ms) <= 0.005 * (1 + 1e-9)


@given(st.floats(1, 99_949))
def test_latencies_keep_three_digits(latency_ms: float) -> None:
    assert float(f"{bucket_ms(latency_ms):.3g}") == bucket_ms(latency_ms)


@pytest.mark.parametrize(
    ("latency_ms", "rounded_ms"),
    [
        (9.994, 9.99),
        (9.996, 10),
        (10.04, 10),
        (99.94, 99.9),
        (99.96, 100),
        (100.4, 100),
        (999.4, 999),
        (999.6, 1000),
        (1004, 1000),
        (9994, 9990),
        (9996, 10_000),
        (10_040, 10_000),
    ],
)
def test_rounding_changes_at_powers_of_ten(latency_ms: float, rounded_ms: float) -> None:
    assert bucket_ms(latency_ms) == rounded_ms


@given(st.floats(0, 1e7))
def test_the_error_of_fine_buckets_is_at_most_half_a_bucket(latency_ms: float) -> None:
    error_ms = abs(fine_bucket_ms(latency_ms) - latency_ms)

    assert error_ms <= fine_bucket_width_ms(latency_ms) / 2 * (1 + 1e-9) + 1e-9 * latency_ms


@pytest.mark.parametrize(
    ("latency_ms", "rounded_ms", "width_ms"),
    [
        (0.004, 0.0, 0.01),
        (9.994, 9.99, 0.01),
        (10.029, 10.02, 0.02),
        (20.06, 20.05, 0.05),
        (99.94, 99.9, 0.1),
        (99.96, 100, 0.1),
        (100.29, 100.2, 0.2),
        (499.6, 499.5, 0.5),
        (999.4, 999, 1),
        (1001.1, 1002, 2),
        (9994, 9990, 10),
        (10_011, 10_020, 20),
        (120_049, 120_000, 100),
    ],
)
def test_fine_buckets_have_two_steps_between_powers_of_ten(
    latency_ms: float, rounded_ms: float, width_ms: float
) -> None:
    assert fine_bucket_ms(latency_ms) == rounded_ms
    assert fine_bucket_width_ms(latency_ms) == width_ms


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_rounding_preserves_order(one: float, other: float) -> None:
    assert (bucket_ms(min(one, other))) <= bucket_ms(max(one, other))


@given(latencies, thousandths)
def test_a_percentile_is_the_nearest_rank_of_the_sorted_latencies(
    values: list[float], thousandth: int
) -> None:
    rank = math.ceil(Fraction(thousandth, 1000) * len(values))
    assert percentile(histogram(values), thousandth / 1000) == sorted(values)[rank - 1]


def test_a_percentile_is_never_interpolated() -> None:
    ten = tuple((float(latency), 1) for latency in range(1, 11))
    assert [percentile(ten, fraction) for fraction in (0.001, 0.5, 0.9, 0.95, 1)] == [
        1,
        5,
        9,
        10,
        10,
    ]


def test_rounding_errors_do_not_raise_the_rank() -> None:
    hundred = tuple((float(latency), 1) for latency in range(1, 101))
    assert 0.07 * 100 > 7
    assert [percentile(hundred, percent / 100) for percent in range(1, 101)] == [*range(1, 101)]


def test_an_empty_histogram_has_no_percentile() -> None:
    assert percentile((), 0.5) is None
    assert percentile(merge([]), 1) is None


@given(latencies)
def test_a_histogram_counts_every_latency_in_ascending_order(values: list[float]) -> None:
    buckets = histogram(values)
    assert count(buckets) == len(values)
    assert list(buckets) == sorted(Counter(values).items())


@given(latencies, latencies)
def test_merging_equals_counting_together(one: list[float], other: list[float]) -> None:
    assert merge([histogram(one), histogram(other)]) == histogram(one + other)


@given(histograms, histograms, histograms)
def test_merging_is_commutative_and_associative(one: Buckets, two: Buckets, three: Buckets) -> None:
    assert merge([one, two]) == merge([two, one])
    assert merge([merge([one, two]), three]) == merge([one, merge([two, three])])
    assert merge([one, ()]) == one


def test_successes_and_failures_of_all_names_are_kept_apart() -> None:
    entries = (
        *requests(((1.0, 2),), failures=((5.0, 1),)),
        *requests(((1.0, 1), (2.0, 1)), failures=((5.0, 3),)),
    )
    assert successes(entries) == ((1.0, 3), (2.0, 1))
    assert failures(entries) == ((5.0, 4),)


@pytest.mark.parametrize(
    ("fraction", "needed"), [(0.5, 20), (0.9, 100), (0.95, 200), (0.99, 1000), (0.999, 10_000)]
)
def test_a_percentile_needs_ten_samples_beyond_it(fraction: float, needed: int) -> None:
    assert has_enough_samples(needed, fraction)
    assert not has_enough_samples(needed - 1, fraction)


def test_the_maximum_needs_one_sample() -> None:
    assert has_enough_samples(1, 1.0)
    assert not has_enough_samples(0, 1.0)


def test_half_of_the_time_lies_in_gaps_up_to_the_time_weighted_median() -> None:
    assert time_weighted_median(((1.0, 99), (100.0, 1))) == 100.0
    assert time_weighted_median(((1.0, 101), (100.0, 1))) == 1.0
    assert time_weighted_median(()) is None


def test_convolution_counts_every_pair() -> None:
    assert convolve(((10.0, 2), (20.0, 1)), ((0.0, 3), (10.0, 1))) == (
        (10.0, 6),
        (20.0, 5),
        (30.0, 1),
    )
    assert convolve((), ((1.0, 1),)) == ()
