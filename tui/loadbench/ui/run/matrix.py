"""The sweep matrix, with a cursor on the selected cell."""

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from loadbench.engine.measure.main_request import main_of
from loadbench.engine.profile.sections.goals import Goals
from loadbench.engine.report.metrics import AnyMetric, Metric, default_metric, goals_of
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.ui.lines.glyphs import Glyphs
from loadbench.ui.lines.matrix import CellLayout, Grid, grid_of, matrix_lines, wide_layout
from loadbench.ui.lines.metric import sweep_legend
from loadbench.ui.lines.text import Line, fit_middle
from loadbench.ui.run.detail import detail_lines
from loadbench.ui.widgets.line_view import LineView

_TITLE_COLUMNS = 12
"""Columns of the upper border that the title and the corners need beside a name."""
_NO_GRID = Grid((), (), {})


class MatrixView(LineView):
    """Shows every cell of a run. The other panels show the selected one.

    If the panel is maximised, the cells show several results, and the selected one is described.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1, 0)", "up", show=False, tooltip="Move up"),
        Binding("down,j", "move(1, 0)", "down", show=False, tooltip="Move down"),
        Binding("left,h", "move(0, -1)", "left", show=False, tooltip="Move left"),
        Binding("right,l", "move(0, 1)", "right", show=False, tooltip="Move right"),
        Binding("home,g", "edge(0)", "first", show=False, tooltip="Go to the first cell"),
        Binding("end,G", "edge(-1)", "last", show=False, tooltip="Go to the last cell"),
    ]

    class Chosen(Message):
        """The cursor was moved to a cell."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    class Opened(Message):
        """A cell was double-clicked."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's parameter name
        super().__init__(id=id, title="Sweep")
        self._grid = _NO_GRID
        self._cursor: str | None = None
        self._layout = CellLayout(metric=Metric.P90)

    @property
    def metric(self) -> AnyMetric:
        """The metric that is shown."""
        return self._layout.metric

    def show_run(
        self, run: Run, glyphs: Glyphs, *, cursor: str | None, metric: AnyMetric | None = None
    ) -> None:
        """Show a run.

        Args:
            run: The run.
            glyphs: The terminal's character set.
            cursor: Key of the cell under the cursor.
            metric: The metric to show. None for that of the run's goal.
        """
        state, live = run.state, run.status is RunStatus.LIVE
        cells = tuple(cell.cell for cell in state.cells.values())
        before = self._cursor, self._grid.place(self._cursor)
        if len(cells) != len(self._grid.keys):
            self._grid = grid_of(cells)
        place = self._grid.place(cursor)
        has_moved = (cursor, place) != before
        self._cursor = cursor
        goals = goals_of(state)
        layout = self._fitting_layout(run, metric or default_metric(goals), goals)
        is_new = layout != self._layout or (place is not None and before[1] is None)
        if layout != self._layout:
            # The heads stay in place when the panel is scrolled, so all lines are drawn again.
            self._layout = layout
            self.refresh()
        main = main_of(state.profile)
        # The legend has the name of a measurement.
        is_named = main is not None and isinstance(layout.metric, Metric)
        name = fit_middle(main or "", max(0, self.size.width - _TITLE_COLUMNS)) if is_named else ""
        self.set_title(" · ".join(filter(None, ("Sweep", name))))
        lines = matrix_lines(
            self._grid, state, run.rows, glyphs, layout=layout, live=live, cursor=cursor
        )
        self.show([*lines, *self._details(run, glyphs, len(lines))])
        self.note(sweep_legend(layout.metric, goals, run.rows, glyphs, self.size.width - 1))
        if is_new and place:
            # The panel can be scrolled only after it has been laid out.
            self.call_after_refresh(self._bring_into_view, *place)
        elif has_moved and place:
            self._bring_into_view(*place)

    def _fitting_layout(self, run: Run, metric: AnyMetric, goals: Goals) -> CellLayout:
        if not self._is_maximised:
            return CellLayout(metric=metric)
        room = self.size.width - self._grid.label_columns
        models = len(self._grid.models)
        return wide_layout(metric, default_metric(goals), run.rows, models, room)

    def _details(self, run: Run, glyphs: Glyphs, used_rows: int) -> list[Line]:
        """Return a description of the selected cell if there is room for it below the grid."""
        row = next((row for row in run.rows if row.cell == self._cursor), None)
        if row is None or not self._is_maximised:
            return []
        is_current = run.status is RunStatus.LIVE and row.cell == run.state.current
        phase = run.state.phase if is_current else None
        lines = [(), *detail_lines(row, phase, glyphs, self.size.width)]
        return lines if used_rows + len(lines) <= self.size.height else []

    @property
    def _is_maximised(self) -> bool:
        return self.screen.maximized is self

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enable the keys that move the cursor only if there are other cells in that direction."""
        if action == "move":
            return len(self._grid.rows if parameters[0] else self._grid.models) > 1
        if action == "edge":
            return len(self._grid.keys) > 1
        return super().check_action(action, parameters)

    def action_move(self, rows: int, columns: int) -> None:
        """Move the cursor to the next cell in a direction, skipping gaps in the grid."""
        place = self._grid.place(self._cursor)
        if place is None:
            if self._grid.keys:
                self.post_message(self.Chosen(next(iter(self._grid.keys.values()))))
            return
        row, column = place[0] + rows, place[1] + columns
        while 0 <= row < len(self._grid.rows) and 0 <= column < len(self._grid.models):
            if key := self._grid.keys.get((row, column)):
                self.post_message(self.Chosen(key))
                return
            row, column = row + rows, column + columns

    def action_edge(self, at: int) -> None:
        """Move the cursor to the first or last cell."""
        if places := sorted(self._grid.keys):
            self.post_message(self.Chosen(self._grid.keys[places[at]]))

    def on_click(self, event: events.Click) -> None:
        """Select the cell that was clicked; open it on a double click."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        # The column headers and the row labels do not scroll.
        x, y = offset.x + self.scroll_offset.x, offset.y + self.scroll_offset.y
        header_rows = self._layout.header_rows
        if offset.y < header_rows or offset.x < self._grid.label_columns:
            return
        column = (x - self._grid.label_columns) // self._layout.columns if self._grid.rows else -1
        if key := self._grid.keys.get((y - header_rows, column)):
            self.post_message(self.Opened(key) if event.chain == 2 else self.Chosen(key))

    def render_line(self, y: int) -> Strip:
        """Return a visible line. Column headers, row labels and details do not scroll sideways."""
        if not self.lines:
            return super().render_line(y)
        base, label = self.rich_style, self._grid.label_columns
        header_rows = self._layout.header_rows
        at = y if y < header_rows else y + self.scroll_offset.y
        if at >= len(self.lines):
            return Strip.blank(self.size.width, base)
        strip, columns = self.line_strip(at), self.size.width
        if at >= header_rows + len(self._grid.rows):
            return strip.crop_extend(0, columns, base)
        left = label + self.scroll_offset.x
        cells = strip.crop_extend(left, left + columns - label, base)
        return Strip.join([strip.crop_extend(0, label, base), cells])

    def _bring_into_view(self, row: int, column: int) -> None:
        # Includes the space that the column headers and the row labels cover.
        columns = self._layout.columns
        x, y = column * columns, row
        height = self._layout.header_rows + 1
        region = Region(x, y, self._grid.label_columns + columns, height)
        self.scroll_to_region(region, animate=False)
