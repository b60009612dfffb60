"""The panels of a run: all at once where there is room, one after the other where there is none."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from loadbench.engine.journal.events import Container
from loadbench.engine.journal.service_log import FILE_NAME
from loadbench.engine.profile.driver_settings import settings_of
from loadbench.engine.run_reader import RunStatus
from loadbench.ui.context import UiContext
from loadbench.ui.following.follower import View
from loadbench.ui.lines.cell import CellView, stage_bar, stage_table
from loadbench.ui.lines.containers import container_entries, container_header
from loadbench.ui.lines.events import EventLine, event_lines
from loadbench.ui.lines.glyphs import ASCII
from loadbench.ui.lines.text import MenuEntry, Tone, line, wrap
from loadbench.ui.run.containers import ContainerList
from loadbench.ui.run.lines import failures_panel, statistics_panel
from loadbench.ui.run.matrix import MatrixView
from loadbench.ui.widgets.cell_charts import CellCharts
from loadbench.ui.widgets.line_view import LineView, TailView
from loadbench.ui.widgets.log_view import LogView
from loadbench.ui.widgets.panels import Panels
from loadbench.ui.widgets.tabs import TabLine

LOGS = (FILE_NAME, "locust.log", "runner.log")


class RunPanels(Panels):
    """Everything that is shown of a run, below its header.

    Args:
        folder: The run's folder.
        context: The surroundings.
        narrow_tab: What is shown first where one panel is shown at a time.
    """

    TABS = (
        ("1", "sweep"),
        ("2", "charts"),
        ("3", "stats"),
        ("4", "failures"),
        ("5", "events"),
        ("6", "logs"),
    )
    PANELS: ClassVar[Mapping[str, Sequence[str]]] = {
        "sweep": ("sweep", "containers", "events"),
        "charts": ("latency", "throughput", "stages"),
        "stats": ("stats",),
        "failures": ("failures",),
        "events": ("events",),
        "logs": ("logs",),
    }
    PARTS: ClassVar[Mapping[str, Sequence[str]]] = {
        "upper": ("sweep", "containers", "events", "latency", "throughput", "stages"),
        "left": ("sweep", "containers", "events"),
        "right": ("latency", "throughput", "stages"),
        "lower": ("stats", "failures", "logs"),
    }
    ALTERNATE = ("stats", "failures", "logs")

    def __init__(self, folder: Path, context: UiContext, *, narrow_tab: str) -> None:
        super().__init__(narrow_tab)
        self._folder, self._glyphs = folder, context.glyphs
        self._terminal = context.terminal
        self._log = LOGS[0]
        self._containers: Sequence[Container] = ()
        self._charts = CellCharts(context.terminal)
        self._told: tuple[Sequence[EventLine], int] = ((), 0)

    def compose(self) -> ComposeResult:
        """Lay out every panel; which of them are shown is a matter of size and tab."""
        yield TabLine(id="tabs-narrow")
        with Horizontal(id="upper"):
            with Vertical(id="left"):
                yield MatrixView(id="sweep")
                yield ContainerList(id="containers", title="containers")
                yield TailView(id="events", title="events")
            with Vertical(id="right"):
                yield self._charts.latency
                yield self._charts.throughput
                yield LineView(id="stages", title="where the time goes, ms")
        with Vertical(id="lower"):
            yield TabLine(id="tabs-wide")
            yield LineView(id="stats")
            yield LineView(id="failures")
            yield LogView(id="logs")

    @property
    def containers(self) -> Sequence[Container]:
        """Those that are shown."""
        return self._containers

    def next_log(self) -> None:
        """Show the next of the three logs."""
        self._log = LOGS[(LOGS.index(self._log) + 1) % len(LOGS)]
        self.choose("logs")
        self._open_log()

    def show_run(self, view: View, shown: CellView, *, cursor: str) -> None:
        """Show a run, and one of its cells."""
        self.query_one(MatrixView).show_run(view.run, self._glyphs, cursor=cursor)
        self._show_containers(view, shown)
        self._show_cell(shown)
        self._show_events(view.events)
        if self.tab == "logs":
            self.query_one(LogView).refresh_tail()

    def _show_containers(self, view: View, shown: CellView) -> None:
        panel, state = self.query_one(ContainerList), view.run.state
        now = shown.is_live
        there = state if now or shown.attempt is None else shown.attempt
        self._containers = there.containers
        if there.containers:
            panel.show_entries(container_entries(there.containers, self._glyphs), self._glyphs)
            panel.note(container_header(there.containers))
            when = "" if now else f", last seen in {shown.key}" if shown.attempt else ", last seen"
            panel.entitle(f"containers{when}")
            return
        panel.entitle("containers")
        panel.note("")
        settings = settings_of(state.started.driver) if state.started else None
        if settings and not settings.is_started:
            text = "the service runs elsewhere; nothing of it is started or watched"
        elif state.progress:
            text = f"{state.progress.step}: {state.progress.line}"
        else:
            text = "none yet" if view.run.status is RunStatus.LIVE else "none"
        lines = wrap(line((text, Tone.DIM)), (panel.columns or 30) - 1)
        panel.show_entries([MenuEntry("", tuple(lines))], self._glyphs)

    def _show_cell(self, shown: CellView) -> None:
        self._charts.show(shown)
        stages = self.query_one("#stages", LineView)
        glyphs = ASCII if self._terminal.signs else self._glyphs
        # A line for each where there is room, as there is when it is maximised.
        bars = stage_table(shown, glyphs, stages.columns or 60)
        if len(bars) > stages.size.height:
            bars = stage_bar(shown, glyphs, stages.columns or 60)
        stages.show(bars)
        stats = self.query_one("#stats", LineView)
        of, lines = statistics_panel(shown, stats.columns or 80)
        stats.show(lines)
        stats.entitle(" · ".join(filter(None, (shown.key, of))))
        stats.note("latency in ms, of successes")
        panel = self.query_one("#failures", LineView)
        number, lines = failures_panel(shown, panel.columns or 60)
        panel.show(lines)
        panel.entitle(f"{shown.key}: {number} requests failed" if number else shown.key)

    def _show_events(self, happened: Sequence[EventLine]) -> None:
        panel = self.query_one("#events", TailView)
        columns = panel.columns or 80
        if (happened, columns) == self._told:
            return
        self._told = (happened, columns)
        panel.show(event_lines(happened, columns))

    def _open_log(self) -> None:
        panel = self.query_one(LogView)
        if panel.path == self._folder / self._log:
            return
        panel.open(self._folder / self._log)
        panel.entitle(self._log)
        panel.note("n next log")

    def lay_out(self) -> None:
        """Show what belongs to the tab and to the size, and the tabs."""
        if self.tab == "logs":
            self._open_log()
        super().lay_out()
        tabs = self.TABS if self.narrow else [it for it in self.TABS if it[1] != "charts"]
        for line_ in self.query(TabLine):
            line_.show_tabs(tabs, self.tab)
