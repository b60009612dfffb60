"""Whether a cell has settled."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadbench.engine.journal.events import Sample
from loadbench.engine.measure.steady import Steadiness, steadiness
from tests.support.builders import requests, sample


def seconds(*windows: tuple[int, float], length: int = 2) -> list[Sample]:
    """Samples of successive windows, given as (successes, latency in ms) per second."""
    return [
        sample(second=number, requests=requests(((latency_ms, successes),)))
        for number, (successes, latency_ms) in enumerate(
            window for window in windows for _ in range(length)
        )
    ]


def test_three_equal_windows_are_steady() -> None:
    assert steadiness(seconds((20, 10), (20, 10), (20, 10)), 2) == Steadiness(True)


def test_only_the_last_three_windows_count() -> None:
    assert steadiness(seconds((500, 900), (20, 10), (20, 10), (20, 10)), 2).is_steady


@pytest.mark.parametrize("missing", [1, 2, 6])
def test_fewer_samples_than_three_windows_are_not_steady(missing: int) -> None:
    samples = seconds((20, 10), (20, 10), (20, 10))[missing:]
    assert steadiness(samples, 2) == Steadiness(False, "fewer than 3 windows of 2 s")


@pytest.mark.parametrize(("window_s", "length"), [(1.4, 1), (1.6, 2), (0.1, 1)])
def test_a_window_has_whole_samples(window_s: float, length: int) -> None:
    windows = 3 * [(40, 10.0)]
    assert steadiness(seconds(*windows, length=length), window_s).is_steady
    assert not steadiness(seconds(*windows, length=length)[1:], window_s).is_steady


def test_a_window_with_few_completions_is_not_steady() -> None:
    assert steadiness(seconds((15, 10), (15, 10), (15, 10)), 2).is_steady
    samples = seconds((15, 10), (15, 10), (14, 10))
    assert steadiness(samples, 2) == Steadiness(
        False, "28 completions in 2 s, minimum 30 (increase settle.window)"
    )


def test_unsteady_throughput_is_reported_with_its_values() -> None:
    samples = seconds((20, 10), (25, 10), (30, 10))
    assert steadiness(samples, 2) == Steadiness(
        False, "unsteady throughput 20 / 25 / 30 req/s (tolerance 10 %)"
    )


def test_an_unsteady_median_is_reported_with_its_values() -> None:
    samples = seconds((20, 10), (20, 12), (20, 14))
    assert steadiness(samples, 2) == Steadiness(
        False, "unsteady median 10 / 12 / 14 ms (tolerance 10 %)"
    )


def test_windows_may_differ_from_their_mean_by_ten_percent() -> None:
    assert steadiness(seconds((90, 10), (100, 10), (110, 10)), 2).is_steady
    assert not steadiness(seconds((89, 10), (100, 10), (111, 10)), 2).is_steady
    assert steadiness(seconds((50, 9), (50, 10), (50, 11)), 2).is_steady
    assert not steadiness(seconds((50, 8.8), (50, 10), (50, 11.2)), 2).is_steady


def test_failures_do_not_count_as_completions() -> None:
    samples = [sample(requests=requests((), failures=((1.0, 500),)))] * 6
    assert steadiness(samples, 2) == Steadiness(
        False, "0 completions in 2 s, minimum 30 (increase settle.window)"
    )


@given(st.lists(st.tuples(st.integers(0, 100), st.floats(0, 1000)), max_size=12), st.floats(0.5, 5))
def test_only_unsteady_samples_have_a_reason(
    windows: list[tuple[int, float]], window_s: float
) -> None:
    found = steadiness(seconds(*windows, length=1), window_s)
    assert found.is_steady is not bool(found.reason)
