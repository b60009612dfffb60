"""Whether there are enough samples for the percentiles of a profile."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadbench.engine.measure.buckets import has_enough_samples
from loadbench.engine.measure.sampling.backed import (
    NameSamples,
    missing_samples,
    sample_needs,
)
from loadbench.engine.profile.sections.goals import MEASUREMENT_GOALS, Goals

PREDICT = "POST /predict"


def samples(kind: str, name: str, number: int, others: int = 0) -> NameSamples:
    is_measurement = kind == "METRIC"
    return NameSamples(
        kind=kind, name=name, samples=number, others=others, is_measurement=is_measurement
    )


def missing(
    goals: dict[str, Any],
    *counted: NameSamples,
    main: str | None = None,
    is_long: bool = True,
) -> list[str]:
    needs = sample_needs(Goals.model_validate(goals), main)
    return [str(one) for one in missing_samples(needs, counted, is_long=is_long)]


def test_without_goals_p95_of_all_requests_needs_200_samples() -> None:
    get, post = samples("GET", "/", 100), samples("POST", "/predict", 99)

    assert missing({}) == ["0 of 200 requests for p95"]
    assert missing({}, get, post) == ["199 of 200 requests for p95"]
    assert missing({}, get, post, samples("GET", "/", 1)) == []


@pytest.mark.parametrize(
    ("goals", "needed"),
    [
        ({"p50_ms": 10}, "200 requests for p95"),
        ({"p99_ms": 10, "p95_ms": 5}, "1000 requests for p99"),
        ({"failure_ratio": 0.01, "min_rps": 5}, "200 requests for p95"),
    ],
)
def test_the_percentile_with_the_most_samples_decides(goals: dict[str, Any], needed: str) -> None:
    assert missing(goals) == [f"0 of {needed}"]


@pytest.mark.parametrize("name", [PREDICT, "/predict"])
def test_only_the_main_request_counts(name: str) -> None:
    get, post = samples("GET", "/", 500), samples("POST", "/predict", 140)

    assert missing({}, get, post, main=name) == [f"140 of 200 {name} requests for p95"]


def test_each_name_with_a_goal_for_a_percentile_counts() -> None:
    goals = {
        "requests": {PREDICT: {"p99": 400}, "GET /": {"failure_ratio": 0.1}, "login": {"p50": 9}},
    }
    get, post = samples("GET", "/", 500), samples("POST", "/predict", 900)

    assert missing(goals, get, post, samples("POST", "login", 0, 1)) == [
        "0 of 20 login requests for p50",
        "900 of 1000 POST /predict requests for p99",
    ]


def test_measurements_count_on_their_longer_side() -> None:
    goals = {"measurements": {"first token": {"p95": 400}, "tokens/s": {"min_p5": 3, "p50": 9}}}
    found = (samples("METRIC", "first token", 200), samples("METRIC", "tokens/s", 199))
    request = samples("POST", "/", 200)

    assert missing(goals, request, *found) == ["199 of 200 values of tokens/s for p5"]


@given(st.sampled_from(MEASUREMENT_GOALS), st.integers(0, 1100))
def test_a_percentile_is_backed_if_the_reports_say_so(key: str, number: int) -> None:
    (_, need) = sample_needs(Goals.model_validate({"measurements": {"x": {key: 5}}}), None)
    rest = int(key.rpartition("p")[2]) / 100
    fraction = 1 - rest if key.startswith("min_") else rest

    found = missing_samples([need], [samples("METRIC", "x", number)], is_long=True)

    # A minimum for p50 has the same need as a maximum.
    assert (not found) == has_enough_samples(number, fraction)


@pytest.mark.parametrize(
    ("goals", "counted", "is_missing"),
    [
        ({}, samples("GET", "/", 10, others=199), True),
        ({}, samples("GET", "/", 10, others=200), False),
        ({"requests": {"POST /x": {"p95": 5}}}, samples("GET", "/", 599), True),
        ({"requests": {"POST /x": {"p95": 5}}}, samples("GET", "/", 600), False),
        ({"measurements": {"first token": {"p99": 5}}}, samples("GET", "/", 2999), True),
        ({"measurements": {"first token": {"p99": 5}}}, samples("GET", "/", 3000), False),
        ({"measurements": {"x": {"p50": 5}}}, samples("METRIC", "x", 0, others=600), True),
    ],
)
def test_nothing_waits_for_samples_that_will_not_come(
    goals: dict[str, Any], counted: NameSamples, is_missing: bool
) -> None:
    assert bool(missing(goals, counted)) is is_missing


def test_a_slow_request_is_waited_for_until_it_must_have_ended() -> None:
    home = samples("GET", "/", 5_000)

    assert missing({}, home, main="POST /slow", is_long=False) == [
        "0 of 200 POST /slow requests for p95"
    ]
    assert missing({}, home, main="POST /slow") == []


def test_measurements_are_no_evidence_that_a_request_does_not_occur() -> None:
    token = samples("METRIC", "inter-token latency", 9_000)

    assert missing({}, token, main="POST /chat") == ["0 of 200 POST /chat requests for p95"]
