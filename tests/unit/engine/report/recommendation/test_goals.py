"""Check the results of a cell against goals."""

import math
import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadbench.engine.journal.events import Buckets, CellFinished, Measurement, Requests
from loadbench.engine.measure.buckets import min_samples, to_buckets
from loadbench.engine.profile.sections.goals import Goals
from loadbench.engine.report.metrics import Metric
from loadbench.engine.report.recommendation.goal import (
    Goal,
    all_goals,
    goals_of_main,
    set_goals,
)
from loadbench.engine.report.recommendation.goals import (
    MAX_ERROR,
    GoalCheck,
    Outcome,
    check_goals,
    check_text,
    missed_text,
    tightest,
    undecided_text,
    worst_of,
)
from tests.support.builders import cell_finished, requests


def finished(successes: Buckets, failed: int = 0, **changes: Any) -> CellFinished:
    """The results of a cell whose failures took 1 ms."""
    failures = ((1.0, failed),) if failed else ()
    return cell_finished(requests=requests(successes, failures), **changes)


def outcome(successes: Buckets, failed: int = 0, *, aborted: int = 0, **goals: Any) -> Outcome:
    """The outcome of the only goal."""
    found = check_goals(finished(successes, failed, aborted=aborted), Goals(**goals))
    assert len(found) == 1
    return found[0].outcome


@pytest.mark.parametrize(
    ("goal", "fraction"), [("p50_ms", 0.5), ("p90_ms", 0.9), ("p95_ms", 0.95), ("p99_ms", 0.99)]
)
def test_every_percentile_can_be_a_goal(goal: str, fraction: float) -> None:
    needed = min_samples(fraction)
    beyond = needed - math.ceil(fraction * needed)
    at_limit: Buckets = ((100.0, needed - beyond), (200.0, beyond))
    above: Buckets = ((100.0, needed - beyond - 1), (200.0, beyond + 1))
    only: dict[str, Any] = {goal: 100.0}

    assert outcome(at_limit, **only) is Outcome.PASSED
    assert outcome(above, **only) is Outcome.MISSED


def test_without_goals_nothing_is_checked() -> None:
    assert check_goals(cell_finished(), Goals()) == ()


def test_fast_failures_do_not_improve_a_percentile() -> None:
    slow: Buckets = ((100.0, 900), (600.0, 60))

    assert outcome(slow, p95_ms=500) is Outcome.MISSED
    assert outcome(slow, 1000, p95_ms=500) is Outcome.MISSED
    assert outcome(((100.0, 940),), 60, p95_ms=500) is Outcome.MISSED
    assert outcome(((100.0, 960),), 40, p95_ms=500) is Outcome.PASSED


def test_an_aborted_request_counts_as_a_failure() -> None:
    assert outcome(((100.0, 940),), aborted=60, p95_ms=500) is Outcome.MISSED
    assert outcome(((100.0, 98),), aborted=2, failure_ratio=0.01) is Outcome.MISSED


def test_a_percentile_of_failures_is_infinite() -> None:
    [check] = check_goals(finished(((100.0, 900),), 100), Goals(p95_ms=500))

    assert check.value == math.inf
    text = "10 % of the requests failed, too many for p95 (goal 500 ms)"
    assert check_text(check) == missed_text([check]) == text


def test_a_missed_goal_has_its_value_and_limit_and_a_met_one_no_text() -> None:
    goals = Goals(p50_ms=500, p95_ms=600, failure_ratio=0.01)
    checks = check_goals(finished(((400.0, 900), (600.1, 80)), 20), goals)

    assert missed_text(checks) == (
        "p95 600.1 ms misses the goal of 600 ms; 2 % failures misses the goal of ≤ 1 %"
    )


def test_few_samples_are_undecided() -> None:
    assert outcome(((100.0, 199),), p95_ms=500) is Outcome.UNDECIDED
    assert outcome(((100.0, 200),), p95_ms=500) is Outcome.PASSED
    assert outcome(((100.0, 184), (600.0, 15)), p95_ms=500) is Outcome.UNDECIDED


def test_few_samples_that_all_exceed_the_limit_are_a_miss() -> None:
    assert outcome(((900.0, 40),), p95_ms=500) is Outcome.MISSED
    assert outcome(((900.0, 1),), p95_ms=500) is Outcome.UNDECIDED


