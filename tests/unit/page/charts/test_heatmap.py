"""The heat map: values, signs, colours, failed and suspect cells, merged cells, orientation."""

from typing import Any

import pytest

from loadbench.engine.journal.events import CellFailed, Verdict
from loadbench.engine.report.metrics import GoalState, Metric
from loadbench.page.charts.chart import Spec
from loadbench.page.charts.heatmap import heatmap_chart, tiles_of
from loadbench.page.charts.palette import FILE, PAGE
from tests.support.builders import (
    cell_failed,
    cell_finished,
    make_profile,
    requests,
    run_started,
    state_after,
    swept,
)
from tests.support.goal_cells import goal_state_run
from tests.support.page_runs import chart_of, hundred_run, run_of

GOALS = run_of(goal_state_run())


def test_labels_have_a_sign_for_each_state() -> None:
    labels = _labels(chart_of(GOALS, "heatmap").spec(PAGE))
    assert labels == {
        ("1", "2"): "50.0 ✓",
        ("2", "2"): "95.0 ~",
        ("3", "2"): "150 ✗",
        ("1", "4"): "50.0 ?",
        ("2", "4"): "60.0 ✓!",
        ("3", "4"): "invalid",
        ("1", "8"): "40.0 ✗",
        ("2", "8"): "✗ failed",
        ("3", "8"): "skipped",
    }


def test_signs_of_files_are_in_their_font() -> None:
    labels = set(_labels(chart_of(GOALS, "heatmap").spec(FILE)).values())
    assert {"50.0 √", "150 ×", "× failed"} <= labels
    assert not any("✓" in label or "✗" in label for label in labels)


def test_colours_follow_the_states() -> None:
    spec = chart_of(GOALS, "heatmap").spec(PAGE)
    scale = spec["layer"][0]["encoding"]["fill"]["scale"]
    assert dict(zip(scale["domain"], scale["range"], strict=True)) == {
        "✓ pass": PAGE.good,
        "~ near": PAGE.near,
        "? undecided": PAGE.grid,
        "✗ miss": PAGE.bad,
        "no result": PAGE.surface,
    }


def test_descriptions_name_the_state() -> None:
    texts = [one["text"] for one in _records(chart_of(GOALS, "heatmap").spec(PAGE))]
    assert "1 model, 8 users: p95 40.0 ms, misses a goal" in texts
    assert "2 models, 4 users: p95 60.0 ms, meets the goals, suspect" in texts
    assert "2 models, 8 users: failed" in texts


def test_of_repeats_the_median_counts_as_in_the_recommendation() -> None:
    profile = make_profile(users=[2], repeats=3, goals={"p95_ms": 100})
    state = swept(profile, m1_u2_s2_r2={"requests": requests(((150.0, 400),))})
    (tile,) = tiles_of(run_of(state), Metric.P95)
    assert tile.state is GoalState.PASSED
    assert tile.value == 10
    chart = heatmap_chart(run_of(state))
    assert chart
    assert "Of repeats, the median counts." in chart.caption


def test_of_spawn_rates_the_worst_state_counts() -> None:
    profile = make_profile(users=[2], spawn_rates=[1, 2], goals={"p95_ms": 100})
    state = swept(profile, m1_u2_s2={"requests": requests(((150.0, 400),))})
    (tile,) = tiles_of(run_of(state), Metric.P95)
    assert (tile.state, tile.value) == (GoalState.MISSED, 150)


def test_a_failure_of_locust_is_no_missed_goal() -> None:
    profile = make_profile(users=[2], goals={"p95_ms": 100})
    failed = CellFailed(cell="m1_u2_s2", attempt=1, reason="Locust exited with code 1")
    (tile,) = tiles_of(run_of(state_after(run_started(profile), failed)), Metric.P95)
    assert (tile.state, tile.status) == (None, "failed")


def test_a_failed_repeat_counts_as_missed_beside_results() -> None:
    profile = make_profile(users=[2], repeats=2, goals={"p95_ms": 100})
    state = state_after(run_started(profile), cell_finished(), cell_failed("m1_u2_s2_r2"))
    (tile,) = tiles_of(run_of(state), Metric.P95)
    assert (tile.state, tile.value, tile.status) == (GoalState.MISSED, 10.0, "")
    assert tile.text.endswith("1 of 2 cells failed")


def test_without_goals_values_are_shaded_and_failed_cells_are_marked() -> None:
    run = hundred_run(models=(1, 2, 3, 4), users=(5, 10, 20, 30, 40), goals={})
    chart = chart_of(run, "heatmap")
    assert chart.title == "Latency by load and models"
    spec = chart.spec(PAGE)
    encoding = spec["layer"][0]["encoding"]
    assert encoding["fillOpacity"]["field"] == "share"
    assert max(one["share"] for one in _records(spec)) == 1
    assert "✗ failed" in _labels(spec).values()
    assert {"test": "datum.status === 'failed'", "value": PAGE.bad} in (
        encoding["fill"]["condition"]
    )


@pytest.mark.parametrize(("models", "users"), [((1, 2), (5, 10, 20)), ((1, 2, 4), (5, 10))])
def test_the_longer_side_goes_down(models: tuple[int, ...], users: tuple[int, ...]) -> None:
    spec = chart_of(hundred_run(models=models, users=users), "heatmap").spec(PAGE)
    domains = [spec["encoding"][side]["scale"]["domain"] for side in "xy"]
    assert len(domains[0]) <= len(domains[1])
    titles = [spec["encoding"][side]["title"] for side in "xy"]
    assert titles == (["models", "users"] if len(users) > len(models) else ["users", "models"])


def test_columns_are_limited() -> None:
    run = hundred_run(models=tuple(range(1, 13)), users=tuple(range(10, 310, 10)))
    chart = chart_of(run, "heatmap")
    assert "The chart shows 8 of 12 numbers of models." in chart.caption
    assert len(_records(chart.spec(PAGE))) == 8 * 30


def test_before_the_first_result_there_is_no_heat_map() -> None:
    state = state_after(run_started())
    assert heatmap_chart(run_of(state)) is None


def test_a_run_of_invalid_cells_has_a_heat_map_without_numbers() -> None:
    state = swept(make_profile(), m1_u2_s2={"verdict": Verdict.INVALID})
    chart = heatmap_chart(run_of(state))
    assert chart is not None
    assert list(_labels(chart.spec(PAGE)).values()) == ["invalid"]


def _records(spec: Spec) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = spec["data"]["values"]
    return found


def _labels(spec: Spec) -> dict[tuple[str, str], str]:
    return {(one["x"], one["y"]): one["label"] for one in _records(spec)}
