"""Percentiles of measurements as metrics of the sweep and the charts."""

from dataclasses import replace

import pytest

from loadbench.engine.report.by_level import metric_by_level
from loadbench.engine.report.measurements.metric import (
    MAX_METRICS,
    MeasurementMetric,
    measurement_metrics,
)
from loadbench.engine.report.metrics import (
    GoalState,
    Metric,
    default_metric,
    goal_limit,
    latency_metric,
    main_percentiles,
    metrics_of,
    own_state,
)
from loadbench.engine.report.rows import rows
from tests.support.builders import (
    cell_finished,
    cell_started,
    make_profile,
    measurement,
    run_started,
    sample,
    state_after,
)
from tests.support.chat_cells import FIRST_TOKEN_GOAL_MS, PROFILE, chat_run

FIRST_TOKEN = MeasurementMetric(("TTFT", "first token", "ms"), "p95")
TOKENS = MeasurementMetric(("METRIC", "output tokens", "tokens"), "p50")
SPEED = MeasurementMetric(("METRIC", "speed", "tokens/s"), "p10")


def test_metrics_are_the_percentiles_with_a_goal_otherwise_one_that_fits_the_unit() -> None:
    assert measurement_metrics(chat_run()) == (FIRST_TOKEN, TOKENS, SPEED)
    assert metrics_of(chat_run()) == (*Metric, FIRST_TOKEN, TOKENS, SPEED)


@pytest.mark.parametrize(
    ("unit", "percentile"), [("", "p95"), ("s", "p95"), ("tokens", "p50"), ("tokens/s", "p50")]
)
def test_the_default_percentile_depends_on_the_unit(unit: str, percentile: str) -> None:
    finished = cell_finished(measurements=(measurement(unit=unit),))

    [metric] = measurement_metrics(state_after(run_started(), cell_started(), finished))

    assert metric.value == percentile


def test_a_live_run_has_the_measurements_of_its_newest_second() -> None:
    second = sample(measurements=(measurement(),))

    assert measurement_metrics(state_after(run_started(), cell_started(), second)) == (FIRST_TOKEN,)


def test_the_number_of_measurements_is_limited() -> None:
    many = tuple(measurement(f"value {number:02}") for number in range(MAX_METRICS + 2))
    state = state_after(run_started(), cell_started(), cell_finished(measurements=many))

    assert len(measurement_metrics(state)) == MAX_METRICS


def test_a_goal_with_the_type_in_its_name_limits_the_metric() -> None:
    goals = make_profile(goals={"measurements": {"TTFT first token": {"p95": 40}}}).goals

    assert goal_limit(goals, FIRST_TOKEN) == 40
    assert goal_limit(goals, replace(FIRST_TOKEN, value="p50")) is None
    assert goal_limit(goals, TOKENS) is None


def test_labels_have_the_unit() -> None:
    unknown = MeasurementMetric(("", "a", ""), "p95")

    assert (FIRST_TOKEN.label, FIRST_TOKEN.title) == ("first token p95 (ms)", "first token (ms)")
    assert (unknown.label, unknown.title) == ("a p95", "a")


def test_a_metric_has_the_value_and_the_state_of_its_own_goal() -> None:
    found = {row.cell: row for row in rows(chat_run())}

    passed, missed = found["m1_u2_s2"], found["m2_u8_s2"]
    values = [metric.of(missed.measurements) for metric in (FIRST_TOKEN, SPEED)]
    assert [one.value for one in values if one] == [106.0, 23.3]
    assert own_state(passed, FIRST_TOKEN) is GoalState.PASSED
    assert own_state(missed, FIRST_TOKEN) is GoalState.MISSED
    assert own_state(missed, SPEED) is GoalState.PASSED
    assert own_state(missed, TOKENS) is None
    assert goal_limit(PROFILE.goals, FIRST_TOKEN) == FIRST_TOKEN_GOAL_MS


def test_a_row_without_the_measurement_has_no_value() -> None:
    assert FIRST_TOKEN.of(()) is None


def test_a_measurement_has_a_curve_per_number_of_models() -> None:
    curves = metric_by_level(chat_run(), FIRST_TOKEN)

    assert [(curve.models, curve.points) for curve in curves] == [
        (1, ((2, 78.0), (4, 106.0), (8, 162.0))),
        (2, ((2, 64.0), (4, 78.0), (8, 106.0))),
    ]


def test_a_measurement_does_not_change_which_latency_is_shown() -> None:
    goals = PROFILE.goals

    assert latency_metric(FIRST_TOKEN, goals) is default_metric(goals)
    assert latency_metric(Metric.RPS, goals) is default_metric(goals)
    assert latency_metric(Metric.P50, goals) is Metric.P50
    assert main_percentiles(goals, FIRST_TOKEN) == main_percentiles(goals)
