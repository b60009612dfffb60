"""The comparison of two runs. It is computed again when one of them changes."""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget

from loadbench.engine.comparison.compare import compare_runs
from loadbench.engine.comparison.model import METRICS, Comparison
from loadbench.engine.comparison.sides import side_pair
from loadbench.engine.report.metrics import (
    LATENCIES,
    AnyMetric,
    Metric,
    goals_of,
    latency_metric,
    next_metric,
)
from loadbench.engine.requests.pages import build_comparison, comparison_page
from loadbench.engine.run_reader import Run
from loadbench.ui.background import in_background
from loadbench.ui.compare.lines import header_line, problem_lines
from loadbench.ui.compare.panels import ComparePanels
from loadbench.ui.context import UiContext
from loadbench.ui.lines.charts.by_level import chart_of_both
from loadbench.ui.lines.charts.plot import Chart
from loadbench.ui.messages import GoBack, OpenRun
from loadbench.ui.widgets.footer import KeyLine
from loadbench.ui.widgets.line_view import TextLine
from loadbench.ui.widgets.menu import Menu
from loadbench.ui.widgets.notification_line import NotificationLine
from loadbench.ui.widgets.page_screen import PageScreen
from loadbench.ui.widgets.panel_screen import MAXIMISE_KEYS, METRIC_KEY
from loadbench.ui.widgets.tabs import TabLine, tab_keys
from loadbench.ui.widgets.too_small import TooSmall

_WIDE_COLUMNS, _WIDE_ROWS = 116, 30
_METRICS: tuple[AnyMetric, ...] = (*LATENCIES, Metric.RPS)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedResults:
    """A comparison with its charts."""

    comparison: Comparison
    latency: Chart | None
    throughput: Chart | None


