"""The chart of the mean time per stage of a request."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from loadbench.engine.journal.events import Stages
from loadbench.engine.journal.state import RunState
from loadbench.engine.measure.main_request import main_of, results_of_name
from loadbench.engine.measure.stages import stage_means
from loadbench.engine.numbers import number
from loadbench.engine.report.recommendation.loads import usable_results
from loadbench.page.charts.against_load import load_unit
from loadbench.page.charts.chart import PageChart, Spec
from loadbench.page.charts.palette import ChartPalette
from loadbench.page.charts.parts import (
    FONT_SIZE,
    HEIGHT,
    WIDTH,
    is_skewed,
    specification,
    text_mark,
    values,
)
from loadbench.page.charts.points import (
    Place,
    Selection,
    load_phrases,
    models_phrase,
    select,
    text_of,
)

MAX_PLOTS = 6
MAX_BARS = 20
"""Maximum number of bars per plot."""
_STAGES = ("queue", "decode", "infer", "api", "network")
_AXES_PX, _GAP_PX = 52, 12
_MIN_HEIGHT_PX = 90
_TOP_PX = 80
"""Height of the legend and the axis."""
_LABEL_PX = 26
_MAX_BAR_PX = 44
_BAR_SHARE = 0.85
"""Width of a bar, as a share of the distance between two bars."""


@dataclass(frozen=True, slots=True)
class _Bars:
    """The segments of all bars."""

    records: list[dict[str, Any]]
    selection: Selection
    are_shares: bool
    """Whether segments are percentages of their bar, because the bars differ too much in height."""

    @property
    def highest(self) -> float:
        """The upper end of the y axis."""
        if self.are_shares:
            return 100.0
        heights: Counter[Any] = Counter()
        for record in self.records:
            heights[record["models"], record["x"]] += record["y"]
        return max(heights.values(), default=0.0)


def stages_chart(state: RunState) -> PageChart | None:
    """Return the chart of the mean time per stage, or None if no response reported stages."""
    means = stages_by_place(state)
    if not means:
        return None
    bars = _bars(means, load_phrases(state))
    main = main_of(state.profile)
    subject = f" of {text_of(main)}" if main else ""
    parts = [f"Per successful response{subject} that reported stages."]
    if bars.are_shares:
        parts.append("The times differ too much for one scale, so the bars are shares.")
    if bars.selection.note:
        parts.append(bars.selection.note)
    return PageChart(
        key="stages",
        title="Mean time per stage",
        caption=" ".join(parts),
        spec=lambda palette: _spec(palette, bars, load_unit(state)),
    )


def _bars(means: Mapping[Place, Mapping[str, float]], phrases: Mapping[float, str]) -> _Bars:
    selection = select(means, MAX_PLOTS, MAX_BARS)
    shown = {place: means[place] for place in sorted(means) if selection.has(*place)}
    # The clocks of two machines can differ, so the mean of a stage can be negative.
    totals = {place: sum(max(0.0, mean) for mean in one.values()) for place, one in shown.items()}
    are_shares = is_skewed(list(totals.values()))
    records = [
        {
            "models": place[0],
            "x": f"{place[1]:g}",
            "stage": stage,
            "order": order,
            "y": max(0.0, mean) * (100 / totals[place] if are_shares else 1),
            "text": f"{models_phrase(place[0])}, {phrases[place[1]]}: {stage} {number(mean)} ms",
        }
        for place, by_stage in shown.items()
        for order, stage in enumerate(_STAGES)
        if (mean := by_stage[f"{stage}_ms"])
    ]
    return _Bars(records, selection, are_shares)


def stages_by_place(state: RunState) -> dict[Place, dict[str, float]]:
    """Return the mean time per stage in ms of the cells with stages, by models and load.

    Cells with the same load and models are merged. Invalid cells and the recheck are excluded.
    """
    found: dict[Place, list[Stages]] = {}
    for cell in state.cells.values():
        finished = usable_results(cell)
        if finished and not cell.cell.recheck:
            stages = results_of_name(finished, main_of(state.profile)).stages
            found.setdefault((cell.cell.models, cell.cell.level.amount), []).append(stages)
    means = {place: stage_means(_total(stages)) for place, stages in found.items()}
    return {place: by_stage for place, by_stage in means.items() if by_stage}


def _total(stages: Sequence[Stages]) -> Stages:
    sums = {field.name: sum(getattr(one, field.name) for one in stages) for field in fields(Stages)}
    return Stages(**sums)


def _spec(palette: ChartPalette, bars: _Bars, unit: str) -> Spec:
    plots = len(bars.selection.models)
    columns = plots if plots <= 3 else 2 if plots == 4 else 3
    rows = -(-plots // columns)
    size = {
        "width": (WIDTH - _AXES_PX - _GAP_PX * (columns - 1)) // columns,
        "height": max(_MIN_HEIGHT_PX, (HEIGHT - _TOP_PX) // rows - _LABEL_PX),
    }
    bar_px = min(_MAX_BAR_PX, _BAR_SHARE * size["width"] / len(bars.selection.amounts))
    title = "share (%)" if bars.are_shares else "mean (ms)"
    return specification(
        palette,
        columns=columns,
        spacing={"row": 10, "column": _GAP_PX},
        concat=[
            {
                **size,
                "encoding": {"x": _loads(bars.selection, unit)},
                "layer": [
                    {
                        "data": values(one for one in bars.records if one["models"] == models),
                        "mark": {"type": "bar", "size": bar_px, "stroke": palette.surface}
                        | {"strokeWidth": 0.5},
                        "encoding": {
                            "y": _times(title, bars.highest, is_first=index % columns == 0),
                            "color": _stages(palette),
                            "order": {"field": "order", "type": "quantitative"},
                            "description": {"field": "text"},
                        },
                    },
                    # A title of the view would move up with the labels of the y axis.
                    {
                        "data": values([{}]),
                        "mark": text_mark(palette, text=models_phrase(models), y=-10),
                        "encoding": {"x": {"value": size["width"] / 2}},
                    },
                ],
            }
            for index, models in enumerate(bars.selection.models)
        ],
    )


def _loads(selection: Selection, unit: str) -> dict[str, Any]:
    return {
        "field": "x",
        "type": "nominal",
        "title": unit,
        "scale": {"domain": [f"{amount:g}" for amount in selection.amounts]},
        "axis": {
            "labelAngle": 0,
            "labelOverlap": "greedy",
            "labelSeparation": 5,
            "labelFontSize": FONT_SIZE - 1,
            "ticks": False,
        },
    }


def _times(title: str, highest: float, *, is_first: bool) -> dict[str, Any]:
    """Return the y axis, which all plots share. Only the first of a row has labels."""
    return {
        "field": "y",
        "type": "quantitative",
        "title": title if is_first else None,
        "scale": {"domain": [0, highest], "nice": False},
        "axis": {"tickCount": 5, "labels": is_first, "ticks": is_first},
    }


def _stages(palette: ChartPalette) -> dict[str, Any]:
    return {
        "field": "stage",
        "type": "nominal",
        "title": None,
        "scale": {"domain": list(_STAGES), "range": list(palette.series[: len(_STAGES)])},
        "legend": {"symbolType": "square"},
    }
