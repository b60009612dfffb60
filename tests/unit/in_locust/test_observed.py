"""Failures before the window, with a fake clock."""

from typing import Any

import pytest

from loadbench.in_locust.clean import clean_event
from loadbench.in_locust.observed import MAX_ERRORS, MAX_NAMES, MAX_REPORTED
from loadbench.in_locust.recorder import Recorder


@pytest.fixture
def clock() -> list[float]:
    return [1000.0]


@pytest.fixture
def recorder(clock: list[float]) -> Recorder:
    return Recorder(clock=lambda: clock[0], cpu_seconds=lambda: 0.0, wall=lambda: clock[0])


def request(recorder: Recorder, name: str, exception: str = "", latency_ms: float = 100.0) -> None:
    recorder.record(
        clean_event(request_type="POST", name=name, response_time=latency_ms, exception=exception)
    )


def early(recorder: Recorder) -> list[dict[str, Any]]:
    result = recorder.result()
    assert result is not None
    found: list[dict[str, Any]] = result["early_failures"]
    return found


def test_failures_before_the_window_are_reported_by_name(
    recorder: Recorder, clock: list[float]
) -> None:
    for _ in range(3):
        request(recorder, "/login", "401")
    request(recorder, "/login")
    request(recorder, "/fine")
    request(recorder, "/predict", "503")
    recorder.measure(10, users=2)
    clock[0] += 1
    request(recorder, "/predict")
    request(recorder, "/other", "in the window")

    assert early(recorder) == [
        {
            "method": "POST",
            "name": "/login",
            "successes": 1,
            "failures": 3,
            "errors": [{"error": "401", "count": 3}],
            "is_in_window": False,
        },
        {
            "method": "POST",
            "name": "/predict",
            "successes": 0,
            "failures": 1,
            "errors": [{"error": "503", "count": 1}],
            "is_in_window": True,
        },
    ]


def test_a_request_that_started_before_the_window_and_failed_in_it_is_an_early_failure(
    recorder: Recorder, clock: list[float]
) -> None:
    clock[0] += 5
    recorder.measure(10, users=2)
    clock[0] += 1
    request(recorder, "/login", "timeout", latency_ms=5000)
    request(recorder, "/login", "timeout", latency_ms=500)
    clock[0] += 10
    request(recorder, "/login", "after the window")

    [found] = early(recorder)
    assert (found["failures"], found["is_in_window"]) == (1, True)


def test_a_latency_longer_than_the_cell_is_a_measure_of_something_else(
    recorder: Recorder, clock: list[float]
) -> None:
    recorder.measure(10, users=2)
    clock[0] += 1
    request(recorder, "tokens/s", latency_ms=76_000)

    result = recorder.result()
    assert result is not None
    [counted] = result["requests"]
    assert (counted["name"], counted["successes"]) == ("tokens/s", [(76_000.0, 1)])
    assert result["circumstances"]["in_flight"] == 0


def test_a_new_cell_has_no_earlier_failures(recorder: Recorder) -> None:
    request(recorder, "/login", "401")
    recorder.begin("m1_u2_s2.2")
    recorder.measure(10, users=2)

    assert early(recorder) == []


def test_the_number_of_names_and_errors_before_the_window_is_limited(
    recorder: Recorder, clock: list[float]
) -> None:
    for number in range(MAX_NAMES + 100):
        for attempt in range(5):
            request(recorder, f"/user/{number}", f"{number}-{attempt}")
    recorder.measure(10, users=2)
    clock[0] += 1

    found = early(recorder)

    assert len(found) == MAX_REPORTED + 1
    assert sum(one["failures"] for one in found) == 5 * (MAX_NAMES + 100)
    assert all(len(one["errors"]) <= MAX_ERRORS + 1 for one in found)
    assert all(sum(e["count"] for e in one["errors"]) == one["failures"] for one in found)
    [others] = [one for one in found[-1:] if one["name"] == "other requests"]
    assert others["is_in_window"]
