"""How long cells must last, from what users do or from earlier runs."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadbench.engine.journal.events import Measurement, Requests, Verdict
from loadbench.engine.journal.state import RunState
from loadbench.engine.measure.sampling.backed import SampleNeed, sample_needs
from loadbench.engine.measure.sampling.earlier import EarlierRates, earlier_rates
from loadbench.engine.measure.sampling.needs import (
    CellSampling,
    SamplingPlan,
    cell_sampling,
    needs_text,
    samples_with_margin,
    sampling_advice,
    sampling_text,
)
from loadbench.engine.measure.sampling.users import (
    RateEstimate,
    UserPattern,
    rate_of_users,
)
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.plan import plan_cells
from loadbench.engine.profile.sections.goals import Goals
from tests.support.builders import (
    cell_finished,
    cell_started,
    make_profile,
    run_started,
    state_after,
)

PREDICT, INDEX = ("POST", "/predict"), ("GET", "/")
P95 = SampleNeed(name=None, percentile="p95", samples=200)
OF_PREDICT = SampleNeed(name="POST /predict", percentile="p95", samples=200)


def pattern(pause_s: float = 2.0, **changes: Any) -> UserPattern:
    requests = {PREDICT: 0.75, INDEX: 0.25}
    return UserPattern(**{"name": "A", "pause_s": pause_s, "requests": requests, **changes})


def rate(
    *patterns: UserPattern,
    users: int = 10,
    need: SampleNeed = P95,
    main: str | None = None,
    **goals: Any,
) -> RateEstimate:
    return rate_of_users(patterns, users, need, Goals.model_validate(goals), main)


# From users


def test_the_rate_is_that_of_users_that_wait_and_think() -> None:
    assert rate(pattern(), p95_ms=500).rate == 10 / 2.5
    assert rate(pattern(), need=OF_PREDICT, p95_ms=500).rate == 0.75 * 10 / 2.5
    assert rate(pattern(), users=2, p95_ms=500).rate == 2 / 2.5


def test_without_goals_the_rate_may_be_lower() -> None:
    assert rate(pattern()) == RateEstimate(rate=5.0, is_maximum=True)
    assert rate(pattern(), p95_ms=500).is_maximum is False


def test_without_think_time_and_goals_the_rate_is_unknown() -> None:
    assert rate(pattern(0.0)).unknown == "without think time and goals, it depends on the latency"
    assert rate(pattern(0.0), p99_ms=100).rate == 100


def test_requests_without_a_goal_count_as_the_slowest_with_one() -> None:
    by_name = {"POST /predict": {"p95": 400, "p50": 100}}

    assert rate(pattern(), requests=by_name).rate == pytest.approx(10 / 2.4)
    assert rate(pattern(), main="POST /predict", p50_ms=200).rate == pytest.approx(10 / 2.2)


def test_pacing_is_a_minimum_of_the_cycle() -> None:
    paced = pattern(0.0, min_cycle_s=2.0)

    assert rate(paced, p95_ms=500).rate == 5
    assert rate(paced, p95_ms=4000).rate == 2.5


def test_users_are_distributed_by_weight_and_fixed_count() -> None:
    fast, slow = pattern(1.0, weight=3), pattern(5.0, weight=1)

    assert rate(fast, slow).rate == 7.5 / 1 + 2.5 / 5
    assert rate(fast, pattern(5.0, fixed_count=4)).rate == 6 / 1 + 4 / 5
    assert rate(fast, pattern(5.0, fixed_count=40)).rate == 10 / 5
    assert rate(pattern(1.0, weight=0), slow).rate == 10 / 5


@pytest.mark.parametrize(
    ("patterns", "need", "reason"),
    [
        ((), P95, "no user classes were found"),
        ((pattern(unknown="it is computed"),), P95, "it is computed"),
        ((pattern(unknown_requests="in a loop"),), OF_PREDICT, "in a loop"),
        ((pattern(requests={INDEX: 1.0}),), OF_PREDICT, "no task sends POST /predict requests"),
        (
            (pattern(),),
            SampleNeed(name="first token", percentile="p95", samples=200, is_measurement=True),
            "no earlier run has values of first token",
        ),
    ],
)
def test_what_is_unknown_is_named(
    patterns: tuple[UserPattern, ...], need: SampleNeed, reason: str
) -> None:
    assert rate(*patterns, need=need) == RateEstimate(unknown=reason)


def test_users_with_unknown_requests_send_at_least_one_per_task() -> None:
    assert rate(pattern(requests={}, unknown_requests="in a loop")).rate == 5


# From earlier runs


def state(profile: Profile, *, run: str = "20261202-101010", **results: Any) -> RunState:
    key = plan_cells(profile)[0].key
    finished = cell_finished(key, **results)
    return state_after(run_started(profile, run=run), cell_started(key), finished)


def requests_of(name: tuple[str, str], number: int) -> Requests:
    return Requests(method=name[0], name=name[1], successes=((10.0, number),))


def measured(profile: Profile | None = None, *states: RunState) -> EarlierRates:
    found = earlier_rates(profile or make_profile(), states)
    assert found is not None
    return found


def test_the_rate_is_that_of_the_most_similar_cell_in_proportion_to_its_users() -> None:
    profile = make_profile(users=[2, 8])
    small, large = plan_cells(profile)
    events = [
        event
        for cell, number in ((small, 20), (large, 60))
        for event in (
            cell_started(cell.key),
            cell_finished(cell.key, measured_s=10, requests=(requests_of(PREDICT, number),)),
        )
    ]
    found = measured(profile, state_after(run_started(profile), *events))

    assert [found.rate(P95, cell) for cell in (small, large)] == [
        RateEstimate(rate=2),
        RateEstimate(rate=6),
    ]
    (five, twenty) = plan_cells(make_profile(users=[5, 20]))
    assert found.rate(P95, five) == RateEstimate(rate=3.75)
    # The service may be saturated.
    assert found.rate(P95, twenty) == RateEstimate(rate=15, is_maximum=True)


def test_rates_of_names_and_measurements_are_known_if_they_were_measured() -> None:
    profile = make_profile()
    (cell,) = plan_cells(profile)
    token = Measurement(kind="METRIC", name="first token", values=((7.0, 30),))
    found = measured(
        profile,
        state(
            profile,
            measured_s=10,
            requests=(requests_of(PREDICT, 20), requests_of(INDEX, 50)),
            measurements=(token,),
        ),
    )

    assert found.rate(OF_PREDICT, cell) == RateEstimate(rate=2)
    need = SampleNeed(name="first token", percentile="p5", samples=1, is_measurement=True)
    assert found.rate(need, cell) == RateEstimate(rate=3)
    assert found.rate(SampleNeed(name="gone", percentile="p95", samples=1), cell) is None


def test_the_newest_run_with_the_same_load_counts() -> None:
    now = make_profile(run_time="auto", load={"locustfile": "a.py", "main": "POST /predict"})
    same = make_profile(run_time="9s", users=[50], load={"locustfile": "a.py"})
    other = make_profile(load={"locustfile": "b.py"})
    unmeasured = state_after(run_started(same))

    found = earlier_rates(
        now, [unmeasured, state(other), state(same, run="second"), state(same, run="third")]
    )

    assert found is not None
    assert found.run == "second"
    assert earlier_rates(now, [state(other)]) is None


# Times


@given(st.integers(1, 100_000))
def test_a_mean_with_margin_is_2_33_standard_deviations_above_the_minimum(samples: int) -> None:
    mean = samples_with_margin(samples)

    assert mean - 2.33 * math.sqrt(mean) == pytest.approx(samples)


def test_with_the_margin_99_percent_of_windows_have_enough_samples() -> None:
    # P(N >= 200) for a Poisson count.
    mean = samples_with_margin(200)
    below = sum(math.exp(n * math.log(mean) - mean - math.lgamma(n + 1)) for n in range(200))

    assert below == pytest.approx(0.01, abs=0.003)


def sampling(profile: Profile, rates: dict[str, float | None]) -> SamplingPlan:
    """Return the plan of a profile with rates by the name of requests, for two users."""

    def rate_of(need: SampleNeed, cell: Any) -> RateEstimate:
        found = rates[need.name or ""]
        if found is None:
            return RateEstimate(unknown="it is computed")
        return RateEstimate(rate=found * cell.level.amount / 2)

    needs = sample_needs(profile.goals, profile.load.main)
    cells = {cell.key: cell_sampling(needs, cell, rate_of) for cell in plan_cells(profile)}
    return SamplingPlan(cells=cells, source="from run R")


def shown(profile: Profile, **rates: float | None) -> tuple[list[str], str, str]:
    """Return the times of all cells, the summary and the advice."""
    plan = sampling(
        profile,
        {name.replace("_", "/"): each for name, each in rates.items()}
        | {"": rates.get("all", 1.0)},
    )
    cells = plan_cells(profile)
    times = [needs_text(profile, plan.cells[cell.key]) for cell in cells]
    return times, sampling_text(profile, plan), sampling_advice(profile, cells, plan)


SHORT_ADVICE = (
    "run_time: 30s is too short for p95 with 2 users (and 1 more): 4 min needed. Set "
    "run_time: auto, or run_time: 240s"
)


def test_short_run_times_are_named_with_what_to_set() -> None:
    profile = make_profile(users=[2, 4, 20], run_time="30s")

    assert shown(profile) == (
        ["3 min 56 s", "1 min 58 s", "24 s"],
        "up to 3 min 56 s per cell for p95, from run R",
        SHORT_ADVICE,
    )


def test_long_enough_run_times_have_no_advice() -> None:
    assert shown(make_profile(run_time="240s"))[2] == ""


def test_the_percentile_that_takes_longest_decides() -> None:
    goals = {"p99_ms": 50, "requests": {"/rare": {"p95": 5}}}
    profile = make_profile(run_time="30s", goals=goals)

    _, text, advice = shown(profile, all=10.0, _rare=0.1)

    assert text.startswith("up to 39 min per cell for p95 of /rare")
    assert "too short for p95 of /rare with 2 users: 39 min needed" in advice
    assert advice.endswith("Set run_time: auto and max_run_time: 2360s, or run_time: 2360s")


def test_automatic_run_times_have_their_expected_length_within_limits() -> None:
    profile = make_profile(users=[2, 4, 100], run_time="auto", max_run_time="3m")

    times, text, advice = shown(profile)

    assert times == ["3 min 56 s", "1 min 40 s", "10 s"]
    assert text == "up to 3 min 56 s per cell for p95, from run R"
    assert advice == (
        "max_run_time: 3m is too short for p95 with 2 users: 4 min needed. Set max_run_time: 240s"
    )
    plan = sampling(profile, {"": 1.0})
    assert list(plan.expected_of.values()) == [200, 100, 4]


def test_a_time_of_more_than_a_day_needs_more_users() -> None:
    assert shown(make_profile(), all=0.001)[2].endswith("Use more users")


def test_unknown_times_are_named_once() -> None:
    profile = make_profile(users=[2, 4])

    assert shown(profile, all=None) == (["?", "?"], "unknown: it is computed", "")
    assert sampling(profile, {"": None}).unknown == ("it is computed",)
    assert sampling_text(profile, SamplingPlan()) == ""


def test_a_time_that_may_be_longer_is_marked() -> None:
    cell = CellSampling(needed_s=20, expected_s=15, percentile="p95", is_minimum=True)
    plan = SamplingPlan(cells={"x": cell}, source="from run R")

    assert needs_text(make_profile(), cell) == "≥ 20 s"
    assert sampling_text(make_profile(), plan).startswith("at least 20 s per cell")


def test_invalid_cells_have_no_rate() -> None:
    profile = make_profile()
    assert earlier_rates(profile, [state(profile, verdict=Verdict.INVALID)]) is None
