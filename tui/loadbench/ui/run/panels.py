"""The panels of a run: all at once, or one tab at a time on a small terminal."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from loadbench.engine.journal.events import Container, StackProgress
from loadbench.engine.journal.service_log import FILE_NAME, LOCUST_FILE_NAME
from loadbench.engine.profile.driver_settings import settings_of
from loadbench.engine.report.metrics import AnyMetric, goals_of, latency_metric
from loadbench.engine.run_reader import RunStatus
from loadbench.ui.context import UiContext
from loadbench.ui.following.follower import View
from loadbench.ui.lines.cell import CellView, found_statistics, stage_bar, stage_table
from loadbench.ui.lines.charts.usage import recent_usage
from loadbench.ui.lines.containers import RECENT_S, container_entries
from loadbench.ui.lines.events import EventLine, event_lines, selected_row
from loadbench.ui.lines.glyphs import ASCII
from loadbench.ui.lines.stats import LATENCY_NOTE
from loadbench.ui.lines.text import MenuEntry, Tone, line, wrap
from loadbench.ui.run.containers import ContainerList
from loadbench.ui.run.lines import failures_panel, figures_line, statistics_panel
from loadbench.ui.run.matrix import MatrixView
from loadbench.ui.widgets.cell_charts import CellCharts
from loadbench.ui.widgets.level_charts import LevelCharts
from loadbench.ui.widgets.line_view import LineView, TailView, TextLine
from loadbench.ui.widgets.log_view import LogView
from loadbench.ui.widgets.panels import Panels
from loadbench.ui.widgets.tabs import TabLine
from loadbench.wording import counted, progress_text

LOGS = (FILE_NAME, LOCUST_FILE_NAME, "runner.log")


class RunPanels(Panels):
    """The panels of a run, below its header.

    Args:
        folder: The run's folder.
        context: The context of the screen.
        narrow_tab: The tab that a small terminal shows first.
    """

    # Charts come last, so that the other keys are the same on a large terminal, which has no tab
    # for charts.
    TABS = (
        ("1", "sweep"),
        ("2", "statistics"),
        ("3", "failures"),
        ("4", "events"),
        ("5", "logs"),
        ("6", "charts"),
    )
    PANELS: ClassVar[Mapping[str, Sequence[str]]] = {
        "sweep": ("sweep", "containers", "events"),
        "statistics": ("stats",),
        "failures": ("failures",),
        "events": ("events",),
        "logs": ("logs",),
        # Charts over load are visible only on a wide terminal.
        "charts": ("latency", "throughput", "stages", "level-latency", "level-throughput"),
    }
    PARTS: ClassVar[Mapping[str, Sequence[str]]] = {
        "upper": ("sweep", "containers", "events", "latency", "throughput", "stages"),
        "levels": ("level-latency", "level-throughput"),
        "left": ("sweep", "containers", "events"),
        "right": ("latency", "throughput", "stages"),
        "lower": ("stats", "failures", "logs"),
    }
    ALTERNATE = ("statistics", "failures", "logs")

    def __init__(self, folder: Path, context: UiContext, *, narrow_tab: str) -> None:
        super().__init__(narrow_tab)
        self._folder, self._glyphs = folder, context.glyphs
        self._terminal = context.terminal
        self._log = LOGS[0]
        self._containers: Sequence[Container] = ()
        self._charts = CellCharts(context.terminal)
        self._levels = LevelCharts(context.terminal)
        self._shown_events: tuple[Sequence[EventLine], int, str] = ((), 0, "")

    def compose(self) -> ComposeResult:
        """Lay out every panel. Size and tab determine which of them are visible."""
        yield TabLine(id="tabs-narrow")
        with Horizontal(id="upper"):
            with Vertical(id="left"):
                yield TextLine(id="figures")
                yield MatrixView(id="sweep")
                yield ContainerList(id="containers", title="Containers")
                yield TailView(id="events", title="Events")
            with Vertical(id="right"):
                yield self._charts.latency
                yield self._charts.throughput
                yield LineView(id="stages", title="Where the time goes (ms)")
            with Vertical(id="levels"):
                yield self._levels.latency
                yield self._levels.throughput
        with Vertical(id="lower"):
            yield TabLine(id="tabs-wide")
            yield LineView(id="stats")
            yield LineView(id="failures")
            yield LogView(id="logs")

    @property
    def containers(self) -> Sequence[Container]:
        """The containers in the panel."""
        return self._containers

    def next_log(self) -> None:
        """Show the next of the three logs."""
        self._log = LOGS[(LOGS.index(self._log) + 1) % len(LOGS)]
        self.choose("logs")
        self._open_log()

    def show_run(
        self,
        view: View,
        shown: CellView,
        *,
        cursor: str,
        is_chosen: bool,
        metric: AnyMetric | None = None,
    ) -> None:
        """Show a run and the selected cell.

        Args:
            view: The run.
            shown: The cell.
            cursor: Key of the cell.
            is_chosen: Whether the user selected the cell. If not, it is the current or last one.
            metric: The metric of sweep and charts that the user chose, or None.
        """
        state = view.run.state
        self.query_one(MatrixView).show_run(view.run, self._glyphs, cursor=cursor, metric=metric)
        self._show_containers(view, shown)
        self._show_cell(shown, metric)
        self._levels.show(state, metric)
        if self.narrow:
            main = latency_metric(metric, goals_of(state))
            figures = self.query_one("#figures", TextLine)
            figures.show([figures_line(shown, main, self.size.width or 80)])
        self._show_events(view.events, cursor if is_chosen and cursor != state.current else "")
        if self.tab == "logs":
            self.query_one(LogView).refresh_tail()

    def _show_containers(self, view: View, shown: CellView) -> None:
        panel, state = self.query_one(ContainerList), view.run.state
        source = state if shown.is_live or shown.attempt is None else shown.attempt
        columns = (panel.columns or 30) - 1
        self._containers = source.containers
        if source.containers:
            samples = shown.attempt.samples[-RECENT_S:] if shown.attempt else ()
            usage = recent_usage(samples)
            entries = container_entries(source.containers, self._glyphs, columns, usage)
            panel.show_entries(entries, self._glyphs)
            panel.note("CPU: 100% is one core")
            last_seen = f" · last seen in {shown.key}" if shown.attempt else " · last seen"
            panel.set_title(f"Containers{'' if shown.is_live else last_seen}")
            return
        panel.set_title("Containers")
        panel.note("")
        is_live = view.run.status is RunStatus.LIVE
        settings = settings_of(state.started.driver) if state.started else None
        if settings and not settings.starts_service:
            text = "External service: its containers are neither started nor monitored"
        elif state.progress and (is_live or state.progress.step != StackProgress.WAITING):
            text = progress_text(state.progress.step, state.progress.line)
        else:
            text = "No containers yet" if is_live else "No containers"
        lines = wrap(line((text, Tone.DIM)), columns)
        panel.show_entries([MenuEntry("", tuple(lines))], self._glyphs)

    def _show_cell(self, shown: CellView, metric: AnyMetric | None) -> None:
        self._charts.show(shown, metric)
        stages = self.query_one("#stages", LineView)
        glyphs = ASCII if self._terminal.signs else self._glyphs
        # One line per stage needs more rows, which only the maximised panel has.
        bars = stage_table(shown, glyphs, stages.columns or 60)
        if len(bars) > stages.size.height:
            bars = stage_bar(shown, glyphs, stages.columns or 60)
        stages.show(bars)
        stats = self.query_one("#stats", LineView)
        window, lines = statistics_panel(shown, self._glyphs, stats.columns or 80)
        stats.show(lines)
        stats.set_title(" · ".join(filter(None, ("Statistics", shown.key, window))))
        stats.note(LATENCY_NOTE)
        found = found_statistics(shown)
        self.query_one("#lower").set_class(bool(found and found.measurements), "-measurements")
        panel = self.query_one("#failures", LineView)
        failed, lines = failures_panel(shown, panel.columns or 60)
        panel.show(lines)
        requests = counted(failed, "failed request") if failed else ""
        panel.set_title(" · ".join(filter(None, ("Failures", shown.key, requests))))

    def _show_events(self, events: Sequence[EventLine], selected: str) -> None:
        """Show all events. Those of a selected cell are marked and brought into view once."""
        panel = self.query_one("#events", TailView)
        columns = panel.columns or 80
        before, self._shown_events = self._shown_events, (events, columns, selected)
        if before == self._shown_events:
            return
        lines = event_lines(events, columns, self._glyphs, selected=selected)
        panel.show(lines or [line(("No events yet", Tone.DIM))])
        if before[1:] == (columns, selected):
            # New events do not scroll the panel again, as the user may have scrolled it.
            return
        row = selected_row(events, columns, self._glyphs, selected) if selected else -1
        panel.set_title(" · ".join(filter(None, ("Events", selected))))
        panel.note("" if row >= 0 or not selected else "no events of this cell")
        if row >= 0:
            panel.start_at(row)
        elif before[2]:
            panel.follow_end()

    def _open_log(self) -> None:
        panel = self.query_one(LogView)
        if panel.path == self._folder / self._log:
            return
        panel.open(self._folder / self._log)
        panel.set_title(f"Logs · {self._log}")
        panel.note("n next log")

    def lay_out(self) -> None:
        """Show the panels of the current tab and size, and the tab bar."""
        if self.tab == "logs":
            self._open_log()
        super().lay_out()
        tabs = self.TABS if self.narrow else self.TABS[:-1]
        for tab_line in self.query(TabLine):
            tab_line.show_tabs(tabs, self.tab)
