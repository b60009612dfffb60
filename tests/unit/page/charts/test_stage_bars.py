"""The chart of the mean time per stage: values, shares and selection."""

from typing import Any

import pytest

from loadbench.engine.journal.events import Stages
from loadbench.engine.report.rows import Row
from loadbench.engine.run_reader import Run
from loadbench.page.charts.chart import Spec
from loadbench.page.charts.palette import PAGE
from loadbench.page.charts.run_charts import run_charts
from loadbench.page.charts.stage_bars import stages_by_place, stages_chart
from tests.support.builders import make_profile, swept
from tests.support.page_runs import chart_of, hundred_run, run_of

STAGES = ("queue", "decode", "infer", "api", "network")


def test_means_are_those_of_the_rows() -> None:
    run = hundred_run()
    found = stages_by_place(run.state)
    expected = {(row.models, row.level.amount): _means(row) for row in _usable(run)}
    assert found.keys() == expected.keys()
    for place, means in found.items():
        assert list(means.values()) == pytest.approx(expected[place], abs=0.001)


def test_repeats_are_weighted_by_their_requests() -> None:
    state = swept(
        make_profile(users=[2], repeats=2),
        m1_u2_s2={"stages": _stages(1, 10.0)},
        m1_u2_s2_r2={"stages": _stages(3, 30.0)},
    )
    assert stages_by_place(state)[1, 2.0]["queue_ms"] == 25.0


def test_bars_are_in_ms_and_stack_in_the_order_of_a_request() -> None:
    run = hundred_run(models=(1, 2), users=(5, 10))
    spec = chart_of(run, "stages").spec(PAGE)
    views = spec["concat"]
    assert _axis(views[0])["title"] == "mean (ms)"
    records = _records(views[0])
    assert [one["stage"] for one in records if one["x"] == "5"] == list(STAGES)
    totals = {view["layer"][1]["mark"]["text"]: _axis(view)["scale"]["domain"] for view in views}
    assert set(totals) == {"1 model", "2 models"}
    assert len({tuple(domain) for domain in totals.values()}) == 1


def test_bars_far_apart_are_shares_with_times_in_their_descriptions() -> None:
    chart = chart_of(hundred_run(), "stages")
    view = chart.spec(PAGE)["concat"][0]
    assert _axis(view)["title"] == "share (%)"
    assert "so the bars are shares" in chart.caption
    shares = [one["y"] for one in _records(view) if one["x"] == "192"]
    assert sum(shares) == pytest.approx(100)
    assert any(one["text"].endswith(" ms") for one in _records(view))


def test_a_negative_mean_has_no_bar() -> None:
    state = swept(make_profile(), m1_u2_s2={"stages": _stages(2, 10.0, network_ms=-1.0)})
    chart = stages_chart(state)
    assert chart is not None
    network = [one for one in _records(chart.spec(PAGE)["concat"][0]) if one["stage"] == "network"]
    assert [(one["y"], one["text"]) for one in network] == [
        (0.0, "1 model, 2 users: network -1.00 ms")
    ]


def test_plots_and_bars_are_limited() -> None:
    run = hundred_run(models=tuple(range(1, 13)), users=tuple(range(10, 310, 10)))
    chart = chart_of(run, "stages")
    assert "The chart shows 6 of 12 numbers of models and 20 of 30 loads." in chart.caption
    views = chart.spec(PAGE)["concat"]
    assert len(views) == 6
    assert all(len(_records(view)) <= 20 * len(STAGES) for view in views)


def test_without_stages_there_is_no_chart() -> None:
    assert "stages" not in [chart.key for chart in run_charts(run_of(swept(make_profile())))]


def _stages(count: int, queue_ms: float, network_ms: float = 1.0) -> Stages:
    total_ms = count * (queue_ms + 20)
    return Stages(
        count=count,
        latency_ms=total_ms + count * network_ms,
        total_ms=total_ms,
        queue_ms=count * queue_ms,
        infer_ms=count * 20,
    )


def _usable(run: Run) -> list[Row]:
    return [row for row in run.rows if row.verdict in ("valid", "suspect")]


def _means(row: Row) -> list[float]:
    return [getattr(row, f"{stage}_ms") for stage in STAGES]


def _records(view: Spec) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = view["layer"][0]["data"]["values"]
    return found


def _axis(view: Spec) -> dict[str, Any]:
    found: dict[str, Any] = view["layer"][0]["encoding"]["y"]
    return found
