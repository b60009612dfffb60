"""A chart that is redrawn when its data or size changes, and repaints only changed lines."""

from collections.abc import Sequence

from textual import events, work

from loadbench.ui.background import in_background
from loadbench.ui.lines.charts.plot import (
    NO_MARGINS,
    Chart,
    Margins,
    draw,
    is_loaded,
    load,
    margins_of,
    widest,
)
from loadbench.ui.lines.charts.series import legend
from loadbench.ui.lines.text import Line, Tone, fit_middle, line, width
from loadbench.ui.widgets.line_view import LineView

NO_SAMPLES = "No samples yet"
LOADING = "Loading…"
_MIN_COLUMNS, _MIN_ROWS = 20, 4
_MIN_LABEL_COLUMNS = 6
_TITLE_EDGES = 2
"""Columns by which the room for a title is narrower than the content of the panel."""


class ChartView(LineView, inherit_bindings=False):
    """A widget that is filled by one chart.

    Args:
        title: Label of the y axis, with its unit.
        by: Label of the x axis until a chart is shown. Empty for seconds.
        signs: Whether to draw series with ASCII signs instead of coloured braille dots.
        ascii_frame: Whether to draw the frame with ASCII characters.
    """

    DEFAULT_CSS = "ChartView { overflow: hidden; }"

    def __init__(
        self,
        title: str,
        *,
        by: str = "",
        id: str | None = None,  # noqa: A002  # the name that Textual uses
        signs: bool = False,
        ascii_frame: bool = False,
    ) -> None:
        super().__init__(id=id, title=_full_title(title, by))
        self._y_label, self._by = title, by
        self._signs, self._ascii_frame = signs, ascii_frame
        self._chart: Chart | None = None
        self._empty = LOADING
        self._margins = NO_MARGINS

    def show_chart(
        self, chart: Chart | None, *, empty: str = "", margins: Margins = NO_MARGINS
    ) -> None:
        """Show a chart, or a text if there is no data for one.

        Args:
            chart: The chart, or None.
            empty: The text.
            margins: Minimum margins of the chart.
        """
        empty = empty or NO_SAMPLES
        if (chart, empty, margins) == (self._chart, self._empty, self._margins):
            return
        self._chart, self._empty, self._margins = chart, empty, margins
        self._show_title()
        # Drawing a chart is slow, so the figures around it are updated first.
        self.call_after_refresh(self._redraw)

    def on_resize(self, _: events.Resize) -> None:
        """Redraw the chart at its new size."""
        self._show_title()
        self._redraw()

    def _show_title(self) -> None:
        """Show the legend. If it does not fit, it has no label of the x axis, then no values.

        If it still does not fit, the label of the y axis is cut.
        """
        chart = self._chart
        by = chart.by or self._by if chart else self._by
        label = chart.label if chart and chart.label else self._y_label
        full, short = (
            tuple(legend(chart, self.size.height, signs=self._signs, has_values=has_values))
            if chart and chart.has_points
            else ()
            for has_values in (True, False)
        )
        titles = (
            line(f"{_full_title(label, by)} ", *full),
            line(f"{label} ", *full),
            line(f"{label} ", *short),
        )
        room = self.size.width - _TITLE_EDGES
        fitting = (title for title in titles if width(title) <= room)
        cut = fit_middle(label, max(_MIN_LABEL_COLUMNS, room - width(short) - 1))
        self.set_title(next(fitting, line(f"{cut} ", *short)))

    def _redraw(self) -> None:
        columns, rows = self.size
        if self._chart is None or not self._chart.has_points:
            self.show([line((self._empty, Tone.DIM))])
        elif columns < _MIN_COLUMNS or rows < _MIN_ROWS:
            self.show([line(("Panel too small for a chart", Tone.DIM))][:rows])
        elif not is_loaded():
            self.show([line((LOADING, Tone.DIM))])
            self._load()
        else:
            self.show(self._drawn(self._chart, columns, rows))

    @work(exclusive=True)
    async def _load(self) -> None:
        """Import the charting library in the background, then draw the chart."""
        await in_background(load)
        self._redraw()

    def _drawn(self, chart: Chart, columns: int, rows: int) -> list[Line]:
        return draw(
            chart,
            columns,
            rows,
            signs=self._signs,
            ascii_frame=self._ascii_frame,
            margins=self._margins,
        )


def show_charts(charts: Sequence[tuple[ChartView, Chart | None]], *, empty: str = "") -> None:
    """Show charts with the same x axis. If they are stacked, align their plots.

    Args:
        charts: The widgets, each with its chart, or None if there is no data for one.
        empty: The text to show instead of a missing chart.
    """
    visible = [(view, chart) for view, chart in charts if view.region.width]
    is_stacked = len({view.region.x for view, _ in visible}) == 1
    needed = [margins_of(chart, view.size.height) for view, chart in visible if chart]
    margins = widest(needed) if is_stacked else NO_MARGINS
    for view, chart in charts:
        view.show_chart(chart, empty=empty, margins=margins)


def _full_title(y_label: str, by: str) -> str:
    return f"{y_label} by {by}" if by else y_label
