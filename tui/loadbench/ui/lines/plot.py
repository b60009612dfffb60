"""Draw charts as lines of text. This is the only module that uses plotext."""

import importlib
import math
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any

from loadbench.ui.lines.text import Line, Piece, Tone

_COLOUR = re.compile(r"\x1b\[([0-9;]*)m")
_BACKGROUND = "48;"
_TONE_OF_COLOUR = {f"38;5;{number}": tone for number, tone in enumerate(Tone)}
_COLOUR_OF_TONE = {tone: number for number, tone in enumerate(Tone)}
_ASCII_FRAME = str.maketrans("│─┈┤├┴┬┼└┘┌┐", "|--+++++++++")
_MAX_GOAL_FACTOR = 2.0
"""Maximum ratio of a goal to the largest value at which a chart is made tall enough for it."""
_PARTS = ((24, (8, 10, 6, 5, 4, 3, 2)), (11, (4, 3, 5, 2)), (0, (2, 3, 1)))
"""Minimum number of rows, and the preferred numbers of intervals on a y axis of that height."""
_MIN_VALUE = 1e-9
"""Smaller values count as 0, because the power of ten of a tiny float would underflow."""
_STEPS = (1.0, 1.2, 1.5, 1.6, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)

PlotPoint = tuple[float, float | None]
"""x and y. If y is None, the line has a gap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One line of a chart."""

    name: str
    points: Sequence[PlotPoint]
    tone: Tone
    sign: str
    """ASCII character for the line on terminals without braille or colour."""
    right: bool = False
    """Whether the series uses the right axis."""
    whole: bool = False
    """Whether the values are integers, so that the axis has only integer ticks."""
    dotted: bool = False
    """Whether to emphasise the points. Use this for lines with few points."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One or more lines over an x axis, with one or two y axes that start at 0."""

    series: Sequence[Series]
    x_limits: tuple[float, float]
    x_ticks: Sequence[tuple[float, str]]
    """Positions on the x axis, with their labels."""
    marks: Sequence[float] = ()
    """Positions of vertical lines."""
    by: str = ""
    """Quantity on the x axis. Empty for time in seconds."""
    label: str = ""
    """Label of the y axis with its unit. Empty for the label of the panel."""
    goal: float | None = None
    """Limit on the left axis, drawn as a horizontal line. None for no line."""

    @property
    def has_points(self) -> bool:
        """Whether any series has a value."""
        return any(y is not None for one in self.series for _, y in one.points)

    @property
    def has_room_for_goal(self) -> bool:
        """Whether the goal is drawn. A goal far above all values would flatten their curves."""
        values = (y for one in self.series if not one.right for _, y in one.points if y is not None)
        return self.goal is not None and self.goal <= _MAX_GOAL_FACTOR * max(values, default=0.0)


def draw(chart: Chart, columns: int, rows: int, *, signs: bool, ascii_frame: bool) -> list[Line]:
    """Draw a chart, and return its lines.

    Args:
        chart: The chart.
        columns: Width, at least 20.
        rows: Height, at least 4.
        signs: Whether to draw each series with its ASCII sign instead of braille dots.
        ascii_frame: Whether to draw the frame with ASCII characters.
    """
    plotext = load()
    plotext.terminal.limit(False, False)
    figure = plotext.figure
    figure.clear()
    figure.plot_size(columns, rows)
    figure.theme("colorless")
    figure.axes(False, axis="x", side="upper")
    figure.axes(any(one.right for one in chart.series), axis="y", side="right")
    figure.ruler("x").lim(*chart.x_limits)
    figure.ruler("x").ticks(*_split(chart.x_ticks))
    for side in ("left", "right"):
        on_side = [one for one in chart.series if one.right is (side == "right")]
        if on_side:
            goal = [chart.goal] if side == "left" and chart.has_room_for_goal else []
            highest = nice_ceiling([*goal, *(y for one in on_side for _, y in one.points)])
            figure.ruler("y", side).lim(0, highest)
            whole = all(one.whole for one in on_side)
            figure.ruler("y", side).ticks(*_split(_y_ticks(highest, rows, whole=whole)))
    if chart.has_room_for_goal:
        figure.line(chart.goal, "h", style="dotted", pixel=_COLOUR_OF_TONE[Tone.STRONG])
    for x in chart.marks:
        figure.line(x, "v", pixel=_COLOUR_OF_TONE[Tone.DIM])
    for one in chart.series:
        code = one.sign if signs else "braille"
        marker = plotext.marker(code, pixel=_COLOUR_OF_TONE[one.tone])
        for part in _unbroken(one.points):
            xs, ys = [x for x, _ in part], [y for _, y in part]
            side = "right" if one.right else "left"
            signal = figure.signal(xs, ys, marker=marker, yside=side)
            figure.draw(signal.lines() if len(part) > 1 else signal)
            if one.dotted and not signs:
                dot = plotext.marker("●", pixel=_COLOUR_OF_TONE[one.tone])
                figure.draw(figure.signal(xs, ys, marker=dot, yside=side))
    drawn: Any = figure.build()
    text = str(drawn.string())
    if ascii_frame:
        text = text.translate(_ASCII_FRAME)
    return [_pieces(line) for line in text.split("\n")][:rows]