def test_a_goal_that_is_just_met_is_rarely_reported_as_missed() -> None:
    """With 100 samples, a service at its limit may be called a miss in at most 1 % of runs."""
    generator, runs, misses = random.Random(18), 4000, 0
    for _ in range(runs):
        beyond = sum(generator.random() < 0.05 for _ in range(100))
        misses += outcome(((100.0, 100 - beyond), (600.0, beyond)), p95_ms=500) is Outcome.MISSED

    # Three standard errors above the limit.
    assert misses / runs < MAX_ERROR + 3 * math.sqrt(MAX_ERROR / runs)
    # The rule is not empty: a service with three times as many slow requests is found.
    assert outcome(((100.0, 85), (600.0, 15)), p95_ms=500) is Outcome.MISSED


def test_no_requests_are_undecided() -> None:
    [check] = check_goals(finished(()), Goals(p95_ms=500))

    assert (check.value, check.outcome) == (None, Outcome.UNDECIDED)
    assert check_text(check) == "p95 unknown, no latencies (goal 500 ms)"
    assert outcome((), failure_ratio=0.01) is Outcome.UNDECIDED


@pytest.mark.parametrize(
    ("failed", "limit", "expected"),
    [(0, 0, "passed"), (1, 0, "missed"), (1, 0.01, "passed"), (2, 0.01, "missed")],
)
def test_the_failure_ratio_is_always_decided(failed: int, limit: float, expected: str) -> None:
    assert outcome(((100.0, 100 - failed),), failed, failure_ratio=limit).value == expected


def test_the_throughput_counts_successes_in_the_window() -> None:
    enough, too_few = cell_finished(completed=500), cell_finished(completed=499)
    goals = Goals(min_rps=50)

    assert check_goals(enough, goals)[0].outcome is Outcome.PASSED
    assert check_goals(too_few, goals)[0].outcome is Outcome.MISSED
    assert check_text(check_goals(too_few, goals)[0]) == "throughput 49.9 req/s (goal ≥ 50 req/s)"


@pytest.mark.parametrize(
    ("goal", "value", "limit", "near"),
    [
        ("p95_ms", 449.0, 500.0, False),
        ("p95_ms", 450.0, 500.0, True),
        ("min_rps", 110.0, 100.0, True),
        ("min_rps", 112.0, 100.0, False),
        ("failure_ratio", 0.0, 0.0, False),
    ],
)
def test_a_goal_is_near_within_ten_percent(
    goal: str, value: float, limit: float, near: bool
) -> None:
    assert GoalCheck(Goal(key=goal, limit=limit), value, Outcome.PASSED).is_near is near
    assert not GoalCheck(Goal(key=goal, limit=limit), value, Outcome.MISSED).is_near


def test_a_miss_outweighs_undecided_and_passed() -> None:
    assert worst_of([Outcome.PASSED, Outcome.MISSED, Outcome.UNDECIDED]) is Outcome.MISSED
    assert worst_of([Outcome.PASSED, Outcome.UNDECIDED]) is Outcome.UNDECIDED
    assert worst_of([]) is Outcome.PASSED


def test_the_tightest_check_uses_most_of_its_limit() -> None:
    p95 = GoalCheck(Goal(key="p95_ms", limit=500), 450, Outcome.PASSED)
    failures = GoalCheck(Goal(key="failure_ratio", limit=0.01), 0.001, Outcome.PASSED)
    rate = GoalCheck(Goal(key="min_rps", limit=100), 90, Outcome.MISSED)

    assert tightest([failures, p95]) is p95
    assert tightest([failures, p95, rate]) is rate
    assert tightest([]) is None


def test_a_miss_by_a_small_margin_does_not_look_like_a_hit() -> None:
    missed = GoalCheck(Goal(key="min_rps", limit=100), 99.97, Outcome.MISSED, 1000)
    slow = GoalCheck(Goal(key="p95_ms", limit=500), 500.4, Outcome.MISSED, 1000)

    assert check_text(missed) == "throughput 99.97 req/s (goal ≥ 100 req/s)"
    assert check_text(slow) == "p95 500.4 ms (goal 500 ms)"


def test_a_near_goal_is_marked() -> None:
    check = GoalCheck(Goal(key="p95_ms", limit=500), 460, Outcome.PASSED, 1000)

    assert check_text(check) == "p95 460 ms (near the goal of 500 ms)"


