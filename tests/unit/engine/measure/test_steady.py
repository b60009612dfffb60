"""When a cell counts as steady."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadbench.engine.journal.events import Sample
from loadbench.engine.measure.steady import Steadiness, steadiness
from tests.support.builders import requests, sample


def seconds(*windows: tuple[int, float], length: int = 2) -> list[Sample]:
    """Samples, a window after the other: so many successes of so many ms in each second."""
    return [
        sample(second=number, requests=requests(((latency_ms, successes),)))
        for number, (successes, latency_ms) in enumerate(
            window for window in windows for _ in range(length)
        )
    ]


def test_three_windows_alike_are_steady() -> None:
    assert steadiness(seconds((20, 10), (20, 10), (20, 10)), 2) == Steadiness(True)


def test_what_was_before_the_last_three_windows_does_not_count() -> None:
    assert steadiness(seconds((500, 900), (20, 10), (20, 10), (20, 10)), 2).steady


@pytest.mark.parametrize("missing", [1, 2, 6])
def test_fewer_samples_than_three_windows_are_not_steady(missing: int) -> None:
    samples = seconds((20, 10), (20, 10), (20, 10))[missing:]
    assert steadiness(samples, 2) == Steadiness(False, "fewer than 3 windows of 2 s")


@pytest.mark.parametrize(("window_s", "length"), [(1.4, 1), (1.6, 2), (0.1, 1)])
def test_a_window_is_of_whole_samples(window_s: float, length: int) -> None:
    windows = 3 * [(40, 10.0)]
    assert steadiness(seconds(*windows, length=length), window_s).steady
    assert not steadiness(seconds(*windows, length=length)[1:], window_s).steady


def test_a_window_with_few_completions_says_nothing() -> None:
    assert steadiness(seconds((15, 10), (15, 10), (15, 10)), 2).steady
    samples = seconds((15, 10), (15, 10), (14, 10))
    assert steadiness(samples, 2) == Steadiness(
        False, "28 completions in 2 s, 30 are needed (a longer settle.window holds more)"
    )


def test_a_rate_that_moves_is_told_with_the_rates() -> None:
    samples = seconds((20, 10), (25, 10), (30, 10))
    assert steadiness(samples, 2) == Steadiness(False, "the rate still moves: 20 / 25 / 30 req/s")


def test_a_median_that_moves_is_told_with_the_medians() -> None:
    samples = seconds((20, 10), (20, 12), (20, 14))
    assert steadiness(samples, 2) == Steadiness(False, "the median still moves: 10 / 12 / 14 ms")


def test_windows_may_differ_from_their_mean_by_a_tenth() -> None:
    assert steadiness(seconds((90, 10), (100, 10), (110, 10)), 2).steady
    assert not steadiness(seconds((89, 10), (100, 10), (111, 10)), 2).steady
    assert steadiness(seconds((50, 9), (50, 10), (50, 11)), 2).steady
    assert not steadiness(seconds((50, 8.8), (50, 10), (50, 11.2)), 2).steady


def test_failures_count_as_no_completions() -> None:
    samples = [sample(requests=requests((), failures=((1.0, 500),)))] * 6
    assert steadiness(samples, 2) == Steadiness(
        False, "0 completions in 2 s, 30 are needed (a longer settle.window holds more)"
    )


@given(st.lists(st.tuples(st.integers(0, 100), st.floats(0, 1000)), max_size=12), st.floats(0.5, 5))
def test_what_is_not_steady_has_a_reason(windows: list[tuple[int, float]], window_s: float) -> None:
    told = steadiness(seconds(*windows, length=1), window_s)
    assert told.steady is not bool(told.why_not)
