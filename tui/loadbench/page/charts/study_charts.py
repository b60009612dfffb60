"""The charts of a study: its configurations, and the best one of each run against load."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from loadbench.engine.bounds.texts import shortened_in_middle
from loadbench.engine.numbers import number
from loadbench.engine.report.metrics import AnyMetric, Metric, default_metric, goal_of, goals_of
from loadbench.engine.run_reader import Run
from loadbench.engine.studies.ranked import RankedStudy
from loadbench.engine.studies.ranking import RankedConfiguration, Ranking
from loadbench.page.charts.against_load import GoalLine, LoadPlot, goal_line, load_unit, plot_chart
from loadbench.page.charts.chart import PageChart, Spec
from loadbench.page.charts.palette import ChartPalette
from loadbench.page.charts.parts import WIDTH, specification, text_mark, values
from loadbench.page.charts.points import (
    MAX_NAME_CHARACTERS,
    LoadPoint,
    axis_label,
    points_of,
    text_of,
    unit_of,
)
from loadbench.page.charts.series import SeriesNames
from loadbench.printable import printable

MAX_BARS = 20
"""Maximum number of configurations, the best ones."""
MAX_RUNS = 8
"""Maximum number of runs with a line, the best ones."""
_BAR_PX = 14
_MARGIN_PX = 12
_ROOM = 1.4
"""Length of the axis as a multiple of the longest bar, with room for values beside the bars."""
_NAME_CHARACTERS = 60


def study_charts(ranked: RankedStudy) -> tuple[PageChart, ...]:
    """Return the charts of a study. There are none if its configurations have no order."""
    return tuple(chart for chart in _charts(ranked.ranking) if chart)


def _charts(ranking: Ranking) -> Iterator[PageChart | None]:
    able = [one for one in ranking.configurations if one.rank]
    if not able:
        return
    yield _bars_chart(ranking, able[:MAX_BARS], len(able))
    runs = [run for one in ranking.best if (run := one.member.run)]
    latency = default_metric(goals_of(runs[0].state))
    yield _against_load("latency", "Latency of the best configurations", ranking, latency)
    yield _against_load("throughput", "Throughput of the best configurations", ranking, Metric.RPS)


def _bars_chart(ranking: Ranking, shown: list[RankedConfiguration], total: int) -> PageChart:
    records = [{"place": place, **_bar(one, ranking)} for place, one in enumerate(shown)]
    run = shown[0].member.run
    unit = load_unit(run.state) if run and ranking.has_goals else "req/s"
    captions = ["≥: no load failed, or throughput was still rising."]
    if not any(record["value"].startswith("≥") for record in records):
        captions = []
    if len(shown) < total:
        captions.append(f"The chart shows the best {len(shown)} of {total} configurations.")
    return PageChart(
        key="configurations",
        title="Capacity by configuration" if ranking.has_goals else "Throughput by configuration",
        caption=" ".join(captions),
        spec=lambda palette: _bars_spec(palette, records, unit),
    )


def _bar(one: RankedConfiguration, ranking: Ranking) -> dict[str, Any]:
    load = one.load
    assert load is not None
    amount = load.amount if ranking.has_goals else load.rps or 0.0
    text = load.phrase if ranking.has_goals else f"{number(load.rps)} req/s"
    suspect = " (suspect)" if load.is_suspect else ""
    return {
        "name": text_of(one.described, _NAME_CHARACTERS),
        "y": amount,
        "value": f"{'≥ ' if one.is_lower_bound else ''}{text}{suspect}",
        "text": f"{one.described}: {'at least ' if one.is_lower_bound else ''}{text}",
    }


def _bars_spec(palette: ChartPalette, records: list[dict[str, Any]], unit: str) -> Spec:
    highest = max(record["y"] for record in records)
    y: dict[str, Any] = {"field": "place", "type": "ordinal", "axis": None}
    x: dict[str, Any] = {
        "field": "y",
        "type": "quantitative",
        "title": unit,
        "scale": {"domain": [0, highest * _ROOM], "nice": False},
        "axis": {"tickCount": 5},
    }
    below = {"dy": _BAR_PX / 2}
    return specification(
        palette,
        width=WIDTH - 2 * _MARGIN_PX,
        height={"step": 3 * _BAR_PX},
        data=values(records),
        encoding={"y": y},
        layer=[
            {
                "mark": {"type": "bar", "fill": palette.series[0], "height": _BAR_PX}
                | {"yOffset": _BAR_PX / 2},
                "encoding": {"x": x, "description": {"field": "text"}},
            },
            {
                "mark": text_mark(palette, align="left", dx=5, **below),
                "encoding": {"x": x, "text": {"field": "value"}},
            },
            {
                "mark": text_mark(palette, align="left", baseline="bottom", dy=-3),
                "encoding": {"x": {"value": 0}, "text": {"field": "name"}},
            },
        ],
    )


def _against_load(key: str, title: str, ranking: Ranking, metric: AnyMetric) -> PageChart | None:
    """Return a chart with a line per run, or None if the runs have different kinds of load."""
    best = [(one, run) for one in ranking.best[:MAX_RUNS] if (run := one.member.run)]
    names = _names([one for one, _ in best])
    points = [
        point
        for name, (one, run) in zip(names, best, strict=True)
        for point in _points(name, one, run, metric)
    ]
    units = {load_unit(run.state) for _, run in best}
    if not points or len(units) != 1:
        return None
    state = best[0][1].state
    goal: GoalLine | None = goal_line(goal_of(goals_of(state), metric), unit_of(metric), points)
    left_out = len(ranking.best) - len(best)
    plot = LoadPlot(
        points=tuple(points),
        series=SeriesNames("run", names),
        amounts=tuple(sorted({point.amount for point in points})),
        note=f"The chart shows the best {len(best)} runs." if left_out else "",
        goal=goal,
        unit=units.pop(),
        label=axis_label(state, metric),
        is_linear=metric is Metric.RPS,
    )
    return plot_chart(key, title, plot)


def _points(name: str, one: RankedConfiguration, run: Run, metric: AnyMetric) -> list[LoadPoint]:
    return [
        replace(point, series=name, text=f"{name}, {point.text}")
        for point in points_of(run.state, metric)
        if point.models == one.configuration.models and point.value is not None
    ]


def _names(best: Sequence[RankedConfiguration]) -> tuple[str, ...]:
    """Return different names of lines: run and number of replicas, such as `with_gpu × 2`."""
    names: list[str] = []
    for one in best:
        label = shortened_in_middle(printable(one.member.label), MAX_NAME_CHARACTERS)
        name = f"{label} × {one.configuration.models}"
        names.append(f"{name} ({len(names) + 1})" if name in names else name)
    return tuple(names)
