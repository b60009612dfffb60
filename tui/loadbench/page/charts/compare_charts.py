"""The charts of a comparison: both runs against load, and the change of every cell."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from loadbench.engine.bounds.texts import shortened_in_middle
from loadbench.engine.comparison.curves import BothCurves, both_curves
from loadbench.engine.comparison.model import (
    METRICS,
    CellComparison,
    Change,
    ComparedMetric,
    Comparison,
    MetricComparison,
    Side,
)
from loadbench.engine.comparison.sentences import interval_text, signed_change
from loadbench.engine.journal.state import RunState
from loadbench.engine.report.metrics import AnyMetric, Metric, default_metric, goal_of, goals_of
from loadbench.page.charts.against_load import LoadPlot, goal_line, plot_chart
from loadbench.page.charts.chart import PageChart, Spec
from loadbench.page.charts.palette import ChartPalette
from loadbench.page.charts.parts import (
    CHARACTER_PX,
    FONT_SIZE,
    WIDTH,
    specification,
    text_mark,
    values,
)
from loadbench.page.charts.points import (
    MAX_LOADS,
    MAX_NAME_CHARACTERS,
    LoadPoint,
    axis_label,
    points_of,
    select,
    text_of,
    unit_of,
)
from loadbench.page.charts.series import SeriesNames
from loadbench.printable import printable

MAX_CELLS = 30
"""Maximum number of cells in the chart of changes, those with the largest changes."""
CHANGE_METRICS = tuple(one for one in METRICS if one.key in ("p90_ms", "rps"))
"""Metrics with a chart of changes: those of the first sentences."""
_ROW_PX = 24
_LABEL_CHARACTERS = 18
_PLOT_PX = 300
"""Width of the plot of changes without its labels, approximately."""
_TICK_LABEL = "datum.value == 1 ? '0 %' : format(100 * (datum.value - 1), '+.3~g') + ' %'"
_GAP_PX = 4
_MIN_TICK_PX = 55
"""Minimum distance of two ticks with labels such as `-27.5 %`."""
_RATIOS = (
    *(0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95),
    *(1.05, 1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0),
)
"""Possible ticks of the axis of changes."""
_MARGIN = 1.05
"""Ratio of the end of the axis to the largest value on it."""


def comparisons_charts(comparisons: Sequence[Comparison]) -> tuple[PageChart, ...]:
    """Return the charts of all comparisons of a page, with keys such as `comparison-1-latency`."""
    return tuple(
        chart
        for number, one in enumerate(comparisons, start=1)
        for chart in compare_charts(one, chart_prefix(number))
    )


def chart_prefix(number: int) -> str:
    """Return the prefix of the keys of the charts of a comparison, numbered from 1."""
    return f"comparison-{number}-"


def compare_charts(comparison: Comparison, prefix: str = "") -> tuple[PageChart, ...]:
    """Return the charts of a comparison for which there are results, in the order of the page.

    Args:
        comparison: The comparison.
        prefix: Prefix of the keys of the charts, which must be unique in a page.
    """
    return tuple(replace(chart, key=f"{prefix}{chart.key}") for chart in _charts(comparison))


def _charts(comparison: Comparison) -> Iterator[PageChart]:
    metric = default_metric(goals_of(comparison.after.run.state))
    found = (
        _against_load("latency", f"{metric.value} against load", comparison, metric),
        _against_load("throughput", "Throughput against load", comparison, Metric.RPS),
        *(_change_chart(f"change-{one.label}", comparison, one) for one in CHANGE_METRICS),
    )
    yield from filter(None, found)


# Both runs against load


def _against_load(
    key: str, title: str, comparison: Comparison, metric: AnyMetric
) -> PageChart | None:
    sides = (comparison.before, comparison.after)
    before, after = (side.run.state for side in sides)
    curves = both_curves(before, after, metric)
    if curves is None:
        return None
    labels = _labels(sides)
    points = [
        point
        for label, state in zip(labels, (before, after), strict=True)
        for point in _points(label, state, metric, curves)
    ]
    known = [point for point in points if point.value is not None]
    if not known:
        return None
    selection = select(((point.models, point.amount) for point in points), max_loads=MAX_LOADS)
    looks = _looks(labels, points, curves)
    notes = [f"The chart shows {curves.note}."] if curves.note else []
    plot = LoadPlot(
        points=tuple(point for point in points if selection.has(point.models, point.amount)),
        series=SeriesNames("run", tuple(looks), tuple(looks.values())),
        amounts=selection.amounts,
        has_repeats=metric is not Metric.RPS and _has_repeats(before, after),
        note=" ".join(filter(None, (*notes, selection.note))),
        goal=goal_line(goal_of(goals_of(after), metric), unit_of(metric), known),
        unit=curves.unit,
        label=axis_label(after, metric),
        is_linear=metric is Metric.RPS,
    )
    return plot_chart(key, title, plot)


def _points(label: str, state: RunState, metric: AnyMetric, curves: BothCurves) -> list[LoadPoint]:
    return [
        replace(point, series=_series(label, point.models), text=f"{label}, {point.text}")
        for point in points_of(state, metric)
        if point.models in curves.models
    ]


def _looks(
    labels: Sequence[str], points: Sequence[LoadPoint], curves: BothCurves
) -> dict[str, tuple[int, int]]:
    """Return the colour by run, and a dash and shape of its own, of each series."""
    present = {point.series for point in points}
    return {
        name: (colour, len(labels) * place + colour)
        for colour, label in enumerate(labels)
        for place, models in enumerate(curves.models)
        if (name := _series(label, models)) in present
    }


def _series(label: str, models: int) -> str:
    return f"{label} × {models}"


def _labels(sides: tuple[Side, Side]) -> tuple[str, str]:
    """Return different names of the runs for a chart."""
    before, after = (
        shortened_in_middle(printable(side.name), MAX_NAME_CHARACTERS) for side in sides
    )
    return (before, after) if before != after else (f"{before} (before)", f"{after} (after)")


def _has_repeats(*states: RunState) -> bool:
    return any(cell.cell.repeat > 1 for state in states for cell in state.cells.values())


# Change of each cell


def _change_chart(key: str, comparison: Comparison, metric: ComparedMetric) -> PageChart | None:
    cells = comparison.metric_of(metric.key)
    drawable = [(cell, one) for cell, one in cells if 0 < one.estimate.ratio < math.inf]
    if not drawable:
        return None
    largest = sorted(drawable, key=lambda pair: -abs(math.log(pair[1].estimate.ratio)))
    kept = {cell.cell for cell, _ in largest[:MAX_CELLS]}
    records = [_record(cell, one) for cell, one in drawable if cell.cell in kept]
    mean = next((one for one in comparison.means if one.metric.key == metric.key), None)
    has_intervals = any(record["low"] is not None for record in records)
    parts = [
        f"The band is ±{100 * comparison.material:g} %, within which a change does not matter."
    ]
    if has_intervals:
        parts.append("Lines are confidence intervals.")
    if len(records) < len(drawable):
        parts.append(f"The chart shows the {len(records)} largest of {len(drawable)} changes.")
    ratio = mean.estimate.ratio if mean and 0 < mean.estimate.ratio < math.inf else None
    return PageChart(
        key=key,
        title=f"Change of {metric.phrase} by cell",
        caption=" ".join(parts),
        spec=lambda palette: _change_spec(palette, records, comparison.material, ratio),
    )


def _record(cell: CellComparison, one: MetricComparison) -> dict[str, Any]:
    estimate = one.estimate
    is_drawable = estimate.low is not None and estimate.high is not None and estimate.low > 0
    interval = f", interval {interval_text(estimate)}" if estimate.low is not None else ""
    return {
        "cell": text_of(cell.cell, _LABEL_CHARACTERS),
        "x": estimate.ratio,
        "low": estimate.low if is_drawable else None,
        "high": estimate.high if is_drawable else None,
        "change": estimate.change.value,
        "text": f"{cell.cell}: {one.metric.label} {signed_change(estimate.ratio)}{interval}: "
        f"{estimate.change.value}",
    }


def _change_spec(
    palette: ChartPalette, records: list[dict[str, Any]], material: float, mean: float | None
) -> Spec:
    numbers = [record[key] for record in records for key in ("x", "low", "high") if record[key]]
    numbers += [1 / (1 + material), 1 + material]
    low, high = min(numbers) / _MARGIN, max(numbers) * _MARGIN
    x = _change_axis(low, high)
    # The browser's font may be wider than that of Vega, which would cut the labels.
    label_px = CHARACTER_PX * max(len(record["cell"]) for record in records) + CHARACTER_PX
    y = {
        "field": "cell",
        "type": "nominal",
        "title": None,
        "sort": None,
        "axis": {"minExtent": label_px, "ticks": False, "domain": False},
    }
    looks = _looks_of_changes(palette)
    records = [{**record, "colour": looks[record["change"]][0]} for record in records]
    colour = {"field": "colour", "type": "nominal", "scale": None, "legend": None}
    band: Spec = {
        "data": values([{"from": 1 / (1 + material), "to": 1 + material}]),
        "mark": {"type": "rect", "aria": False, "fill": palette.grid, "opacity": 0.5},
        "encoding": {"x": {**x, "field": "from"}, "x2": {"field": "to"}},
    }
    zero: Spec = {
        "data": values([{"x": 1}]),
        "mark": {"type": "rule", "aria": False, "strokeWidth": 1},
        "encoding": {"x": x, "stroke": {"value": palette.text}},
    }
    whiskers: Spec = {
        "data": values(record for record in records if record["low"] is not None),
        "mark": {"type": "rule", "aria": False, "strokeWidth": 1.5},
        "encoding": {
            "x": {**x, "field": "low"},
            "x2": {"field": "high"},
            "y": y,
            "stroke": colour,
        },
    }
    dots: Spec = {
        "data": values(records),
        "mark": {"type": "point", "filled": True, "size": 60, "opacity": 1},
        "encoding": {
            "x": x,
            "y": y,
            "description": {"field": "text"},
            **_changes(palette, records),
        },
    }
    layers = [band, zero, whiskers, dots]
    if mean is not None:
        layers += _mean(palette, mean, x)
    return specification(
        palette,
        width=WIDTH - label_px - 2 * _ROW_PX,
        height={"step": _ROW_PX},
        layer=layers,
    )


def _change_axis(low: float, high: float) -> dict[str, Any]:
    """Return a logarithmic axis of ratios, on which halving is as far as doubling."""
    distance_px = _PLOT_PX / math.log(high / low)
    ticks = [1.0]
    # Outwards from no change.
    for ratio in sorted(_RATIOS, key=lambda one: abs(math.log(one))):
        is_free = all(distance_px * abs(math.log(ratio / tick)) >= _MIN_TICK_PX for tick in ticks)
        if low <= ratio <= high and is_free:
            ticks.append(ratio)
    return {
        "field": "x",
        "type": "quantitative",
        "title": "change, log scale",
        "scale": {"type": "log", "domain": [low, high], "nice": False},
        "axis": {
            "values": ticks,
            "labelExpr": _TICK_LABEL,
        },
    }


def _looks_of_changes(palette: ChartPalette) -> dict[str, tuple[str, str]]:
    """Return colour and shape of points, by what the comparison shows."""
    return {
        Change.BETTER.value: (palette.good, "circle"),
        Change.WORSE.value: (palette.bad, "diamond"),
        Change.TOO_SMALL.value: (palette.text, "square"),
        Change.NOT_SHOWN.value: (palette.text, "cross"),
        Change.NOT_TESTED.value: (palette.text, "triangle-up"),
    }


def _changes(palette: ChartPalette, records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return colour and shape by what the comparison shows. The legend has what occurs."""
    present = {record["change"] for record in records}
    looks = {name: look for name, look in _looks_of_changes(palette).items() if name in present}
    common = {
        "field": "change",
        "type": "nominal",
        "title": None,
        "legend": {"columns": 2, "offset": 2 * FONT_SIZE + _GAP_PX},
    }
    colours, shapes = zip(*looks.values(), strict=True)
    return {
        "fill": {**common, "scale": {"domain": list(looks), "range": list(colours)}},
        "shape": {**common, "scale": {"domain": list(looks), "range": list(shapes)}},
    }


def _mean(palette: ChartPalette, mean: float, x: dict[str, Any]) -> list[Spec]:
    data, text = values([{"x": mean}]), f"mean {signed_change(mean)}"
    return [
        {
            "data": data,
            "mark": {"type": "rule", "aria": False, "strokeDash": [5, 3], "strokeWidth": 1.5},
            "encoding": {"x": x, "stroke": {"value": palette.series[0]}},
        },
        {
            "data": data,
            "mark": text_mark(palette, text=text, baseline="bottom", dy=-_GAP_PX),
            "encoding": {"x": x, "y": {"value": 0}},
        },
    ]
