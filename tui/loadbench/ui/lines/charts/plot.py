"""Draw charts as lines of text. This is the only module that uses plotext."""

import importlib
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any

from loadbench.ui.lines.charts.axes import YAxis, label_of, y_axis
from loadbench.ui.lines.text import Line, Piece, Tone

_COLOUR = re.compile(r"\x1b\[([0-9;]*)m")
_BACKGROUND = "48;"
_TONE_OF_COLOUR = {f"38;5;{number}": tone for number, tone in enumerate(Tone)}
_COLOUR_OF_TONE = {tone: number for number, tone in enumerate(Tone)}
_ASCII_FRAME = str.maketrans("│─┈┤├┴┬┼└┘┌┐", "|--+++++++++")
_MAX_GOAL_FACTOR = 2.0
"""Maximum ratio of a goal to the largest value at which a chart is made tall enough for it."""
_MIN_PLOT_COLUMNS = 20
"""Minimum width of a chart. Narrower charts have no margins."""
_AXIS_ROWS = 2
"""Rows of the x axis and its labels."""

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
    point: str = ""
    """Shape of emphasised points, which the legend shows, too. Empty for dots, and a line there."""
    latest: float | None = None
    """The newest value, for the legend. None to omit it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One or more lines over an x axis, with one or two y axes that start at 0."""

    series: Sequence[Series]
    """Each series is drawn over the ones that follow it."""
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

    def y_axis(self, rows: int, *, right: bool = False) -> YAxis | None:
        """Return a y axis, or None if no series uses it.

        Args:
            rows: Height of the chart.
            right: Whether to return the right axis.
        """
        series = [one for one in self.series if one.right is right]
        if not series:
            return None
        goal = [self.goal] if self.has_room_for_goal and not right else []
        values = [*goal, *(y for one in series for _, y in one.points)]
        return y_axis(values, _span(rows), whole=all(one.whole for one in series))


@dataclass(frozen=True, slots=True)
class Margins:
    """Columns to the left of the y axis of a chart, and from its right axis on."""

    left: int = 0
    right: int = 0


NO_MARGINS = Margins()


def margins_of(chart: Chart, rows: int) -> Margins:
    """Return the margins that the labels of a chart need."""
    left, right = (
        max((len(label_of(tick)) for tick in axis.ticks), default=0) if axis else 0
        for axis in (chart.y_axis(rows), chart.y_axis(rows, right=True))
    )
    return Margins(left, right and right + 1)


def widest(margins: Iterable[Margins]) -> Margins:
    """Return the smallest margins that are not narrower than any of the given ones."""
    found = list(margins)
    return Margins(
        max((one.left for one in found), default=0), max((one.right for one in found), default=0)
    )


def coincide(chart: Chart, one: Series, other: Series, rows: int) -> bool:
    """Return whether two lines of the left axis share most of their rows, so that one is hidden."""
    axis = chart.y_axis(rows)
    scale = _span(rows) / axis.limit if axis else 0.0
    pairs = [
        (y, beside)
        for (_, y), (_, beside) in zip(one.points, other.points, strict=False)
        if y is not None and beside is not None
    ]
    shared = sum(round(y * scale) == round(beside * scale) for y, beside in pairs)
    return 2 * shared > len(pairs)


def draw(
    chart: Chart,
    columns: int,
    rows: int,
    *,
    signs: bool,
    ascii_frame: bool,
    margins: Margins = NO_MARGINS,
) -> list[Line]:
    """Draw a chart, and return its lines.

    Args:
        chart: The chart.
        columns: Width, at least 20.
        rows: Height, at least 4.
        signs: Whether to draw each series with its ASCII sign instead of braille dots.
        ascii_frame: Whether to draw the frame with ASCII characters.
        margins: Minimum margins. Charts with the same margins have their plots aligned.
    """
    has_right_axis = any(one.right for one in chart.series)
    if columns - margins.left - margins.right < _MIN_PLOT_COLUMNS:
        margins = NO_MARGINS
    blank = 0 if has_right_axis else margins.right
    plotext = load()
    plotext.terminal.limit(False, False)
    figure = plotext.figure
    figure.clear()
    figure.plot_size(columns - blank, rows)
    figure.theme("colorless")
    figure.axes(False, axis="x", side="upper")
    figure.axes(has_right_axis, axis="y", side="right")
    figure.ruler("x").lim(*chart.x_limits)
    figure.ruler("x").ticks(*_split(chart.x_ticks))
    for side in ("left", "right"):
        axis = chart.y_axis(rows, right=side == "right")
        if axis:
            figure.ruler("y", side).lim(0, axis.limit)
            figure.ruler("y", side).ticks(list(axis.ticks), _labels(axis.ticks, side, margins))
    if chart.has_room_for_goal:
        figure.line(chart.goal, "h", style="dotted", pixel=_COLOUR_OF_TONE[Tone.STRONG])
    for x in chart.marks:
        figure.line(x, "v", pixel=_COLOUR_OF_TONE[Tone.DIM])
    for one in reversed(chart.series):
        code = one.sign if signs else "braille"
        marker = plotext.marker(code, pixel=_COLOUR_OF_TONE[one.tone])
        for part in _unbroken(one.points):
            xs, ys = [x for x, _ in part], [y for _, y in part]
            side = "right" if one.right else "left"
            signal = figure.signal(xs, ys, marker=marker, yside=side)
            figure.draw(signal.lines() if len(part) > 1 else signal)
            if one.dotted and not signs:
                dot = plotext.marker(one.point or "●", pixel=_COLOUR_OF_TONE[one.tone])
                figure.draw(figure.signal(xs, ys, marker=dot, yside=side))
    drawn: Any = figure.build()
    text = str(drawn.string())
    if ascii_frame:
        text = text.translate(_ASCII_FRAME)
    end = (Piece(" " * blank),) if blank else ()
    return [(*_pieces(line), *end) for line in text.split("\n")][:rows]


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


def _span(rows: int) -> int:
    """Return the number of rows between 0 and the last tick in a chart of the given height."""
    return max(1, rows - _AXIS_ROWS - 1)


def _labels(ticks: Sequence[float], side: str, margins: Margins) -> list[str]:
    """Return the labels of a y axis, padded to its margin."""
    if side == "left":
        return [f"{label_of(tick):>{margins.left}}" for tick in ticks]
    return [f"{label_of(tick):<{max(0, margins.right - 1)}}" for tick in ticks]


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
