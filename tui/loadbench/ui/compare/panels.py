"""The panels of a comparison: all at once, or one tab at a time on a small terminal."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from loadbench.engine.comparison.model import ComparedMetric, Comparison
from loadbench.engine.comparison.table import INTERVAL_LEGEND
from loadbench.engine.profile.levels import Closed
from loadbench.ui.compare.lines import cell_entries, summary_lines
from loadbench.ui.context import UiContext
from loadbench.ui.lines.charts.plot import Chart
from loadbench.ui.lines.charts.series import goal_note
from loadbench.ui.lines.text import Line
from loadbench.ui.widgets.chart import ChartView, show_charts
from loadbench.ui.widgets.line_view import LineView
from loadbench.ui.widgets.menu import Menu
from loadbench.ui.widgets.panels import Panels
from loadbench.ui.widgets.tabs import TabLine

NO_CHART = "No results to draw, or different kinds of load"
_SUMMARY, _CELLS, _CHARTS = "summary", "cells", "charts"
_TEXT_COLUMNS = 50
"""Width of a panel before the first layout."""


class ComparePanels(Panels):
    """The panels of a comparison, below its header.

    Args:
        context: The context of the screen.
    """

    TABS = (("1", _SUMMARY), ("2", _CELLS), ("3", _CHARTS))
    PANELS: ClassVar[Mapping[str, Sequence[str]]] = {
        _SUMMARY: ("summary",),
        _CELLS: ("compared",),
        _CHARTS: ("latency", "throughput"),
    }
    PARTS: ClassVar[Mapping[str, Sequence[str]]] = {
        "text": ("summary", "compared"),
        "charts": ("latency", "throughput"),
    }

    def __init__(self, context: UiContext) -> None:
        super().__init__(_SUMMARY)
        self._shared = context

    def compose(self) -> ComposeResult:
        """Lay out every panel. Size and tab determine which of them are visible."""
        terminal = self._shared.terminal
        style = {"signs": terminal.signs, "ascii_frame": terminal.ascii}
        yield TabLine(id="tabs-narrow")
        with Horizontal(id="results"):
            with Vertical(id="text"):
                yield LineView(id="summary", title="Summary")
                yield Menu(id="compared", title="Cells")
            with Vertical(id="charts"):
                yield ChartView("Latency (ms)", by=Closed.unit, id="latency", **style)
                yield ChartView("req/s", by=Closed.unit, id="throughput", **style)

    def lay_out(self) -> None:
        """Show the panels of the current tab and size, and the tab bar."""
        super().lay_out()
        self.query_one(TabLine).show_tabs(self.TABS, self.tab)

    def show_comparison(self, found: Comparison, metric: ComparedMetric) -> None:
        """Show the text of a comparison.

        Args:
            found: The comparison.
            metric: The metric of the cells.
        """
        summary = self.query_one("#summary", LineView)
        summary.show(summary_lines(found, summary.columns or _TEXT_COLUMNS))
        menu, glyphs = self.query_one(Menu), self._shared.glyphs
        # One column is reserved for the cursor.
        menu.show_entries(cell_entries(found, metric, (menu.columns or _TEXT_COLUMNS) - 1), glyphs)
        menu.note(INTERVAL_LEGEND if found.is_tested else "")

    def show_charts(self, latency: Chart | None, throughput: Chart | None) -> None:
        """Show the charts of both runs, each None if there is no data for it."""
        left = self.query_one("#latency", ChartView)
        right = self.query_one("#throughput", ChartView)
        show_charts([(left, latency), (right, throughput)], empty=NO_CHART)
        left.note(goal_note(latency))
        right.note(goal_note(throughput))

    def show_problem(self, lines: Sequence[Line]) -> None:
        """Show why there is no comparison."""
        self.query_one("#summary", LineView).show(lines)
        menu = self.query_one(Menu)
        menu.show_entries((), self._shared.glyphs)
        menu.note("")
        self.show_charts(None, None)
