"""All runs by profile; of the chosen one its cells as a table, and charts over users."""

from pathlib import Path
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from loadbench.engine.catalog import Catalog
from loadbench.engine.profile.levels import Closed
from loadbench.engine.report.rows import Row
from loadbench.engine.run_reader import Run, report_of, rest_of
from loadbench.ui.context import UiContext
from loadbench.ui.lines.text import Tone, line, wrap
from loadbench.ui.messages import GoBack, OpenRun, ResumeRun
from loadbench.ui.reports.cell_table import CellTable
from loadbench.ui.reports.lines import (
    latency_by_level,
    no_runs,
    repeated_lines,
    run_entries,
    throughput_by_level,
)
from loadbench.ui.terminal import desktop
from loadbench.ui.widgets.chart import ChartView
from loadbench.ui.widgets.footer import KeyLine
from loadbench.ui.widgets.line_view import LineView, TextLine
from loadbench.ui.widgets.menu import Menu
from loadbench.ui.widgets.panel_screen import MAXIMISE_KEYS, PanelScreen
from loadbench.ui.widgets.tabs import TabLine
from loadbench.ui.widgets.too_small import TooSmall
from loadbench.wording import outcome_line

_WIDE_COLUMNS, _WIDE_ROWS = 100, 26
_EDGE_COLUMNS = 5
"""Of a panel: its border, its padding and its scrollbar."""
_PANELS = {"runs": ("runs",), "cells": ("cells", "repeated"), "charts": ("latency", "throughput")}
_TABS = (("1", "runs"), ("2", "cells"), ("3", "charts"))


