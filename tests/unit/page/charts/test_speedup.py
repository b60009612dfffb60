"""The chart of the speed-up: the known values of the recommendation, and the ideal."""

from typing import Any

from loadbench.page.charts.palette import PAGE
from loadbench.page.charts.run_charts import run_charts
from loadbench.page.charts.speedup import speedup_chart
from tests.support.page_runs import chart_of, hundred_run


def test_values_are_the_known_speedups_of_the_recommendation() -> None:
    run = hundred_run()
    assert run.recommendation
    expected = {step.models: step.speedup for step in run.recommendation.scaling.steps}
    assert None not in expected.values()
    layers = chart_of(run, "speedup").spec(PAGE)["layer"]
    assert {one["x"]: one["y"] for one in _points(layers)} == expected
    assert layers[0]["data"]["values"] == [{"x": 1, "y": 1}, {"x": 6, "y": 6}]
    assert layers[0]["mark"]["strokeDash"]


def test_unknown_speedups_are_named_but_not_drawn() -> None:
    run = hundred_run(models=(1, 2, 12), users=(5, 10, 20))
    assert run.recommendation
    steps = run.recommendation.scaling.steps
    assert [step.speedup is None for step in steps] == [False, False, True]
    chart = chart_of(run, "speedup")
    assert "Unknown for 12 models" in chart.caption
    assert [one["x"] for one in _points(chart.spec(PAGE)["layer"])] == [1, 2]


def test_one_known_speedup_is_no_chart() -> None:
    run = hundred_run(models=(1, 12), users=(5, 10, 20))
    assert run.recommendation
    assert speedup_chart(run.recommendation.scaling) is None
    assert "speedup" not in [chart.key for chart in run_charts(run)]


def _points(layers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    (layer,) = [layer for layer in layers if layer["mark"]["type"] == "point"]
    found: list[dict[str, Any]] = layer["data"]["values"]
    return found
