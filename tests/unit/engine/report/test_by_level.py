"""Latency and throughput against load."""

import pytest

from loadbench.engine.journal.events import Verdict
from loadbench.engine.report.by_level import LevelCurve, metric_by_level
from loadbench.engine.report.metrics import Metric
from tests.support.builders import (
    cell_failed,
    cell_started,
    make_profile,
    requests,
    run_started,
    state_after,
    swept,
)

NO_RESULT = state_after(run_started(), cell_started(), cell_failed())


def test_each_number_of_models_has_a_curve() -> None:
    state = swept(make_profile(models=[2, 1], users=[8, 4]), m1_u4_s2={"completed": 70})

    assert metric_by_level(state, Metric.RPS) == (
        LevelCurve(models=1, points=((4, 7.0), (8, 40.0))),
        LevelCurve(models=2, points=((4, 40.0), (8, 40.0))),
    )


def test_repeats_are_merged_into_one_point() -> None:
    slow = {"requests": requests(((100.0, 300),)), "completed": 100}
    state = swept(make_profile(repeats=2), m1_u2_s2_r2=slow)

    # 400 requests of 10 ms and 300 of 100 ms: percentiles are not averaged.
    assert metric_by_level(state, Metric.P90) == (LevelCurve(models=1, points=((2, 100.0),)),)
    assert metric_by_level(state, Metric.RPS) == (LevelCurve(models=1, points=((2, 25.0),)),)


def test_the_recheck_and_invalid_cells_are_excluded() -> None:
    state = swept(
        make_profile(users=[2, 4], recheck_first=True),
        m1_u4_s2={"verdict": Verdict.INVALID},
        m1_u2_s2_recheck={"completed": 4},
    )

    assert metric_by_level(state, Metric.RPS) == (LevelCurve(models=1, points=((2, 40.0),)),)


def test_a_cell_without_a_successful_request_has_no_latency() -> None:
    state = swept(make_profile(), m1_u2_s2={"requests": requests(()), "completed": 0})

    assert metric_by_level(state, Metric.P90) == (LevelCurve(models=1, points=((2, None),)),)


def test_a_run_without_finished_cells_has_no_curves() -> None:
    assert metric_by_level(NO_RESULT, Metric.P90) == ()


def test_failures_are_a_percentage_of_all_requests_of_the_repeats() -> None:
    failing = {"requests": requests(((10.0, 270),), ((1.0, 30),))}
    state = swept(make_profile(repeats=2), m1_u2_s2_r2=failing)

    (curve,) = metric_by_level(state, Metric.FAILURES)

    assert [value for _, value in curve.points] == [pytest.approx(100 * 30 / 700)]


def test_a_bottleneck_has_no_curve() -> None:
    assert metric_by_level(swept(make_profile()), Metric.BOTTLENECK) == ()
