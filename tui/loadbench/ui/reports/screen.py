"""All runs by profile, and the cell table and charts of the selected run."""

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from loadbench.engine.profile.levels import Closed
from loadbench.engine.profile.sections.goals import Goals
from loadbench.engine.report.metrics import AnyMetric, Metric, default_metric, goals_of, next_metric
from loadbench.engine.report.rows import Row
from loadbench.engine.run_reader import Run
from loadbench.ui.context import UiContext
from loadbench.ui.dialogs.recommendation import RECOMMENDATION_KEY, RecommendationWindow
from loadbench.ui.dialogs.resume import RESUME_KEYS, is_kind, resume_run
from loadbench.ui.lines.charts.by_level import chart_by_level
from loadbench.ui.lines.charts.series import goal_note
from loadbench.ui.lines.matrix import verdict_tone
from loadbench.ui.lines.text import Line, line, wrap
from loadbench.ui.messages import GoBack, OpenRun
from loadbench.ui.reports.cell_table import CellTable
from loadbench.ui.reports.lines import charted_metrics, repeated_lines, run_lines
from loadbench.ui.reports.listing import ListingScreen
from loadbench.ui.widgets.chart import ChartView
from loadbench.ui.widgets.footer import KeyLine
from loadbench.ui.widgets.line_view import LineView, TextLine
from loadbench.ui.widgets.menu import Menu
from loadbench.ui.widgets.notification_line import NotificationLine
from loadbench.ui.widgets.panel_screen import MAXIMISE_KEYS, METRIC_KEY
from loadbench.ui.widgets.tabs import TabLine, tab_keys
from loadbench.ui.widgets.too_small import TooSmall

_WIDE_COLUMNS, _WIDE_ROWS = 100, 26
_EDGE_COLUMNS = 5
"""Columns of a panel that its border, padding and scrollbar occupy."""
_PADDING = 2
"""Columns of these that text outside of a panel may use."""
_RUNS, _CELLS, _CHARTS = "Runs", "Cells", "Charts"
_PANELS = {
    _RUNS: ("runs",),
    _CELLS: ("cells", "repeated", "study"),
    _CHARTS: ("latency", "throughput"),
}
_TABS = (("1", _RUNS), ("2", _CELLS), ("3", _CHARTS))


