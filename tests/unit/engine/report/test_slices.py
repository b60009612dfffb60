"""The samples of an attempt in slices."""

import math
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadbench.engine.journal.events import Requests, Sample
from loadbench.engine.journal.samples import Samples
from loadbench.engine.journal.time_bucket import BUCKET_S, TimeBucket
from loadbench.engine.measure.buckets import count, failures, successes
from loadbench.engine.report.slices import Slice, Slices, slice_width_s
from tests.support.builders import measurement, requests, sample, samples_of


def seconds(number: int, since: int = 0) -> list[Sample]:
    """Samples of a cell that differ from second to second."""
    return [
        sample(
            second=second,
            users=1 + second % 7,
            requests=requests(((10.0 + second % 5, 1 + second % 3),), ((1.0, second % 2),)),
        )
        for second in range(since, since + number)
    ]


HOUR = seconds(4000)


@cache
def first_of_hour(length: int) -> Samples:
    return samples_of(HOUR[:length])


def test_a_short_cell_has_one_slice_per_second() -> None:
    slices = Slices().of(samples_of(seconds(3)))

    assert [(one.start_s, one.seconds) for one in slices] == [(0, 1), (1, 1), (2, 1)]
    assert slices[1] == Slice(
        1, 1, successes=2, p50_ms=11.0, p90_ms=11.0, p95_ms=11.0, p99_ms=11.0, failures=1, users=2
    )


def test_slices_cover_only_the_main_requests() -> None:
    ready = Requests(method="GET", name="/ready", successes=((1.0, 9),), failures=((1.0, 2),))
    samples = samples_of([sample(requests=(*requests(((10.0, 4),)), ready))])
    slices = Slices()

    [one] = slices.of(samples)
    [main] = slices.of(samples, "POST /predict")

    assert (one.successes, one.failures, one.p50_ms) == (13, 2, 1.0)
    assert (main.successes, main.failures, main.p50_ms) == (4, 0, 10.0)


def test_slices_have_the_measurements_of_their_seconds() -> None:
    samples = [
        sample(second=second, measurements=(measurement(values=((float(second), 2),)),))
        for second in range(1200)
    ]

    slices = Slices().of(samples_of(samples))

    found = [one.measurements[0] for one in slices]
    assert [one.count for one in found] == [20] * 120
    assert [one.percentile("max").value for one in found] == [*map(float, range(9, 1200, 10))]


def test_no_samples_give_no_slices() -> None:
    assert Slices().of(Samples()) == []


@pytest.mark.parametrize(
    ("length", "width_s"),
    [
        *((0, 1), (1, 1), (120, 1), (121, 2), (240, 2), (241, 5), (1200, 10), (1201, 20)),
        *((3600, 30), (3601, 60), (86400, 1800)),
    ],
)
def test_slices_of_longer_cells_are_wider(length: int, width_s: int) -> None:
    assert slice_width_s(length) == width_s


@given(st.integers(1, 172_800))
def test_the_number_of_slices_is_bounded(length: int) -> None:
    assert math.ceil(length / slice_width_s(length)) <= 120


@given(st.integers(0, 400))
def test_slices_cover_every_second_once(length: int) -> None:
    samples = HOUR[:length]

    slices = Slices().of(first_of_hour(length))

    assert sum(one.seconds for one in slices) == length
    every = [entry for one in samples for entry in one.requests]
    assert sum(one.successes for one in slices) == count(successes(every))
    assert sum(one.failures for one in slices) == count(failures(every))
    starts = [one.start_s for one in slices]
    assert starts == list(range(0, length, slice_width_s(length)))


@given(st.lists(st.integers(0, 600), max_size=8))
def test_slices_of_a_growing_cell_equal_those_of_the_complete_cell(lengths: list[int]) -> None:
    growing = Slices()

    for length in sorted(lengths):
        assert growing.of(first_of_hour(length)) == Slices().of(first_of_hour(length))


@settings(max_examples=5)
@given(st.integers(0, 4000), st.integers(0, 4000))
def test_slices_of_hours_do_not_depend_on_the_polls_before(one: int, other: int) -> None:
    growing = Slices()
    growing.of(first_of_hour(min(one, other)))

    whole = first_of_hour(max(one, other))
    assert growing.of(whole) == Slices().of(whole)


def test_slices_of_an_earlier_state_can_be_computed() -> None:
    slices = Slices()
    slices.of(first_of_hour(100))

    assert slices.of(first_of_hour(50)) == Slices().of(first_of_hour(50))


def test_another_attempt_starts_from_zero() -> None:
    slices = Slices()
    slices.of(samples_of(seconds(10)))

    again = [replace(one, attempt=2, users=99) for one in seconds(10)]

    assert {one.users for one in slices.of(samples_of(again))} == {99}


def test_slices_start_at_the_first_sample() -> None:
    assert [one.start_s for one in Slices().of(samples_of(seconds(2, since=7)))] == [7, 8]


def test_the_users_of_a_slice_are_its_maximum() -> None:
    assert Slices().of(first_of_hour(240))[2].users == max(one.users for one in HOUR[4:6])


def test_a_slice_has_rates_per_second() -> None:
    one = Slice(
        0, 5, successes=30, p50_ms=10.0, p90_ms=30.0, p95_ms=30.0, p99_ms=30.0, failures=5, users=2
    )

    assert (one.rps, one.failures_per_s) == (6.0, 1.0)


@pytest.mark.parametrize("length", [1199, 1200, 1201, 1805, 2399, 3601, 4000])
def test_slices_of_buckets_equal_those_of_all_seconds(length: int) -> None:
    bounded = samples_of(HOUR[:length], whole_s=600)
    whole = samples_of(HOUR[:length], whole_s=length + BUCKET_S)

    assert any(isinstance(part, TimeBucket) for part in bounded.parts())
    assert Slices().of(bounded) == Slices().of(whole)
    last = [samples_of(kept[-600:]) for kept in (bounded, whole)]
    assert Slices().of(last[0]) == Slices().of(last[1])
