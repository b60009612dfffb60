"""The sweep matrix, with a cursor on the selected cell."""

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from loadbench.engine.journal.events import CellFinished
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.ui.lines.glyphs import Glyphs
from loadbench.ui.lines.matrix import CELL_COLUMNS, Grid, grid_of, matrix_lines, p90_of
from loadbench.ui.widgets.line_view import LineView

_NO_GRID = Grid((), (), {})
_HEADER_ROWS = 1


class MatrixView(LineView):
    """Shows every cell of a run. The other panels show the selected one."""

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
        self._p90s: dict[tuple[str, int], float | None] = {}

    def show_run(self, run: Run, glyphs: Glyphs, *, cursor: str | None) -> None:
        """Show a run, with the cursor on the cell with this key."""
        state, live = run.state, run.status is RunStatus.LIVE
        cells = tuple(cell.cell for cell in state.cells.values())
        before = self._cursor, self._grid.place(self._cursor)
        if len(cells) != len(self._grid.keys):
            self._grid = grid_of(cells)
        place = self._grid.place(cursor)
        moved = (cursor, place) != before
        self._cursor = cursor
        self.show(matrix_lines(self._grid, state, glyphs, live=live, cursor=cursor, p90=self._p90))
        self.note("p90 (ms) · ! suspect · !! invalid" if self.size.width >= 34 else "p90 (ms)")
        if moved and place:
            self._bring_into_view(*place)

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
        if offset.y < _HEADER_ROWS or offset.x < self._grid.label_columns:
            return
        column = (x - self._grid.label_columns) // CELL_COLUMNS if self._grid.rows else -1
        if key := self._grid.keys.get((y - _HEADER_ROWS, column)):
            self.post_message(self.Opened(key) if event.chain == 2 else self.Chosen(key))

    def render_line(self, y: int) -> Strip:
        """Return a visible line. Column headers and row labels do not scroll."""
        if not self.lines:
            return super().render_line(y)
        base, label = self.rich_style, self._grid.label_columns
        at = 0 if y < _HEADER_ROWS else y + self.scroll_offset.y
        if at >= len(self.lines):
            return Strip.blank(self.size.width, base)
        strip = self.line_strip(at)
        left, columns = label + self.scroll_offset.x, self.size.width
        cells = strip.crop_extend(left, left + columns - label, base)
        return Strip.join([strip.crop_extend(0, label, base), cells])

    def _p90(self, finished: CellFinished) -> float | None:
        """Return the p90 of a finished cell, from a cache."""
        key = (finished.cell, finished.attempt)
        if key not in self._p90s:
            self._p90s[key] = p90_of(finished)
        return self._p90s[key]

    def _bring_into_view(self, row: int, column: int) -> None:
        # Includes the space that the column headers and the row labels cover.
        x, y = column * CELL_COLUMNS, row
        region = Region(x, y, self._grid.label_columns + CELL_COLUMNS, _HEADER_ROWS + 1)
        self.scroll_to_region(region, animate=False)
