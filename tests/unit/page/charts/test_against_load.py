"""Charts of a metric against load: values, goals, suspect points, scales and labels."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from loadbench.engine.journal.state import RunState
from loadbench.engine.report.by_level import metric_by_level
from loadbench.engine.report.metrics import Metric
from loadbench.page.charts.against_load import against_load
from loadbench.page.charts.chart import Spec
from loadbench.page.charts.palette import FILE, PAGE
from loadbench.page.charts.parts import is_skewed, labelled, log_ticks
from tests.support.builders import make_profile, requests, swept
from tests.support.chat_cells import MAIN, chat_run
from tests.support.goal_cells import GOAL_MS, goal_state_run
from tests.support.hundred_cells import HOSTILE
from tests.support.page_runs import hundred_run


def spec_of(state: RunState, metric: Metric = Metric.P95) -> Spec:
    chart = against_load("latency", "Latency against load", state, metric)
    assert chart is not None
    return chart.spec(PAGE)


def layers(spec: Spec, mark: str) -> list[Spec]:
    return [layer for layer in spec["layer"] if layer["mark"]["type"] == mark]


def points(spec: Spec) -> list[dict[str, Any]]:
    (layer,) = layers(spec, "point")
    found: list[dict[str, Any]] = layer["data"]["values"]
    return found


@pytest.mark.parametrize("metric", [Metric.P95, Metric.RPS])
def test_points_have_the_values_of_the_report(metric: Metric) -> None:
    state = hundred_run().state
    expected = {
        (str(curve.models), amount): value
        for curve in metric_by_level(state, metric)
        for amount, value in curve.points
    }
    found = {(one["series"], one["x"]): one["y"] for one in points(spec_of(state, metric))}
    assert found == expected


def test_invalid_failed_and_skipped_cells_have_no_point() -> None:
    places = {(one["series"], one["x"]) for one in points(spec_of(goal_state_run()))}
    assert places == {("1", 2.0), ("1", 4.0), ("1", 8.0), ("2", 2.0), ("2", 4.0), ("3", 2.0)}


def test_suspect_points_are_hollow() -> None:
    spec = spec_of(goal_state_run())
    suspect = [one["text"] for one in points(spec) if one["suspect"]]
    assert suspect == ["2 models, 4 users: p95 60.0 ms, suspect"]
    (layer,) = layers(spec, "point")
    condition = {"test": "datum.suspect", "value": PAGE.surface}
    assert layer["encoding"]["fill"]["condition"] == condition
    chart = against_load("latency", "", goal_state_run(), Metric.P95)
    assert chart is not None
    assert chart.caption == "Hollow points are suspect."


def test_goal_is_a_labelled_rule() -> None:
    spec = spec_of(goal_state_run())
    (rule,) = layers(spec, "rule")
    assert rule["data"]["values"] == [{"y": GOAL_MS}]
    assert {layer["mark"]["text"] for layer in layers(spec, "text")} == {"goal ≤ 100 ms"}


def test_min_rps_is_a_lower_limit_of_throughput() -> None:
    state = swept(make_profile(users=[2, 4], goals={"min_rps": 30}))
    labels = layers(spec_of(state, Metric.RPS), "text")
    assert {layer["mark"]["text"] for layer in labels} == {"goal ≥ 30 req/s"}


def test_goal_far_above_all_values_is_in_the_caption_only() -> None:
    state = swept(make_profile(users=[2, 4], goals={"p95_ms": 5000}))
    chart = against_load("latency", "", state, Metric.P95)
    assert chart is not None
    assert chart.caption == "The goal ≤ 5000 ms is above the chart."
    assert not layers(chart.spec(PAGE), "rule")


@pytest.mark.parametrize("limit", [10.0, 40.0])
def test_label_of_the_largest_number_is_below_the_rule(limit: float) -> None:
    state = swept(
        make_profile(goals={"p95_ms": 20}), m1_u2_s2={"requests": requests(((limit, 400),))}
    )
    label = layers(spec_of(state), "text")[-1]
    assert label["mark"]["baseline"] == ("top" if limit < 20 else "bottom")


def test_axes_name_the_main_requests_and_units() -> None:
    spec = spec_of(chat_run())
    assert spec["encoding"]["y"]["title"] == f"{MAIN} p95 (ms)"
    (layer,) = layers(spec, "point")
    assert layer["encoding"]["x"]["title"] == "users"
    throughput = spec_of(chat_run(), Metric.RPS)
    assert throughput["encoding"]["y"]["title"] == f"{MAIN} throughput (req/s)"


def test_series_differ_by_colour_dash_and_shape() -> None:
    spec = spec_of(hundred_run(models=tuple(range(1, 13)), users=(1, 2)).state)
    (line,), (point,) = layers(spec, "line"), layers(spec, "point")
    ranges = [
        line["encoding"]["stroke"]["scale"]["range"],
        line["encoding"]["strokeDash"]["scale"]["range"],
        point["encoding"]["shape"]["scale"]["range"],
    ]
    looks = [(colour, tuple(dash), shape) for colour, dash, shape in zip(*ranges, strict=True)]
    assert len(looks) == len(set(looks)) == 12
    assert len({(colour, shape) for colour, _, shape in looks}) == 12


def test_a_point_without_successes_breaks_its_line() -> None:
    state = swept(
        make_profile(users=[2, 4, 8], spawn_rates=[2]),
        m1_u4_s2={"requests": requests((), ((5.0, 10),)), "completed": 0},
    )
    spec = spec_of(state)
    (line,) = layers(spec, "line")
    assert [one["y"] for one in line["data"]["values"]] == [10.0, None, 10.0]
    assert [one["x"] for one in points(spec)] == [2.0, 8.0]


def test_an_infinite_value_is_no_point() -> None:
    state = swept(
        make_profile(users=[2, 4]),
        m1_u4_s2={"requests": requests(((float("inf"), 400),))},
    )
    assert [one["y"] for one in points(spec_of(state))] == [10.0]


def test_without_any_value_there_is_no_chart() -> None:
    state = swept(make_profile(), m1_u2_s2={"requests": requests((), ((5.0, 10),))})
    assert against_load("latency", "", state, Metric.P95) is None


def test_large_grids_are_thinned_to_their_ends_and_evenly_between() -> None:
    run = hundred_run(models=tuple(range(1, 21)), users=tuple(range(10, 510, 10)))
    chart = against_load("latency", "", run.state, Metric.P95)
    assert chart is not None
    assert chart.caption.endswith("The chart shows 12 of 20 numbers of models and 30 of 50 loads.")
    found = points(chart.spec(PAGE))
    assert len(found) <= 360
    assert {int(one["series"]) for one in found} >= {1, 20}
    assert {one["x"] for one in found} >= {10.0, 500.0}


def test_values_far_apart_have_a_logarithmic_scale() -> None:
    spec = spec_of(hundred_run().state)
    assert spec["encoding"]["y"]["scale"] == {"type": "log", "domain": [20, 10000], "nice": False}
    assert spec["encoding"]["y"]["title"].endswith("p95 (ms), log scale")
    throughput = spec_of(hundred_run().state, Metric.RPS)
    assert throughput["encoding"]["y"]["scale"]["zero"]


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [([1, 2, 4, 8, 16, 32, 64, 128], True), ([10, 20, 30], False), ([0, 1, 100], False)],
)
def test_scales_are_logarithmic_if_most_numbers_are_small(
    numbers: list[float], expected: bool
) -> None:
    assert is_skewed(numbers) is expected


def test_logarithmic_ticks_surround_the_numbers() -> None:
    assert log_ticks(35, 5900) == [20, 50, 100, 200, 500, 1000, 2000, 5000, 10000]
    assert log_ticks(3, 2e6) == [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7]
    assert log_ticks(10, 10) == [10]


@pytest.mark.parametrize(
    "loads",
    [
        tuple(range(10, 310, 10)),
        tuple(2**power for power in range(12)),
        (1, 2, 3, 100_000, 200_000),
        tuple(range(1, 31)),
    ],
)
def test_labels_of_loads_do_not_overlap(loads: tuple[float, ...]) -> None:
    kept = labelled(loads)
    assert kept[-1] == loads[-1]
    assert set(kept) <= set(loads)
    if not is_skewed(loads):
        per_px = loads[-1] / 390
        for left, right in pairwise(kept):
            room = (right - left) / per_px
            assert room > 3.5 * (len(f"{left:,}") + len(f"{right:,}"))


def test_names_are_text_only() -> None:
    spec = spec_of(hundred_run(models=(1,), users=(1, 2)).state)
    title = spec["encoding"]["y"].pop("title")
    assert title == f"POST /{HOSTILE} p95 (ms)"
    assert HOSTILE not in str(spec)


def test_files_have_concrete_colours() -> None:
    chart = against_load("latency", "", goal_state_run(), Metric.P95)
    assert chart is not None
    assert "var(" not in str(chart.spec(FILE))
    assert "currentColor" not in str(chart.spec(FILE))


def test_an_unreadable_profile_has_no_goal() -> None:
    state = replace(goal_state_run(), profile=None, profile_problem="too new")
    assert not layers(spec_of(state), "rule")
