"""Whether a cell has settled."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadbench.engine.journal.events import Requests, Sample
from loadbench.engine.measure.steady import (
    Steadiness,
    mean_rate,
    needed_window_s,
    settle_limit_s,
    steadiness,
)
from loadbench.engine.profile.model import Settle
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


def test_windows_are_longer_if_there_are_few_completions() -> None:
    # Windows of 2 s hold 8 completions, so each needs 8 s.
    enough = seconds(*[(4, 10.0)] * 12)

    assert steadiness(enough, 2).is_steady
    assert steadiness(enough[1:], 2) == Steadiness(
        False, "92 completions in 23 s, minimum 3 windows with 30 each"
    )


def test_longer_windows_must_agree_too() -> None:
    assert "throughput" in steadiness(seconds(*[(5, 10.0)] * 8, *[(8, 10.0)] * 4), 2).reason
    assert "median" in steadiness(seconds(*[(4, 10.0)] * 8, *[(4, 20.0)] * 4), 2).reason


def test_only_requests_with_the_name_count() -> None:
    main = Requests(method="POST", name="/predict", successes=((400.0, 4),))
    other = Requests(method="GET", name="/", successes=((2.0, 500),))
    samples = [sample(second=number, requests=(main, other)) for number in range(24)]

    assert steadiness(samples, 2, "POST /predict").is_steady
    assert not steadiness(samples[:15], 2, "POST /predict").is_steady
    assert steadiness(samples, 2, "POST /absent") == Steadiness(
        False, "0 completions of POST /absent in 24 s, minimum 3 windows with 30 each"
    )


def rate_of(successes: int, name: str | None = None) -> float:
    return mean_rate(seconds((successes, 10.0)), name)


def test_the_needed_window_follows_from_the_rate() -> None:
    assert needed_window_s(rate_of(20), 5) == 5
    assert needed_window_s(rate_of(1), 5) == 30
    assert needed_window_s(0.4, 5) == 75
    assert needed_window_s(rate_of(1, "POST /absent"), 5) is None
    assert mean_rate([]) == 0


@pytest.mark.parametrize(
    ("needed_s", "limit_s"),
    [
        # Windows of the usual length, or no completions: as set.
        (None, 30),
        (5, 30),
        # Longer windows: twice the time that three of them take.
        (10, 60),
        (30, 180),
        # At most ten times the usual time.
        (60, 300),
        (100, 300),
        # More would not be enough.
        (101, 30),
    ],
)
def test_settling_may_take_longer_for_longer_windows(needed_s: int | None, limit_s: float) -> None:
    assert settle_limit_s(Settle(), needed_s, 600) == limit_s


def test_windows_are_not_longer_than_the_seconds_that_are_kept() -> None:
    assert settle_limit_s(Settle(max=90), 200, 600) == 900
    assert settle_limit_s(Settle(max=90), 201, 600) == 90


def test_a_long_settle_time_is_not_shortened() -> None:
    assert settle_limit_s(Settle(max=3600), 6, 600) == 3600


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
        False, "0 completions in 6 s, minimum 3 windows with 30 each"
    )


@given(st.lists(st.tuples(st.integers(0, 100), st.floats(0, 1000)), max_size=12), st.floats(0.5, 5))
def test_only_unsteady_samples_have_a_reason(
    windows: list[tuple[int, float]], window_s: float
) -> None:
    found = steadiness(seconds(*windows, length=1), window_s)
    assert found.is_steady is not bool(found.reason)
