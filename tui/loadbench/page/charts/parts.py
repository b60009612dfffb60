"""Parts that the specifications of several charts share."""

import math
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any

from loadbench.page.charts.chart import Spec
from loadbench.page.charts.palette import ChartPalette

WIDTH, HEIGHT = 460, 300
"""Size of a chart in pixels. Scaled down to the width of a phone, its text is still readable."""
FONT_SIZE = 12

_TICKS = 6
_MAX_LOG_TICKS = 10
_NUMBER = ",~f"
"""Format of numbers on axes: 0.5, 12, 1,200."""
_MIN_SKEW = 5
"""Ratio of the largest number to the median from which on numbers need a logarithmic scale."""
_LOG_MARGIN = 1.15
"""Ratio of the smallest load to the start of a logarithmic axis."""
_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
_LEGEND_OFFSET_PX = 6
CHARACTER_PX = 7
"""Mean width of a character, with a margin for wide fonts."""
_TICK_GAP_PX = 6
_TITLE_ABOVE: dict[str, Any] = {
    "titleAngle": 0,
    "titleAlign": "left",
    "titleAnchor": "end",
    "titleBaseline": "bottom",
    "titleX": -30,
    "titleY": -8,
}
"""Settings of a y axis whose title is above it, where long names have room."""
_PLOT_PX = 390
"""Width of the plot without the y axis, approximately."""


def specification(palette: ChartPalette, **parts: Any) -> Spec:
    """Return a specification with the settings that all charts share, and its parts."""
    plain = {"labelColor": palette.text, "titleColor": palette.text, "aria": False}
    sizes = {"labelFontSize": FONT_SIZE, "titleFontSize": FONT_SIZE, "titleFontWeight": "normal"}
    lines = {"gridColor": palette.grid, "domainColor": palette.grid, "tickColor": palette.grid}
    return {
        "$schema": _SCHEMA,
        "background": palette.background,
        "padding": 4,
        "config": {
            "font": palette.font,
            "view": {"stroke": None},
            "axis": {**plain, **sizes, **lines, "titlePadding": 8},
            "axisX": {"grid": False, "labelFlush": False},
            "legend": {
                **plain,
                **sizes,
                "orient": "top",
                "direction": "horizontal",
                "titleOrient": "left",
                "columnPadding": 14,
                "rowPadding": 2,
                "offset": _LEGEND_OFFSET_PX,
                "titlePadding": 10,
                "symbolOpacity": 1,
                "symbolStrokeWidth": 0,
            },
            "title": {
                "color": palette.text,
                "subtitleColor": palette.text,
                "anchor": "start",
                "offset": 10,
            },
        },
        **parts,
    }


def fitted(palette: ChartPalette, *, height: int = HEIGHT, **parts: Any) -> Spec:
    """Return a specification of a chart with a single plot, which has the usual width.

    Args:
        palette: The palette.
        height: Height in pixels, with the legend.
        parts: The parts of the specification.
    """
    autosize = {"type": "fit", "contains": "padding"}
    spec = specification(palette, width=WIDTH, height=height, autosize=autosize, **parts)
    # The layout of Vega does not count the title of the y axis, which is between.
    spec["config"]["legend"]["offset"] = _LEGEND_OFFSET_PX - _TITLE_ABOVE["titleY"] + FONT_SIZE
    return spec


def values(records: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return records as the data of a specification."""
    return {"values": list(records)}


def number_axis(title: str, ticks: Sequence[float]) -> dict[str, Any]:
    """Return an x axis for the field `x` with labels at some of the values.

    Args:
        title: Title of the axis.
        ticks: All values on the axis, ascending.
    """
    is_log = is_skewed(ticks)
    domain = [ticks[0] / _LOG_MARGIN, ticks[-1]] if is_log else [0, ticks[-1]]
    return {
        "field": "x",
        "type": "quantitative",
        "title": _title(title, is_log=is_log),
        "scale": {"domain": domain, "nice": False, "type": "log" if is_log else "linear"},
        "axis": {"values": labelled(ticks), "format": _NUMBER, "labelOverlap": False},
    }


def value_axis(title: str) -> dict[str, Any]:
    """Return a y axis for the field `y` that includes 0, with its title above it."""
    scale = {"zero": True, "nice": _TICKS}
    return _y_axis(title, scale, {"tickCount": _TICKS})


def log_axis(title: str, numbers: Sequence[float]) -> dict[str, Any]:
    """Return a logarithmic y axis for the field `y`, with its title above it.

    Args:
        title: Title of the axis.
        numbers: All values on the axis, positive.
    """
    ticks = log_ticks(min(numbers), max(numbers))
    scale = {"type": "log", "domain": [ticks[0], ticks[-1]], "nice": False}
    return _y_axis(_title(title, is_log=True), scale, {"values": ticks})


def log_ticks(low: float, high: float) -> list[float]:
    """Return ticks of a logarithmic axis that include two positive numbers: 10, 20, 50, 100."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    for steps in (1, 2, 5), (1,):
        ticks = [float(f"{step}e{power}") for power in range(first, last + 1) for step in steps]
        start = max((tick for tick in ticks if tick <= low), default=ticks[0])
        end = min((tick for tick in ticks if tick >= high), default=ticks[-1])
        ticks = [tick for tick in ticks if start <= tick <= end]
        if len(ticks) <= _MAX_LOG_TICKS:
            break
    return ticks


def _y_axis(title: str, scale: dict[str, Any], axis: dict[str, Any]) -> dict[str, Any]:
    return {
        "field": "y",
        "type": "quantitative",
        "title": title,
        "scale": scale,
        "axis": {**axis, "format": _NUMBER, "labelOverlap": True, **_TITLE_ABOVE},
    }


def _title(title: str, *, is_log: bool) -> str:
    return f"{title}, log scale" if is_log else title


def is_skewed(numbers: Sequence[float]) -> bool:
    """Return whether numbers need a logarithmic scale: most of them are far below the largest."""
    return min(numbers) > 0 and median(numbers) < max(numbers) / _MIN_SKEW


def labelled(ticks: Sequence[float]) -> list[float]:
    """Return the values on an x axis whose labels do not overlap, from the largest down."""
    is_log = is_skewed(ticks)
    start = math.log(ticks[0] / _LOG_MARGIN) if is_log else 0.0
    end = math.log(ticks[-1]) if is_log else ticks[-1]
    kept: list[float] = []
    free = math.inf
    for tick in reversed(ticks):
        middle = ((math.log(tick) if is_log else tick) - start) / (end - start) * _PLOT_PX
        half = CHARACTER_PX * len(f"{tick:,.6g}") / 2
        if middle + half <= free:
            kept.append(tick)
            free = middle - half - _TICK_GAP_PX
    return kept[::-1]


def text_mark(palette: ChartPalette, **settings: Any) -> dict[str, Any]:
    """Return a mark for text in the colour of text."""
    return {
        "type": "text",
        "aria": False,
        "fill": palette.text,
        "fontSize": FONT_SIZE,
        **settings,
    }