class CompareScreen(PageScreen):
    """Show the comparison of two runs.

    Args:
        context: The context of the screen.
        before: Name of the baseline.
        after: Name of the candidate.
    """

    AUTO_FOCUS = "#summary"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "look", "open cell", tooltip="Open the selected cell in the candidate"),
        Binding("s", "swap", "swap", tooltip="Swap baseline and candidate"),
        METRIC_KEY,
        Binding("o", "open", "open page", tooltip="Write the page of the comparison and open it"),
        Binding("y", "copy", "copy path", tooltip="Copy the path of the page that was written"),
        *MAXIMISE_KEYS,
        Binding("escape,v", "back", "back", tooltip="Go back"),
        *tab_keys(ComparePanels.TABS, "panel"),
    ]

    def __init__(self, context: UiContext, before: str, after: str) -> None:
        super().__init__()
        self.context = context
        self._before, self._after = before, after
        self._results: ComparedResults | None = None
        self._wanted: object = None
        """What is being computed, or was computed last."""

    def compose(self) -> ComposeResult:
        """Lay out header, panels and footer."""
        yield TextLine(id="header")
        yield ComparePanels(self.context)
        yield NotificationLine()
        yield KeyLine()
        yield TooSmall()

    def on_resize(self, event: events.Resize) -> None:
        """On a small screen, show one tab at a time."""
        narrow = event.size.width < _WIDE_COLUMNS or event.size.height < _WIDE_ROWS
        self.set_class(narrow, "-narrow")
        self.panels.narrow = narrow

    def on_catalog_read(self) -> None:
        """Compare again if one of the runs has changed."""
        self.repaint()

    @property
    def panels(self) -> ComparePanels:
        """The panels below the header."""
        return self.query_one(ComparePanels)

    @property
    def runs(self) -> tuple[Run, Run] | None:
        """Baseline and candidate, or None if one of them is not known."""
        catalog = self.context.catalog.newest
        before, after = catalog.run(self._before), catalog.run(self._after)
        return (before, after) if before and after else None

    @property
    def metric(self) -> Metric:
        """The metric of the cells: the chosen one, otherwise p90, as in the first sentence."""
        chosen = self.context.metrics.get("compare")
        return chosen if isinstance(chosen, Metric) else Metric.P90

    # Display

    def paint(self) -> None:
        """Show the comparison, or why there is none."""
        names = (self._before, self._after)
        glyphs, columns = self.context.glyphs, self.size.width or 80
        self.query_one("#header", TextLine).show([header_line(*names, glyphs, columns)])
        runs = self.runs
        if runs is None:
            self._results = self._wanted = None
            catalog = self.context.catalog.newest
            missing = [name for name in names if catalog.run(name) is None]
            self.panels.show_problem(problem_lines(missing, complete=catalog.complete))
        else:
            self._compute(*runs)
            self._show_results()
        self.refresh_bindings()

    def _compute(self, before: Run, after: Run) -> None:
        """Compare the runs in the background, unless that has been done."""
        # The catalog keeps the results of a run until one of its cells changes.
        source = (before.results, before.status, after.results, after.status, self.metric)
        if source != self._wanted:
            self._wanted = source
            self._compare(before, after, source)

    @work(exclusive=True)
    async def _compare(self, before: Run, after: Run, source: object) -> None:
        metric = latency_metric(self.metric, goals_of(after.state))
        results = await in_background(_results_of, before, after, metric)
        if source == self._wanted:
            self._results = results
            self.repaint()

    def _show_results(self) -> None:
        results = self._results
        if results is None:
            self.panels.show_problem(problem_lines((), complete=False))
            return
        shown = next(one for one in METRICS if one.key == self.metric.column)
        self.panels.show_comparison(results.comparison, shown)
        self.panels.show_charts(results.latency, results.throughput)

    def reveal(self, panel: Widget) -> None:
        """Show the tab of a panel."""
        self.panels.reveal(panel.id or "")

    def on_tab_line_chosen(self, event: TabLine.Chosen) -> None:
        """Show the tab that was clicked."""
        self.action_panel(event.tab)

    def on_menu_moved(self, event: Menu.Moved) -> None:
        """Update the available actions."""
        event.stop()
        self.refresh_bindings()

    def on_menu_selected(self, event: Menu.Selected) -> None:
        """Open the cell that was double-clicked."""
        event.stop()
        self.action_look()

    def on_descendant_focus(self) -> None:
        """Update the available actions after a change of focus."""
        self.refresh_bindings()

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enable only the actions that have an effect."""
        if not self.is_in_view:
            return True
        match action:
            case "look":
                menu = self.query_one(Menu)
                return self.runs is not None and menu.has_focus and bool(menu.key)
            case "metric":
                return self._results is not None
            case "swap" | "open" | "copy":
                return self.runs is not None
        return super().check_action(action, parameters)

    def action_panel(self, tab: str) -> None:
        """Show a tab, or focus its first panel."""
        self.panels.choose(tab)
        self.app.call_later(self.keep_maximised)
        self.call_after_refresh(self.repaint)

    def action_look(self) -> None:
        """Open the selected cell in the candidate."""
        runs, key = self.runs, self.query_one(Menu).key
        if runs and key:
            self.request(OpenRun(runs[1].folder, key))

    def action_swap(self) -> None:
        """Swap baseline and candidate."""
        self._before, self._after = self._after, self._before
        self._results = None
        self.repaint()

    def action_metric(self) -> None:
        """Show the next metric."""
        self.context.metrics["compare"] = next_metric(self.metric, _METRICS)
        self.repaint()

    def action_open(self) -> None:
        """Write the page of the comparison and open it."""
        if runs := self.runs:
            before, after = (run.folder for run in runs)
            page = comparison_page(self.context.workspace.reports, before, after)
            self.open_built(page, partial(build_comparison, page, before, after))

    def action_copy(self) -> None:
        """Copy the path of the page, or of the folder of the candidate if there is no page."""
        if runs := self.runs:
            before, after = (run.folder for run in runs)
            page = comparison_page(self.context.workspace.reports, before, after)
            self.copy_existing(page, after)

    def action_back(self) -> None:
        """Go back one screen."""
        self.request(GoBack())


def _results_of(before: Run, after: Run, metric: Metric) -> ComparedResults:
    """Compare two runs and prepare their charts. Takes up to a second for large runs."""
    pair = side_pair(before, after)
    return ComparedResults(
        comparison=compare_runs(pair.before, pair.after),
        latency=chart_of_both(before.state, after.state, metric),
        throughput=chart_of_both(before.state, after.state, Metric.RPS),
    )
