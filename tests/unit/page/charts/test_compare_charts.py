"""The charts of a comparison."""

from pathlib import Path
from typing import Any

import pytest

from loadbench.engine.comparison.model import Change, Comparison
from loadbench.page.charts.chart import PageChart, Spec
from loadbench.page.charts.compare_charts import (
    MAX_CELLS,
    compare_charts,
    comparisons_charts,
)
from loadbench.page.charts.draw import drawn
from loadbench.page.charts.palette import PAGE
from tests.support.compared_runs import CELLS, add_compared_run, compared
from tests.support.study_runs import add_run

FACTORS = {CELLS[0]: 0.5, CELLS[1]: 1.5, CELLS[2]: 1.001}


@pytest.fixture
def found(tmp_path: Path) -> Comparison:
    """The comparison of two runs with a better, a worse and two unchanged cells."""
    before = add_compared_run(tmp_path, "with_cpu", goals={"p95_ms": 250})
    after = add_compared_run(tmp_path, "with_gpu", FACTORS, goals={"p95_ms": 250})
    return compared(before, after)


def chart(found: Comparison, key: str) -> PageChart:
    return next(one for one in compare_charts(found) if one.key == key)


def layer(spec: Spec, mark: str) -> list[dict[str, Any]]:
    """Return the records of the last layer with a mark."""
    layers = [one for one in spec["layer"] if one["mark"]["type"] == mark]
    records: list[dict[str, Any]] = layers[-1]["data"]["values"]
    return records


def test_both_runs_have_a_line_per_number_of_models(found: Comparison) -> None:
    spec = chart(found, "latency").spec(PAGE)
    (points,) = (one for one in spec["layer"] if one["mark"]["type"] == "point")
    names = ["with_cpu × 1", "with_cpu × 2", "with_gpu × 1", "with_gpu × 2"]

    scales = {name: points["encoding"][name]["scale"] for name in ("fill", "shape")}
    assert scales["fill"]["domain"] == scales["shape"]["domain"] == names
    colours, shapes = scales["fill"]["range"], scales["shape"]["range"]
    assert colours[0] == colours[1] != colours[2] == colours[3]
    assert len(set(shapes)) == len(names)
    assert len(points["data"]["values"]) == 2 * len(CELLS)
    assert chart(found, "latency").title == "p95 against load"
    assert "goal ≤ 250 ms" in str(spec)


def test_changes_are_those_of_the_comparison(found: Comparison) -> None:
    records = layer(chart(found, "change-p90").spec(PAGE), "point")
    estimates = {cell.cell: one.estimate for cell, one in found.metric_of("p90_ms")}

    assert {one["cell"]: (one["x"], one["low"], one["high"]) for one in records} == {
        cell: (one.ratio, one.low, one.high) for cell, one in estimates.items()
    }
    assert [one["change"] for one in records] == [estimates[cell].change for cell in CELLS]
    assert records[0]["text"].startswith(f"{CELLS[0]}: p90 −50.0 %, interval −")
    assert records[0]["text"].endswith(": better")


def test_looks_of_changes_differ_by_shape(found: Comparison) -> None:
    spec = chart(found, "change-p90").spec(PAGE)
    (points,) = (one for one in spec["layer"] if one["mark"]["type"] == "point")
    scale = points["encoding"]["shape"]["scale"]

    assert set(scale["domain"]) == {Change.BETTER, Change.WORSE, Change.NOT_SHOWN}
    assert len(set(scale["range"])) == len(scale["domain"])


def test_the_axis_has_room_for_all_intervals_and_ticks_at_no_change(found: Comparison) -> None:
    spec = chart(found, "change-p90").spec(PAGE)
    axis = spec["layer"][1]["encoding"]["x"]
    low, high = axis["scale"]["domain"]

    for _, one in found.metric_of("p90_ms"):
        assert one.estimate.low is not None
        assert one.estimate.high is not None
        assert low < one.estimate.low < one.estimate.high < high
    assert 1.0 in axis["axis"]["values"]
    assert all(low <= tick <= high for tick in axis["axis"]["values"])
    assert low < 1 / (1 + found.material) < 1 + found.material < high


def test_without_repeats_there_are_points_without_intervals(tmp_path: Path) -> None:
    before = add_compared_run(tmp_path, "before", repeats=(1.0,))
    after = add_compared_run(tmp_path, "after", 1.2, repeats=(1.0,))
    change = chart(compared(before, after), "change-p90")

    records = layer(change.spec(PAGE), "point")
    assert {one["low"] for one in records} == {None}
    assert {one["change"] for one in records} == {Change.NOT_TESTED}
    assert "interval" not in change.caption


def test_of_many_cells_the_largest_changes_are_shown(tmp_path: Path) -> None:
    users = list(range(1, MAX_CELLS + 11))
    keys: dict[str, Any] = {"models": [1], "users": users, "spawn_rates": [10]}
    before = {f"m1_u{n}_s10": 100.0 for n in users}
    after = {f"m1_u{n}_s10": 100.0 + n for n in users}
    folders = []
    for name, latencies in (("before", before), ("after", after)):
        entry = add_run(tmp_path, name, latencies, **keys)
        folders.append(tmp_path / name / entry.run)
    change = chart(compared(*folders), "change-p90")

    shown = [one["cell"] for one in layer(change.spec(PAGE), "point")]
    assert shown == [f"m1_u{n}_s10" for n in users[10:]]
    assert f"the {MAX_CELLS} largest of {len(users)} changes" in change.caption


def test_without_a_common_cell_there_are_no_changes(tmp_path: Path) -> None:
    before = add_compared_run(tmp_path, "before")
    entry = add_run(tmp_path, "after", {"m3_u20_s2": 90.0}, models=[3], users=[20])
    found = compared(before, tmp_path / "after" / entry.run)

    assert [one.key for one in compare_charts(found)] == ["latency", "throughput"]


def test_runs_with_equal_names_have_different_lines(tmp_path: Path) -> None:
    before = add_compared_run(tmp_path, "demo", run=f"a{'0' * 60}")
    after = add_compared_run(tmp_path, "demo", run=f"a{'0' * 30}b{'0' * 29}")
    spec = chart(compared(before, after), "latency").spec(PAGE)

    (points,) = (one for one in spec["layer"] if one["mark"]["type"] == "point")
    domain = points["encoding"]["fill"]["scale"]["domain"]
    assert len(set(domain)) == len(domain) == 4


def test_keys_are_unique_in_a_page_and_all_charts_are_drawn(found: Comparison) -> None:
    charts = comparisons_charts([found, found])
    keys = [one.key for one in charts]

    assert len(set(keys)) == len(keys) == 8
    pictures = drawn(charts[:4])
    assert all("<svg" in text for text in pictures.values())
