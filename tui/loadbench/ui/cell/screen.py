"""The screen of one cell, with everything recorded about it. It is updated during a live run."""

from dataclasses import replace
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from loadbench.engine.journal.state import CellState, RunState
from loadbench.engine.report.measurements.metric import measurement_metrics
from loadbench.engine.report.metrics import AnyMetric, default_metric, goals_of, next_metric
from loadbench.ui.cell.lines import cell_header_lines
from loadbench.ui.cell.panels import MAX_CELL_LOG_LINES, CellPanels
from loadbench.ui.context import UiContext
from loadbench.ui.following.watched import WatchedRun
from loadbench.ui.run_base import (
    AGAIN_KEY,
    COPY_KEY,
    DETACH_KEY,
    OPEN_KEY,
    SKIP_KEY,
    TabbedRunScreen,
)
from loadbench.ui.widgets.footer import KeyLine
from loadbench.ui.widgets.line_view import TextLine
from loadbench.ui.widgets.notification_line import NotificationLine
from loadbench.ui.widgets.panel_screen import MAXIMISE_KEYS, METRIC_KEY
from loadbench.ui.widgets.tabs import tab_keys
from loadbench.ui.widgets.too_small import TooSmall


class CellScreen(TabbedRunScreen):
    """Shows one cell, and moves to the cells before and after it.

    Args:
        context: The context of the screen.
        watched: The run, which must have been read before.
        cell: The key of the cell.
    """

    WIDE = (110, 34)
    AUTO_FOCUS = "#verdict"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left_square_bracket", "move(-1)", "previous", tooltip="Show the previous cell"),
        Binding("right_square_bracket", "move(1)", "next", tooltip="Show the next cell"),
        SKIP_KEY,
        AGAIN_KEY,
        OPEN_KEY,
        COPY_KEY,
        DETACH_KEY,
        METRIC_KEY,
        *MAXIMISE_KEYS,
        Binding("escape", "back", "back", tooltip="Return to the run"),
        *tab_keys(CellPanels.TABS, "panel"),
    ]

    def __init__(self, context: UiContext, watched: WatchedRun, cell: str) -> None:
        super().__init__(context, watched)
        self._cell = cell

    @property
    def shown(self) -> str:
        """The key of the cell."""
        return self._cell

    def compose(self) -> ComposeResult:
        """Lay out header, panels and footer."""
        yield TextLine(id="header")
        yield CellPanels(self.context)
        yield NotificationLine()
        yield KeyLine()
        yield TooSmall()

    def paint(self) -> None:
        """Show the cell as last read."""
        view, profile = self.watched.view, self.watched.profile
        if view is None or profile is None:
            return
        run, key = view.run, self._cell
        elapsed_s, columns = view.elapsed_s(self.context.clock()), self.size.width or 80
        lines = cell_header_lines(run, profile, key, elapsed_s, self.context.glyphs, columns)
        self.query_one("#header", TextLine).show(lines)
        self.query_one(CellPanels).show_cell(
            self.watched.shown(key),
            _repeats(run.state, key),
            self.watched.earlier(key),
            self.watched.log_of(key, max_lines=MAX_CELL_LOG_LINES),
            self.context.metrics.get("cell"),
        )
        self.update_keys()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enable the actions that the state of the run and of the cell allows."""
        if action == "move":
            return True if self._beside(int(str(parameters[0]))) else None
        if action == "metric":
            return len(self._metrics) > 1 and self.panels.is_visible("latency")
        return super().check_action(action, parameters)

    @property
    def _metrics(self) -> tuple[AnyMetric, ...]:
        """The metrics of the left chart: the default for latency, and those of measurements."""
        if self.watched.run is None:
            return ()
        state = self.watched.run.state
        return (default_metric(goals_of(state)), *measurement_metrics(state))

    def action_metric(self) -> None:
        """Show the next measurement in the left chart, or the latency."""
        metrics = self._metrics
        chosen = self.context.metrics.get("cell")
        # The measurement of another run is not shown.
        now = chosen if chosen in metrics else metrics[0]
        self.context.metrics["cell"] = next_metric(now, metrics)
        self.repaint()

    def action_move(self, by: int) -> None:
        """Show the cell `by` places after the current one in the plan."""
        if beside := self._beside(by):
            self._cell = beside
            self.refresh_bindings()
            self.repaint()

    def action_back(self) -> None:
        """Return to the run, with the cursor on this cell."""
        self.watched.choose(self._cell)
        self.dismiss()

    def _beside(self, by: int) -> str | None:
        keys = list(self.watched.run.state.cells) if self.watched.run else []
        index = keys.index(self._cell) + by if self._cell in keys else -1
        return keys[index] if 0 <= index < len(keys) else None


def _repeats(state: RunState, key: str) -> list[CellState]:
    """Return the other repeats of a cell, including the recheck."""
    point = replace(state.cells[key].cell, repeat=1, recheck=False)
    return [
        cell
        for other, cell in state.cells.items()
        if other != key and replace(cell.cell, repeat=1, recheck=False) == point
    ]
