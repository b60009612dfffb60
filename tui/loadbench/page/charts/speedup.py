"""The chart of the speed-up against the number of models, beside the ideal."""

from typing import Any

from loadbench.engine.report.recommendation.scaling import Scaling
from loadbench.page.charts.chart import PageChart, Spec
from loadbench.page.charts.palette import ChartPalette
from loadbench.page.charts.parts import fitted, number_axis, text_mark, value_axis, values
from loadbench.page.charts.points import MAX_LOADS, models_phrase, spread

MIN_STEPS = 2
"""Minimum number of known speed-ups. The first is always 1."""
_MAX_UNKNOWN = 4
"""Maximum numbers of models with an unknown speed-up that the caption lists."""


def speedup_chart(scaling: Scaling) -> PageChart | None:
    """Return the chart of the speed-up, or None if fewer than two are known."""
    known = [
        (step.models, step.speedup, step.load.is_suspect)
        for step in scaling.steps
        if step.speedup is not None
    ]
    if len(known) < MIN_STEPS:
        return None
    shown = spread(known, MAX_LOADS)
    first = known[0][0]
    records = [
        {
            "x": models,
            "y": speedup,
            "label": f"{speedup:.2f}",
            "suspect": is_suspect,
            "text": f"{models_phrase(models)}: speed-up {speedup:.2f}, ideal {models / first:.2f}"
            + (", suspect" if is_suspect else ""),
        }
        for models, speedup, is_suspect in shown
    ]
    unknown = [str(step.models) for step in scaling.steps if step.speedup is None]
    if len(unknown) > _MAX_UNKNOWN:
        unknown = [*unknown[:_MAX_UNKNOWN], "more"]
    parts = [f"Highest throughput of all loads, divided by that of {models_phrase(first)}."]
    if any(is_suspect for _, _, is_suspect in shown):
        parts.append("Hollow points are suspect.")
    if unknown:
        parts.append(
            f"Unknown for {', '.join(unknown)} models: no measured load was large enough "
            "to reach the maximum."
        )
    return PageChart(
        key="speedup",
        title="Speed-up against models",
        caption=" ".join(parts),
        spec=lambda palette: _spec(palette, records),
    )


def _spec(palette: ChartPalette, records: list[dict[str, Any]]) -> Spec:
    models = [float(record["x"]) for record in records]
    ideal = [{"x": x, "y": x / models[0]} for x in (models[0], models[-1])]
    main, point = palette.series[0], {"type": "point", "filled": True, "size": 55, "opacity": 1}
    return fitted(
        palette,
        encoding={"x": number_axis("models", models), "y": value_axis("speed-up")},
        layer=[
            {
                "data": values(ideal),
                "mark": {"type": "line", "aria": False, "stroke": palette.text, "opacity": 0.6}
                | {"strokeDash": [6, 4], "strokeWidth": 1.5},
            },
            {
                "data": values([{**ideal[-1], "text": "ideal"}]),
                "mark": text_mark(palette, align="right", dx=-10),
                "encoding": {"text": {"field": "text"}},
            },
            {
                "data": values(records),
                "mark": {"type": "line", "aria": False, "stroke": main, "strokeWidth": 2},
            },
            {
                "data": values(records),
                "mark": {**point, "stroke": main, "strokeWidth": 1.5},
                "encoding": {
                    "description": {"field": "text"},
                    "fill": {
                        "value": main,
                        "condition": {"test": "datum.suspect", "value": palette.surface},
                    },
                },
            },
            {
                "data": values(records),
                "mark": text_mark(palette, align="center", baseline="top", dy=8),
                "encoding": {"text": {"field": "label"}},
            },
        ],
    )
