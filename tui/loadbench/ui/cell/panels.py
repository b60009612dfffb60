"""The panels of one cell: all at once, or one tab at a time on a small terminal."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from loadbench.engine.journal.events import CellEnd
from loadbench.engine.journal.state import CellState
from loadbench.engine.report.metrics import AnyMetric
from loadbench.ui.cell.evidence import evidence
from loadbench.ui.cell.lines import errors_panel, figures_panel, verdict_lines
from loadbench.ui.context import UiContext
from loadbench.ui.lines.cell import CellView, found_statistics, stage_table
from loadbench.ui.lines.events import local_time
from loadbench.ui.lines.glyphs import ASCII
from loadbench.ui.lines.service_log import CellLog, cell_log_lines
from loadbench.ui.lines.stats import LATENCY_NOTE
from loadbench.ui.lines.target import replica_lines
from loadbench.ui.lines.text import Tone, line
from loadbench.ui.widgets.cell_charts import CellCharts
from loadbench.ui.widgets.line_view import LineView, TailView
from loadbench.ui.widgets.panels import Panels
from loadbench.ui.widgets.tabs import TabLine
from loadbench.wording import counted

MAX_CELL_LOG_LINES = 200
"""Maximum number of log lines shown for a cell. The log of the run has all of them."""


class CellPanels(Panels):
    """The panels of a cell, below its header.

    Args:
        context: The context of the screen.
    """

    # As on the run screen, key 3 shows the failures, and charts come last.
    TABS = (
        ("1", "summary"),
        ("2", "evidence"),
        ("3", "failures"),
        ("4", "logs"),
        ("5", "charts"),
    )
    PANELS: ClassVar[Mapping[str, Sequence[str]]] = {
        "summary": ("verdict", "stats", "replicas", "stages"),
        "evidence": ("evidence",),
        "failures": ("failures",),
        "logs": ("log",),
        "charts": ("latency", "throughput"),
    }
    PARTS: ClassVar[Mapping[str, Sequence[str]]] = {
        "charts": ("latency", "throughput"),
        "text": ("verdict", "evidence", "replicas", "stages", "failures", "log"),
        "left": ("verdict", "evidence"),
        "right": ("replicas", "stages", "failures", "log"),
    }

    def __init__(self, context: UiContext) -> None:
        super().__init__("summary")
        self._signs = context.glyphs
        # Without colour, the parts of a bar need different characters.
        self._glyphs = ASCII if context.terminal.signs else context.glyphs
        self._charts = CellCharts(context.terminal)
        self._log: tuple[str, str, CellLog] | None = None

    def compose(self) -> ComposeResult:
        """Lay out every panel. Size and tab determine which of them are visible."""
        yield TabLine(id="tabs-narrow")
        with Horizontal(id="charts"):
            yield self._charts.latency
            yield self._charts.throughput
        yield LineView(id="stats", title="Statistics")
        with Horizontal(id="text"):
            with Vertical(id="left"):
                yield LineView(id="verdict", title="Verdict")
                yield LineView(id="evidence", title="Evidence")
            with Vertical(id="right"):
                yield LineView(id="replicas", title="Replicas", classes="-empty")
                yield LineView(id="stages", title="Where the time goes (ms)")
                yield LineView(id="failures", title="Failures")
                yield TailView(id="log", title="Logs")

    def on_mount(self) -> None:
        """Explain the mark in the evidence."""
        self.query_one("#evidence", LineView).note("! exceeds limit")

    def lay_out(self) -> None:
        """Show the panels of the current tab and size, and the tab bar."""
        super().lay_out()
        self.set_class(self.tab == "summary", "-summary")
        self.query_one(TabLine).show_tabs(self.TABS, self.tab)

    def show_cell(
        self,
        shown: CellView,
        repeats: Sequence[CellState],
        earlier: Sequence[tuple[int, CellEnd | None]],
        log: CellLog,
        metric: AnyMetric | None = None,
    ) -> None:
        """Show a cell.

        Args:
            shown: The cell.
            repeats: Its other repeats.
            earlier: Its earlier attempts: the number of each, and the event that ended it, or None.
            log: The log lines of services during its latest attempt.
            metric: The metric of the left chart that the user chose, or None.
        """
        self._charts.show(shown, metric)
        panel = self.query_one("#verdict", LineView)
        panel.show(verdict_lines(shown, repeats, earlier, self._signs, panel.columns or 50))
        panel = self.query_one("#stats", LineView)
        window, lines = figures_panel(shown, panel.columns or 80)
        panel.show(lines)
        found = found_statistics(shown)
        panel.set_class(bool(found and found.measurements), "-measurements")
        panel.set_title(f"Statistics · {window}" if window else "Statistics")
        panel.note(LATENCY_NOTE)
        panel = self.query_one("#replicas", LineView)
        # The width of another panel, because this one has no width while it is hidden.
        columns = self.query_one("#stages", LineView).columns or 50
        lines = replica_lines(shown.finished, columns) if shown.finished else []
        # Visible in this state only while it is maximised.
        panel.show(lines or [line(("Not recorded for this cell", Tone.DIM))])
        panel.set_class(not lines, "-empty")
        panel.note(LATENCY_NOTE)
        panel = self.query_one("#stages", LineView)
        panel.show(stage_table(shown, self._glyphs, panel.columns or 50))
        window, lines = evidence(shown)
        panel = self.query_one("#evidence", LineView)
        panel.show(lines)
        panel.set_title(f"Evidence · {window}" if window else "Evidence")
        panel = self.query_one("#failures", LineView)
        failed, lines = errors_panel(shown, panel.columns or 50)
        panel.show(lines)
        requests = counted(failed, "failed request")
        panel.set_title(f"Failures · {requests}" if failed else "Failures")
        self._show_log(shown, log)

    def _show_log(self, shown: CellView, log: CellLog) -> None:
        cell = shown.cell
        if (cell.cell.key, cell.ended_at, log) == self._log:
            return
        self._log = (cell.cell.key, cell.ended_at, log)
        panel = self.query_one("#log", TailView)
        panel.show(cell_log_lines(log, is_attempted=bool(cell.attempt)))
        panel.note(
            "" if len(log.lines) < MAX_CELL_LOG_LINES else f"last {MAX_CELL_LOG_LINES} lines"
        )
        start, end = local_time(cell.began_at), local_time(cell.ended_at)
        span = f"{start} to {end}" if cell.ended_at else f"since {start}"
        panel.set_title(f"Logs · {span}" if cell.began_at else "Logs")
