"""The panels of one cell: all at once, or one after the other where there is no room."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from loadbench.engine.journal.events import CellEnd
from loadbench.engine.journal.state import CellState
from loadbench.ui.cell.evidence import evidence
from loadbench.ui.cell.lines import errors_panel, figures_panel, verdict_lines
from loadbench.ui.context import UiContext
from loadbench.ui.lines.cell import CellView, stage_table
from loadbench.ui.lines.events import local_time
from loadbench.ui.lines.glyphs import ASCII
from loadbench.ui.lines.service_log import CellLog, cell_log_lines
from loadbench.ui.widgets.cell_charts import CellCharts
from loadbench.ui.widgets.line_view import LineView, TailView
from loadbench.ui.widgets.panels import Panels
from loadbench.ui.widgets.tabs import TabLine

LINES_OF_A_CELL = 200
"""That were said last in its time; the log of the run has them all."""


class CellPanels(Panels):
    """Everything that is shown of a cell, below its header.

    Args:
        context: The surroundings.
    """

    TABS = (("1", "summary"), ("2", "charts"), ("3", "evidence"), ("4", "failures"), ("5", "log"))
    PANELS: ClassVar[Mapping[str, Sequence[str]]] = {
        "summary": ("verdict", "stats", "stages"),
        "charts": ("latency", "throughput"),
        "evidence": ("evidence",),
        "failures": ("failures",),
        "log": ("log",),
    }
    PARTS: ClassVar[Mapping[str, Sequence[str]]] = {
        "charts": ("latency", "throughput"),
        "text": ("verdict", "evidence", "stages", "failures", "log"),
        "left": ("verdict", "evidence"),
        "right": ("stages", "failures", "log"),
    }

    def __init__(self, context: UiContext) -> None:
        super().__init__("summary")
        # A bar without colour needs other signs for its parts.
        self._glyphs = ASCII if context.terminal.signs else context.glyphs
        self._charts = CellCharts(context.terminal)
        self._log: tuple[str, str, CellLog] | None = None

    def compose(self) -> ComposeResult:
        """Lay out every panel; which of them are shown is a matter of size and tab."""
        yield TabLine(id="tabs-narrow")
        with Horizontal(id="charts"):
            yield self._charts.latency
            yield self._charts.throughput
        yield LineView(id="stats", title="statistics")
        with Horizontal(id="text"):
            with Vertical(id="left"):
                yield LineView(id="verdict", title="verdict")
                yield LineView(id="evidence", title="evidence")
            with Vertical(id="right"):
                yield LineView(id="stages", title="where the time goes")
                yield LineView(id="failures", title="failures")
                yield TailView(id="log", title="log")

    def on_mount(self) -> None:
        """Say what the mark of the evidence means."""
        self.query_one("#evidence", LineView).note("! not what a rule wants")

    def lay_out(self) -> None:
        """Show what belongs to the tab and to the size, and the tabs."""
        super().lay_out()
        self.set_class(self.tab == "summary", "-summary")
        self.query_one(TabLine).show_tabs(self.TABS, self.tab)

    def show_cell(
        self,
        shown: CellView,
        repeats: Sequence[CellState],
        earlier: Sequence[tuple[int, CellEnd | None]],
        log: CellLog,
    ) -> None:
        """Show a cell.

        Args:
            shown: The cell.
            repeats: The other repeats of it.
            earlier: The numbers of its attempts before, with what ended them.
            log: The log lines of services during its latest attempt.
        """
        self._charts.show(shown)
        panel = self.query_one("#verdict", LineView)
        panel.show(verdict_lines(shown, repeats, earlier, panel.columns or 50))
        panel = self.query_one("#stats", LineView)
        of, lines = figures_panel(shown)
        panel.show(lines)
        panel.entitle(f"statistics · {of}" if of else "statistics")
        panel.note("latency in ms, of successes")
        panel = self.query_one("#stages", LineView)
        panel.show(stage_table(shown, self._glyphs, panel.columns or 50))
        of, lines = evidence(shown)
        panel = self.query_one("#evidence", LineView)
        panel.show(lines)
        panel.entitle(f"evidence · {of}" if of else "evidence")
        panel = self.query_one("#failures", LineView)
        failed, lines = errors_panel(shown, panel.columns or 50)
        panel.show(lines)
        panel.entitle(f"failures: {failed}" if failed else "failures")
        self._show_log(shown, log)

    def _show_log(self, shown: CellView, log: CellLog) -> None:
        cell = shown.cell
        if (cell.cell.key, cell.ended_at, log) == self._log:
            return
        self._log = (cell.cell.key, cell.ended_at, log)
        panel = self.query_one("#log", TailView)
        panel.show(cell_log_lines(log, begun=bool(cell.attempt)))
        panel.note("" if len(log.lines) < LINES_OF_A_CELL else f"the last {LINES_OF_A_CELL} lines")
        began, ended = local_time(cell.began_at), local_time(cell.ended_at)
        span = f"{began} to {ended}" if cell.ended_at else f"since {began}"
        panel.entitle(f"log · {span}" if cell.began_at else "log")