def test_goals_as_text() -> None:
    assert Goal(key="p95_ms", limit=500).text() == "p95 ≤ 500 ms"
    assert Goal(key="failure_ratio", limit=0.01).text() == "failures ≤ 1 %"
    assert Goal(key="min_rps", limit=100).text() == "throughput ≥ 100 req/s"
    check = GoalCheck(Goal(key="p95_ms", limit=500), 412.4, Outcome.UNDECIDED, 120)
    assert check_text(check) == "p95 412 ms (goal 500 ms)"
    assert undecided_text(check) == "p95 needs 200 requests, 120 measured"


@given(
    st.lists(st.tuples(st.floats(1, 9999), st.integers(1, 500)), max_size=20),
    st.integers(0, 500),
    st.floats(1, 9999),
)
def test_more_failures_never_improve_an_outcome(
    counts: list[tuple[float, int]], failed: int, limit: float
) -> None:
    buckets = tuple(sorted(dict(counts).items()))
    order = list(Outcome)

    before = check_goals(finished(buckets, failed), Goals(p95_ms=limit))[0]
    after = check_goals(finished(buckets, failed + 100), Goals(p95_ms=limit))[0]

    if before.outcome is Outcome.MISSED:
        assert after.outcome is Outcome.MISSED
    if before.outcome is not Outcome.UNDECIDED:
        assert order.index(after.outcome) >= order.index(before.outcome)
    if before.value is not None and after.value is not None:
        assert after.value >= before.value


def named_cell() -> CellFinished:
    """A cell with two names of requests and two measurements."""
    names = (
        Requests(method="POST", name="/predict", successes=((400.0, 300),), completed=300),
        Requests(method="GET", name="/", successes=((2.0, 3_000),), completed=3_000),
    )
    measured = (
        Measurement(kind="TTFT", name="first token", unit="ms", values=((50.0, 190), (90.0, 10))),
        Measurement(kind="METRIC", name="speed", unit="tokens/s", values=((-1.0, 9), (20.0, 191))),
    )
    return cell_finished(
        requests=names, completed=3_300, measured_s=30.0, measurements=measured, aborted=0
    )


def check(main: str | None = None, **goals: Any) -> GoalCheck:
    """The check of the only goal."""
    [found] = check_goals(named_cell(), Goals(**goals), main)
    return found


def test_goals_without_a_name_are_for_the_main_requests() -> None:
    assert check(p95_ms=100).outcome is Outcome.MISSED
    assert check("GET /", p95_ms=100).outcome is Outcome.PASSED
    assert check("POST /predict", p50_ms=500).samples == 300
    assert check("POST /predict", min_rps=50).value == 10
    assert check_text(check("POST /predict", p95_ms=500)) == (
        "POST /predict p95 400 ms (goal 500 ms)"
    )


@pytest.mark.parametrize(
    ("goals", "outcome", "text"),
    [
        ({"POST /predict": {"p95": 380}}, Outcome.MISSED, "POST /predict p95 400 ms (goal 380 ms)"),
        ({"/": {"p95": 5}}, Outcome.PASSED, "/ p95 2.00 ms (goal 5 ms)"),
        (
            {"GET /": {"min_rps": 90}},
            Outcome.PASSED,
            "GET / throughput 100 req/s (goal ≥ 90 req/s)",
        ),
        ({"GET /": {"failure_ratio": 0}}, Outcome.PASSED, "GET / failures 0 % (goal ≤ 0 %)"),
        (
            {"POST /predict": {"p99": 500}},
            Outcome.UNDECIDED,
            "POST /predict p99 400 ms (goal 500 ms)",
        ),
        (
            {"POST /x": {"p95": 5}},
            Outcome.UNDECIDED,
            "POST /x p95 unknown, no latencies (goal 5 ms)",
        ),
        ({"POST /x": {"min_rps": 5}}, Outcome.UNDECIDED, None),
    ],
)
def test_goals_by_request(goals: dict[str, Any], outcome: Outcome, text: str | None) -> None:
    found = check(requests=goals)

    assert found.outcome is outcome
    if text:
        assert check_text(found, marks_near=False) == text