class ReportsScreen(ListingScreen):
    """Inspect the results of all runs and open their reports.

    Args:
        context: The context of the screen.
        start_at: Name of the run or study to select. If empty, the first.
    """

    AUTO_FOCUS = "#runs"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "look", "open", tooltip="Open the run, or the selected cell"),
        Binding("s", "sort", "sort", tooltip="Sort the cells by the next column"),
        Binding("S", "reverse", "reverse", show=False, tooltip="Reverse the sort order"),
        *ListingScreen.OPENING_KEYS,
        *ListingScreen.MARKING_KEYS,
        *RESUME_KEYS,
        RECOMMENDATION_KEY,
        *ListingScreen.MANAGING_KEYS,
        METRIC_KEY,
        *MAXIMISE_KEYS,
        Binding("escape,v", "back", "back", tooltip="Go back"),
        *tab_keys(_TABS, "tab"),
    ]

    def __init__(self, context: UiContext, start_at: str = "") -> None:
        super().__init__(context, start_at)
        self._tab = _RUNS
        self._narrow = False
        self._shown: Run | None = None
        """The run whose results are on the screen."""
        self._wrapped_columns: int | None = None
        """Width in columns that the text is wrapped to, or None if it is not wrapped yet."""

    def compose(self) -> ComposeResult:
        """Lay out runs, cells and charts."""
        terminal = self.context.terminal
        style = {"signs": terminal.signs, "ascii_frame": terminal.ascii}
        yield TabLine(id="tabs")
        with Horizontal():
            yield Menu(id="runs", title="Runs")
            with Vertical(id="result"):
                yield LineView(id="study", title="Study")
                yield TextLine(id="outcome")
                yield CellTable(id="cells")
                yield LineView(id="repeated", title="Repeats")
                yield TextLine(id="why")
                with Horizontal(id="run-charts"):
                    yield ChartView("Latency (ms)", by=Closed.unit, id="latency", **style)
                    yield ChartView("req/s", by=Closed.unit, id="throughput", **style)
        yield NotificationLine()
        yield KeyLine()
        yield TooSmall()

    def on_mount(self) -> None:
        """Focus the list of runs."""
        self.query_one(Menu).focus()
        self._arrange()

    def on_resize(self, event: events.Resize) -> None:
        """On a small screen, show one tab at a time."""
        narrow = event.size.width < _WIDE_COLUMNS or event.size.height < _WIDE_ROWS
        self.set_class(narrow, "-narrow")
        self._narrow = narrow
        self._arrange()

    def on_catalog_read(self) -> None:
        """Show the new catalog."""
        self.repaint()

    # Display

    @property
    def cell(self) -> Row | None:
        """The cell under the cursor, or None if the table is empty or does not have the focus."""
        return self.query_one(CellTable).selected

    def paint(self) -> None:
        """Show the list, and the results of the selected run or study."""
        self.show_list()
        self._show_selected()
        self._show_findings()

    def _show_selected(self) -> None:
        run = self.selected
        # The catalog keeps the same object as long as the journal of a run does not change.
        if run is None or run is not self._shown:
            self._shown = run
            self._show_result(run)
        self.show_study()
        self._show_wrapped()
        self.refresh_bindings()

    def _show_result(self, run: Run | None) -> None:
        self._wrapped_columns = None
        if run is None and not self.catalog.complete:
            return
        self.query_one(CellTable).show_rows(run.rows if run else ())
        self._show_chart("#latency", run, self._metric)
        self._show_chart("#throughput", run, Metric.RPS)

    @property
    def _metric(self) -> AnyMetric:
        """The metric of the left chart: the chosen one, if the run has it."""
        chosen = self.context.metrics.get("reports")
        goals = goals_of(self._shown.state) if self._shown else Goals()
        is_known = chosen in charted_metrics(self._shown)
        return chosen if chosen and is_known else default_metric(goals)

    def _show_chart(self, name: str, run: Run | None, metric: AnyMetric) -> None:
        chart, panel = (
            chart_by_level(run.state, metric) if run else None,
            self.query_one(name, ChartView),
        )
        panel.show_chart(chart, empty="No cell has been measured" if run else "No runs yet")
        panel.note(goal_note(chart))

    def _show_wrapped(self) -> None:
        # The width of the table, because the panel has no width while it is hidden.
        columns = self.query_one(CellTable).outer_size.width - _EDGE_COLUMNS
        if columns != self._wrapped_columns:
            self._wrapped_columns = columns
            glyphs = self.context.glyphs
            header = run_lines(self._shown, glyphs, columns + _PADDING) if self._shown else []
            self.query_one("#outcome", TextLine).show(header)
            lines = repeated_lines(self._shown, columns) if self._shown else []
            self.query_one("#repeated", LineView).show(lines)
        self._arrange()

    def _show_findings(self) -> None:
        if not self.is_attached:
            return
        row, panel = self.cell, self.query_one("#why", TextLine)
        lines: list[Line] = []
        if row and row.reasons and panel.columns:
            verdict = (f" {row.verdict.capitalize()}", verdict_tone(row))
            lines = wrap(line(verdict, f": {row.reasons}"), panel.columns, indent=1)
        panel.show(lines)
        self.refresh_bindings()

    def _arrange(self) -> None:
        is_study, is_wide = self.selected_study is not None, not self._narrow
        has_cells = not is_study and (is_wide or self._tab == _CELLS)
        shown = {
            "runs": is_wide or self._tab == _RUNS,
            "result": is_wide or self._tab != _RUNS,
            "study": is_study,
            "outcome": not is_study,
            "cells": has_cells,
            "why": has_cells,
            "repeated": has_cells and bool(self.query_one("#repeated", LineView).lines),
            "run-charts": not is_study and (is_wide or self._tab == _CHARTS),
        }
        for name, visible in shown.items():
            self.query_one(f"#{name}").set_class(not visible, "-hidden")
        self.query_one(TabLine).show_tabs(_TABS, self._tab)

    def on_menu_moved(self, event: Menu.Moved) -> None:
        """Show the run or study under the cursor."""
        event.stop()
        self._show_selected()

    def on_menu_selected(self, event: Menu.Selected) -> None:
        """Open the run or study that was double-clicked."""
        event.stop()
        self.action_look()

    def on_data_table_row_selected(self, event: CellTable.RowSelected) -> None:
        """Open the selected cell."""
        event.stop()
        self.action_look()

    def on_data_table_row_highlighted(self, event: CellTable.RowHighlighted) -> None:
        """Show the findings of the cell and update the available actions."""
        event.stop()
        self._show_findings()

    def on_descendant_focus(self) -> None:
        """Update the available actions after a change of focus."""
        self._show_findings()

    def on_tab_line_chosen(self, event: TabLine.Chosen) -> None:
        """Show the tab that was clicked."""
        self.action_tab(event.tab)

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enable only the actions that apply to the selected run and cell."""
        if not self.is_in_view:
            return True
        run = self.selected
        match action:
            case "resume":
                return run is not None and is_kind(run, parameters)
            case "look":
                return run is not None or self.selected_study is not None
            case "recommendation":
                return run is not None
            case "sort" | "reverse":
                return run is not None and self._is_visible("cells")
            case "metric":
                return run is not None and self._is_visible("latency")
            case "tab":
                return self._narrow or parameters != (_CHARTS,)
        return super().check_action(action, parameters)

    def _is_visible(self, panel: str) -> bool:
        """Return whether a panel is on the screen, so that an action on it has a visible effect."""
        if self.maximized:
            return self.maximized.id == panel
        return not self._narrow or panel in _PANELS[self._tab]

    def reveal(self, panel: Widget) -> None:
        """Show the tab of a panel."""
        tab_of_panel = next(tab for tab, panels in _PANELS.items() if panel.id in panels)
        if self._narrow and tab_of_panel != self._tab:
            self._tab = tab_of_panel
            self._arrange()
            panel.focus()

    def action_tab(self, tab: str) -> None:
        """Show a tab and focus its first panel."""
        self._tab = tab
        self._arrange()
        is_study = tab != _RUNS and self.selected_study is not None
        self.query_one("#study" if is_study else f"#{_PANELS[tab][0]}").focus()
        self.app.call_later(self.keep_maximised)
        self.call_after_refresh(self.repaint)

    def action_look(self) -> None:
        """Open the study or run, or the selected cell if the table has the focus."""
        run, cell = self.selected, self.cell
        if run:
            self.request(OpenRun(run.folder, cell.cell if cell else None))
        else:
            super().action_look()

    def action_metric(self) -> None:
        """Show the next metric in the left chart."""
        self.context.metrics["reports"] = next_metric(self._metric, charted_metrics(self._shown))
        self._show_chart("#latency", self._shown, self._metric)

    def action_sort(self) -> None:
        """Sort the cells by the next column."""
        self.query_one(CellTable).sort_by_next()

    def action_reverse(self) -> None:
        """Reverse the sort order."""
        self.query_one(CellTable).reverse()

    def action_resume(self, kind: str) -> None:
        """Open the preview for resuming the run."""
        if self.selected:
            resume_run(self, self.selected, kind)

    def action_recommendation(self) -> None:
        """Show the recommendation of the run in full."""
        if run := self.selected:
            self.app.push_screen(RecommendationWindow(run, lambda: self.catalog.run(run.name)))

    def action_back(self) -> None:
        """Go back one screen."""
        self.request(GoBack())