def is_loaded() -> bool:
    """Return whether plotext is imported, so that a chart can be drawn without delay."""
    return "plotext" in sys.modules and bool(load.cache_info().currsize)


@cache
def load() -> Any:
    """Import plotext and return it. The import takes 0.1 s, so it is deferred to the first chart.

    plotext also imports Pillow, for images that are not used here. Blocking Pillow saves a tenth of
    the import time and a quarter of the memory. https://github.com/piccolomo/plotext/issues/56
    made Pillow optional, but not lazy. Can go when plotext imports Pillow with the first image.
    """
    is_loaded_already = "PIL" in sys.modules
    if not is_loaded_already:
        sys.modules["PIL"] = None  # type: ignore[assignment]  # makes its import fail
    try:
        return importlib.import_module("plotext")
    finally:
        if not is_loaded_already:
            del sys.modules["PIL"]


def nice_ceiling(values: Iterable[float | None]) -> float:
    """Return the smallest round number that is not below any value, or 1 if there are none."""
    highest = max((value for value in values if value is not None), default=0.0)
    if highest < _MIN_VALUE:
        return 1.0
    power = 10.0 ** math.floor(math.log10(highest))
    return next(step * power for step in _STEPS if step * power >= highest * (1 - 1e-9))


def _y_ticks(highest: float, rows: int, *, whole: bool) -> list[tuple[float, str]]:
    preferred = next(parts for min_rows, parts in _PARTS if rows >= min_rows)
    fits = float.is_integer if whole else _is_short
    parts = next((n for n in preferred if all(map(fits, _steps(highest, n)))), 1)
    return [(value, f"{value:g}") for value in (0.0, *_steps(highest, parts))]


def _steps(highest: float, parts: int) -> list[float]:
    return [float(f"{highest * i / parts:.6g}") for i in range(1, parts + 1)]


def _is_short(value: float) -> bool:
    return len(f"{value:g}".replace(".", "").strip("0")) <= 2


def _split(ticks: Sequence[tuple[float, str]]) -> tuple[list[float], list[str]]:
    return [at for at, _ in ticks], [label for _, label in ticks]


def _unbroken(points: Sequence[PlotPoint]) -> Iterator[list[tuple[float, float]]]:
    for has_value, part in groupby(points, key=lambda point: point[1] is not None):
        if has_value:
            yield [(x, y) for x, y in part if y is not None]


def _pieces(text: str) -> Line:
    pieces, tone, at = [], Tone.DIM, 0
    for found in _COLOUR.finditer(text):
        if found.start() > at:
            pieces.append(Piece(text[at : found.start()], tone))
        # Straight lines also have a background colour, which is not used.
        if not found[1].startswith(_BACKGROUND):
            tone = _TONE_OF_COLOUR.get(found[1], Tone.DIM)
        at = found.end()
    if at < len(text):
        pieces.append(Piece(text[at:], tone))
    return tuple(pieces)
