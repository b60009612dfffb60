"""Metrics of cells, and the states of their goals."""

import pytest

from loadbench.engine.profile.sections.goals import Goals
from loadbench.engine.report.metrics import (
    GoalState,
    Metric,
    check_state,
    default_metric,
    goal_limit,
    goal_state,
    goals_of,
    main_percentiles,
    next_metric,
    own_state,
)
from loadbench.engine.report.recommendation.goal import Goal
from loadbench.engine.report.recommendation.goals import GoalCheck, Outcome
from loadbench.engine.report.rows import Row, rows
from loadbench.engine.report.sorting import SortKey, sort_rows
from tests.support.builders import make_profile, run_started, state_after
from tests.support.goal_cells import (
    FAILING,
    GOAL_MS,
    INVALID,
    MISSED,
    NEAR,
    PASSED,
    SUSPECT,
    UNDECIDED,
    goal_state_run,
)

ROWS = {row.cell: row for row in rows(goal_state_run())}


def test_every_goal_limits_one_metric() -> None:
    limited = [metric.goal for metric in Metric if metric.goal]

    by_name = {"requests", "measurements"}
    assert sorted(limited) == sorted(Goals.model_fields.keys() - by_name)


@pytest.mark.parametrize("metric", Metric)
def test_every_metric_is_a_field_of_a_row(metric: Metric) -> None:
    assert hasattr(ROWS[PASSED], metric.column)
    assert metric.is_latency is bool(metric.goal and Goal(key=metric.goal, limit=1).is_latency)


@pytest.mark.parametrize(
    ("metric", "label"),
    [
        (Metric.P95, "p95 (ms)"),
        (Metric.RPS, "req/s"),
        (Metric.FAILURES, "failures (%)"),
        (Metric.BOTTLENECK, "bottleneck"),
    ],
)
def test_a_label_has_the_unit(metric: Metric, label: str) -> None:
    assert metric.label == label


def test_the_last_metric_is_followed_by_the_first() -> None:
    metrics = tuple(Metric)

    assert next_metric(Metric.P90, metrics) is Metric.P95
    assert next_metric(Metric.BOTTLENECK, metrics) is Metric.P50
    assert next_metric(Metric.FAILURES, (Metric.P50, Metric.FAILURES)) is Metric.P50
    assert next_metric(Metric.RPS, (Metric.P50, Metric.FAILURES)) is Metric.P50


@pytest.mark.parametrize(
    ("goals", "metric"),
    [
        ({}, Metric.P90),
        ({"min_rps": 10, "failure_ratio": 0.1}, Metric.P90),
        ({"p50_ms": 1}, Metric.P50),
        ({"p50_ms": 1, "p90_ms": 1}, Metric.P90),
        ({"p90_ms": 1, "p99_ms": 1}, Metric.P99),
        ({"p95_ms": 1, "p99_ms": 1}, Metric.P95),
    ],
)
def test_the_default_metric_is_the_percentile_with_a_goal(
    goals: dict[str, float], metric: Metric
) -> None:
    assert default_metric(Goals(**goals)) is metric


@pytest.mark.parametrize(
    ("goals", "middle"),
    [({}, Metric.P90), ({"p99_ms": 1}, Metric.P90), ({"p95_ms": 1, "p90_ms": 1}, Metric.P95)],
)
def test_p95_replaces_p90_if_it_has_a_goal(goals: dict[str, float], middle: Metric) -> None:
    assert main_percentiles(Goals(**goals)) == (Metric.P50, middle, Metric.P99)


def test_a_run_with_an_unreadable_profile_has_no_goals() -> None:
    goals = goals_of(state_after(run_started(make_profile(goals={"p95_ms": 5}))))

    assert (goal_limit(goals, Metric.P95), goal_limit(goals, Metric.P99)) == (5, None)
    assert goal_limit(goals, Metric.BOTTLENECK) is None
    assert goals_of(state_after()) == Goals()


@pytest.mark.parametrize(
    ("cell", "state"),
    [
        (PASSED, GoalState.PASSED),
        (NEAR, GoalState.NEAR),
        (MISSED, GoalState.MISSED),
        (UNDECIDED, GoalState.UNDECIDED),
        (SUSPECT, GoalState.PASSED),
        (INVALID, None),
        (FAILING, GoalState.MISSED),
    ],
)
def test_a_cell_has_the_worst_state_of_its_goals(cell: str, state: GoalState | None) -> None:
    assert goal_state(ROWS[cell]) is state


def test_a_metric_has_the_state_of_its_own_goal() -> None:
    failing = ROWS[FAILING]

    assert failing.p95_ms == 40.0
    assert own_state(failing, Metric.FAILURES) is GoalState.MISSED
    assert own_state(failing, Metric.P50) is None
    assert own_state(failing, Metric.BOTTLENECK) is None


def test_a_goal_that_is_just_met_is_near() -> None:
    exact = GoalCheck(Goal(key="p95_ms", limit=GOAL_MS), GOAL_MS, Outcome.PASSED)

    assert check_state(exact) is GoalState.NEAR


def test_rows_are_sorted_from_passed_to_missed_and_unchecked_ones_are_last() -> None:
    def states(*, is_descending: bool) -> list[GoalState | None]:
        ordered: list[Row] = sort_rows(
            list(ROWS.values()), SortKey.GOAL, is_descending=is_descending
        )
        return list(dict.fromkeys(map(goal_state, ordered)))

    order = [GoalState.PASSED, GoalState.NEAR, GoalState.UNDECIDED, GoalState.MISSED]
    assert states(is_descending=False) == [*order, None]
    assert states(is_descending=True) == [*reversed(order), None]