class ReportsScreen(PanelScreen):
    """Look back: what every run has measured, and where its reports are.

    Args:
        context: The surroundings.
    """

    AUTO_FOCUS = "#runs"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "look", "look", tooltip="show the run, or the cell"),
        Binding("s", "sort", "sort", tooltip="sort the cells by the next column"),
        Binding("S", "turn", "turn", show=False, tooltip="sort the other way round"),
        Binding("o", "open", "report", tooltip="open Locust's report of the cell"),
        Binding("y", "copy", "copy path", tooltip="copy the path of that report, or of the run"),
        Binding("r", "resume", "resume", tooltip="go on with what is left of the run"),
        *MAXIMISE_KEYS,
        Binding("escape,v", "back", "back", tooltip="to the screen before"),
        *(
            Binding(key, f"tab('{tab}')", tab, show=False, tooltip=f"show {tab}")
            for key, tab in _TABS
        ),
    ]

    def __init__(self, context: UiContext) -> None:
        super().__init__()
        self.context = context
        self._tab = "runs"
        self._narrow = False
        self._shown: Run | None = None
        """The run whose result is on the screen."""
        self._repeated_columns: int | None = None
        """The width of the lines about repeats of that run; None: they are not made yet."""

    def compose(self) -> ComposeResult:
        """Lay out runs, cells and charts."""
        terminal = self.context.terminal
        drawn = {"signs": terminal.signs, "ascii_frame": terminal.ascii}
        yield TabLine(id="tabs")
        with Horizontal():
            yield Menu(id="runs", title="runs")
            with Vertical(id="result"):
                yield TextLine(id="outcome")
                yield CellTable(id="cells")
                yield LineView(id="repeated", title="measured more than once")
                yield TextLine(id="why")
                with Horizontal(id="run-charts"):
                    yield ChartView("p90 ms", by=Closed.unit, id="latency", **drawn)
                    yield ChartView("req/s", by=Closed.unit, id="throughput", **drawn)
        yield KeyLine()
        yield TooSmall()

    def on_mount(self) -> None:
        """Put the focus on the runs."""
        self.query_one(Menu).focus()
        self._arrange()

    def on_resize(self, event: events.Resize) -> None:
        """Show one part at a time where there is no room for all."""
        narrow = event.size.width < _WIDE_COLUMNS or event.size.height < _WIDE_ROWS
        self.set_class(narrow, "-narrow")
        self._narrow = narrow
        self._arrange()

    def on_catalog_read(self) -> None:
        """Show what there is now."""
        self.repaint()

    # What there is to see

    @property
    def _catalog(self) -> Catalog:
        return self.context.catalog.newest

    @property
    def chosen(self) -> Run | None:
        """The run under the cursor."""
        key = self.query_one(Menu).key
        return next((run for run in self._catalog.runs if run.name == key), None)

    @property
    def cell(self) -> Row | None:
        """The cell under the cursor of the table; None: the table has not the focus."""
        return self.query_one(CellTable).chosen

    def paint(self) -> None:
        """Show what there is now."""
        glyphs = self.context.glyphs
        self.query_one(Menu).show_entries(run_entries(self._catalog, glyphs), glyphs)
        self._show_chosen()
        self._show_why()

    def _show_chosen(self) -> None:
        run = self.chosen
        # The catalogue keeps the object of a run whose journal has not changed.
        if run is None or run is not self._shown:
            self._shown = run
            self._show_result(run)
        self._show_repeated()
        self.refresh_bindings()

    def _show_result(self, run: Run | None) -> None:
        self._repeated_columns = None
        outcome = self.query_one("#outcome", TextLine)
        if run is None:
            outcome.show(no_runs(complete=self._catalog.complete))
        else:
            outcome.show([line((f" {run.name}  ", Tone.STRONG), outcome_line(run.state))])
        if run is None and not self._catalog.complete:
            return
        self.query_one(CellTable).show_rows(run.rows if run else ())
        empty = "no cell has been measured" if run else "no run yet"
        latency = latency_by_level(run.state) if run else None
        self.query_one("#latency", ChartView).show_chart(latency, empty=empty)
        throughput = throughput_by_level(run.state) if run else None
        self.query_one("#throughput", ChartView).show_chart(throughput, empty=empty)

    def _show_repeated(self) -> None:
        # By the table above: the panel has no width while it is not shown.
        columns = self.query_one(CellTable).outer_size.width - _EDGE_COLUMNS
        if columns != self._repeated_columns:
            self._repeated_columns = columns
            lines = repeated_lines(self._shown.state, columns) if self._shown else []
            self.query_one("#repeated", LineView).show(lines)
        self._arrange()

    def _show_why(self) -> None:
        if not self.is_attached:
            return
        row, panel = self.cell, self.query_one("#why", TextLine)
        doubt = line(f" {row.verdict}: {row.reasons}") if row and row.reasons else None
        panel.show(wrap(doubt, panel.columns, indent=1) if doubt and panel.columns else [])
        self.refresh_bindings()

    def _arrange(self) -> None:
        shown = {
            "runs": not self._narrow or self._tab == "runs",
            "result": not self._narrow or self._tab != "runs",
            "cells": not self._narrow or self._tab == "cells",
            "why": not self._narrow or self._tab == "cells",
            "repeated": bool(self.query_one("#repeated", LineView).lines)
            and (not self._narrow or self._tab == "cells"),
            "run-charts": not self._narrow or self._tab == "charts",
        }
        for name, visible in shown.items():
            self.query_one(f"#{name}").set_class(not visible, "-hidden")
        self.query_one(TabLine).show_tabs(_TABS, self._tab)

    def on_menu_moved(self, event: Menu.Moved) -> None:
        """Show the run that the cursor came to."""
        event.stop()
        self._show_chosen()

    def on_menu_selected(self, event: Menu.Selected) -> None:
        """Look at the run."""
        event.stop()
        self.action_look()

    def on_data_table_row_selected(self, event: CellTable.RowSelected) -> None:
        """Look at the cell."""
        event.stop()
        self.action_look()

    def on_data_table_row_highlighted(self, event: CellTable.RowHighlighted) -> None:
        """Say why the cell is in doubt, and offer what it allows."""
        event.stop()
        self._show_why()

    def on_descendant_focus(self) -> None:
        """Offer what the part with the focus allows."""
        self._show_why()

    def on_tab_line_chosen(self, event: TabLine.Chosen) -> None:
        """Show the part that was clicked."""
        self.action_tab(event.tab)

    # What can be done

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what the run, and the cell under the cursor, allow."""
        if not self.is_to_be_seen:
            return True
        run = self.chosen
        match action:
            case "resume":
                return run is not None and rest_of(run) is not None
            case "open":
                return self._report() is not None
            case "copy" | "look":
                return run is not None
            case "sort" | "turn":
                return run is not None
            case "tab":
                return self._narrow or parameters != ("charts",)
        return super().check_action(action, parameters)

    def reveal(self, panel: Widget) -> None:
        """Show the part that a panel is in."""
        part = next(tab for tab, panels in _PANELS.items() if panel.id in panels)
        if self._narrow and part != self._tab:
            self._tab = part
            self._arrange()
            panel.focus()

    def action_tab(self, tab: str) -> None:
        """Show a part, and put the focus on it."""
        self._tab = tab
        self._arrange()
        self.query_one(f"#{_PANELS[tab][0]}").focus()
        self.app.call_later(self.keep_maximised)
        self.call_after_refresh(self.repaint)

    def action_look(self) -> None:
        """Show the run, or the cell if the table has the focus."""
        run, cell = self.chosen, self.cell
        if run:
            self.request(OpenRun(run.folder, cell.cell if cell else None))

    def action_sort(self) -> None:
        """Sort the cells by the next column."""
        self.query_one(CellTable).sort_by_next()

    def action_turn(self) -> None:
        """Sort the other way round."""
        self.query_one(CellTable).turn()

    def action_open(self) -> None:
        """Open Locust's report of the cell."""
        if path := self._report():
            desktop.open_file(self.app, path)

    def action_copy(self) -> None:
        """Copy the path of the report, or of the run's folder if no cell is chosen."""
        if path := self._report() or (self.chosen.folder if self.chosen else None):
            desktop.copy_path(self.app, path)

    def action_resume(self) -> None:
        """Show what going on with the run would be."""
        if self.chosen:
            self.request(ResumeRun(self.chosen))

    def action_back(self) -> None:
        """Go to the screen before."""
        self.request(GoBack())

    def _report(self) -> Path | None:
        run, row = self.chosen, self.cell
        return report_of(run, row.cell) if run and row else None