@pytest.mark.parametrize(
    ("goals", "outcome", "text"),
    [
        ({"first token": {"p95": 50}}, Outcome.PASSED, "first token p95 50.0 ms (goal 50 ms)"),
        ({"TTFT first token": {"p95": 49}}, Outcome.MISSED, None),
        ({"first token": {"p99": 60}}, Outcome.MISSED, "first token p99 90.0 ms (goal 60 ms)"),
        ({"first token": {"p99": 95}}, Outcome.UNDECIDED, None),
        ({"speed": {"min_p5": 20}}, Outcome.PASSED, "speed p5 20.0 tokens/s (goal ≥ 20 tokens/s)"),
        (
            {"speed": {"min_p50": 21}},
            Outcome.MISSED,
            "speed p50 20.0 tokens/s (goal ≥ 21 tokens/s)",
        ),
        (
            {"slow token": {"p95": 9}},
            Outcome.UNDECIDED,
            "slow token p95 unknown, no values (goal 9)",
        ),
    ],
)
def test_goals_by_measurement(goals: dict[str, Any], outcome: Outcome, text: str | None) -> None:
    found = check(measurements=goals)

    assert found.outcome is outcome
    if text:
        assert check_text(found, marks_near=False) == text


def test_events_without_a_value_do_not_improve_a_measurement() -> None:
    one = Measurement(kind="TTFT", name="first token", values=((5.0, 190),), failures=20)
    cell = cell_finished(measurements=(one,))
    goals = Goals(measurements={"first token": {"p95": 10.0, "p50": 10.0}})

    p95, p50 = check_goals(cell, goals)

    assert (p95.outcome, p50.outcome) == (Outcome.MISSED, Outcome.PASSED)
    assert missed_text([p95]) == (
        "9.52 % of the events had no value, too many for first token p95 (goal 10)"
    )


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=400),
    st.floats(1e-3, 1e6),
    st.sampled_from([("min_p50", "p50"), ("min_p10", "p90"), ("min_p5", "p95"), ("min_p1", "p99")]),
)
def test_a_minimum_is_the_mirror_image_of_a_maximum(
    values: list[float], limit: float, keys: tuple[str, str]
) -> None:
    def outcome_of(sign: float, key: str, limit: float) -> Outcome:
        histogram = to_buckets(Counter(sign * value for value in values))
        one = Measurement(kind="METRIC", name="x", values=histogram)
        # Profiles accept positive limits only, but mirrored limits are negative.
        goal = Goals.model_construct(
            **{**Goals().model_dump(), "measurements": {"x": {key: limit}}}
        )
        [found] = check_goals(cell_finished(measurements=(one,)), goal)
        return found.outcome

    assert outcome_of(1, keys[0], limit) is outcome_of(-1, keys[1], -limit)


def test_undecided_goals_name_what_is_missing() -> None:
    assert undecided_text(check(requests={"POST /x": {"p95": 5}})) == (
        "no latencies of POST /x were measured"
    )
    assert undecided_text(check(measurements={"x": {"p95": 5}})) == "no values of x were measured"
    assert undecided_text(check(measurements={"speed": {"min_p1": 5}})) == (
        "speed p1 needs 1000 values, 200 measured"
    )


def test_goals_by_name_of_the_main_requests_are_those_of_tables_and_charts() -> None:
    main = "POST /predict"
    goals = Goals.model_validate(
        {
            "p50_ms": 9,
            "requests": {
                main: {"p95": 400, "p50": 5, "min_rps": 3},
                "/predict": {"p90": 7},
                "slow POST /predict": {"p90": 8},
            },
        }
    )

    shown = goals_of_main(goals, main)

    # The stricter of two goals decides.
    assert set_goals(shown) == {"p50_ms": 5, "p95_ms": 400, "min_rps": 3}
    assert set_goals(goals_of_main(goals, None)) == {"p50_ms": 9}
    of_main = {goal.key for goal in all_goals(goals, main) if goal.is_main}
    assert of_main == {"p50_ms"} | {f"requests.{main}.{key}" for key in ("p95", "p50", "min_rps")}
    assert Metric.P95.limits(next(goal for goal in all_goals(goals, main) if goal.limit == 400))
    assert not any(map(Metric.P90.limits, all_goals(goals, main)))


def test_values_of_several_units_are_undecided() -> None:
    seconds = Measurement(kind="METRIC", name="t", unit="s", values=((1.0, 300),))
    ms = Measurement(kind="METRIC", name="t", unit="ms", values=((10.0, 300),))
    [found] = check_goals(
        cell_finished(measurements=(seconds, ms)), Goals(measurements={"t": {"p95": 20.0}})
    )

    assert (found.outcome, found.value) == (Outcome.UNDECIDED, None)
