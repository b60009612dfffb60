"""The cells of a run as a table that can be sorted by any column."""

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.theme import Theme
from textual.widgets import DataTable

from loadbench.engine.report.rows import Row
from loadbench.ui.lines.text import Tone
from loadbench.ui.reports.lines import (
    COLUMNS,
    VERDICT,
    cell_values,
    columns_of,
    dispensable_columns,
    sorted_rows,
    table_legend,
    value_tone,
)

_EDGE_COLUMNS = 6
"""Columns of the border that a legend cannot use."""
_MIN_GAP, _MAX_GAP = 1, 2
"""Columns between two values. The larger gap is used if the whole table still fits."""


class CellTable(DataTable[Text], inherit_bindings=False):
    """A table with a row for every cell. A narrow table omits the least important columns."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "cursor_up", "previous cell", show=False),
        Binding("down,j", "cursor_down", "next cell", show=False),
        Binding("left,h", "scroll_left", "scroll left", show=False),
        Binding("right,l", "scroll_right", "scroll right", show=False),
        Binding("home,g", "scroll_top", "first cell", show=False),
        Binding("end,G", "scroll_bottom", "last cell", show=False),
        Binding("pageup", "page_up", "page up", show=False),
        Binding("pagedown", "page_down", "page down", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's parameter name
        super().__init__(id=id, cursor_type="row", zebra_stripes=False, cell_padding=0)
        self.border_title = "Cells"
        self._planned: Sequence[Row] = ()
        self._shown: list[Row] | None = None
        """None if the rows have not been read yet. The table then has no columns."""
        self._columns_shown: list[int] = []
        self._widths: dict[int, int] = {}
        """The widths of all columns that the cells have, without the gap."""
        self._gap = _MIN_GAP
        self._sorted_by: int | None = None
        self._is_descending = True

    def on_mount(self) -> None:
        """Subscribe to theme changes, because the cells contain the colours of the verdicts."""
        self.app.theme_changed_signal.subscribe(self, self._repaint_rows)

    def on_resize(self, _: events.Resize) -> None:
        """Adapt the columns and the gap between them to the width."""
        if self._shown is None:
            return
        if (self._columns_shown, self._gap) != self._fitting():
            self._fill(self._shown)
        self._show_legend()

    @property
    def selected(self) -> Row | None:
        """The cell under the cursor, or None if the table is empty or does not have the focus."""
        shown = self._shown or []
        if not self.has_focus or not 0 <= self.cursor_row < len(shown):
            return None
        return shown[self.cursor_row]

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Show the cells. `rows` has them in their planned order."""
        self._planned = rows
        shown = sorted_rows(rows, self._sorted_by, is_descending=self._is_descending)
        if shown != self._shown:
            self._fill(shown)
        self._show_legend()

    def sort_by_next(self) -> None:
        """Sort by the next column; after the last one, restore the planned order."""
        current = -1 if self._sorted_by is None else self._sorted_by
        self._sort_by(next((column for column in self._columns_shown if column > current), None))

    def reverse(self) -> None:
        """Reverse the sort order."""
        self._is_descending = not self._is_descending
        self._sort_by(self._sorted_by)

    def on_data_table_header_selected(self, event: DataTable.HeaderSelected) -> None:
        """Sort by the column that was clicked; reverse the order on a second click."""
        event.stop()
        column = self._columns_shown[event.column_index]
        self._is_descending = not self._is_descending if column == self._sorted_by else True
        self._sort_by(column)

    def _sort_by(self, column: int | None) -> None:
        self._sorted_by = column
        self.show_rows(self._planned)

    def _show_legend(self) -> None:
        if self._sorted_by is None:
            width = self.outer_size.width - _EDGE_COLUMNS
            self.border_subtitle = table_legend(self._planned, self._columns_shown, width)
        else:
            order = "descending" if self._is_descending else "ascending"
            self.border_subtitle = f"sorted by {COLUMNS[self._sorted_by][0]}, {order}"

    def _repaint_rows(self, _: Theme) -> None:
        if self._shown is not None:
            self._fill(self._shown)

    def _fill(self, shown: list[Row]) -> None:
        """Replace all columns and rows; the cursor stays on its cell."""
        position, before = self.cursor_row, self._shown or []
        selected = before[position].cell if 0 <= position < len(before) else None
        self._shown = shown
        # Columns are added with their widths and all rows. Textual would measure them only after
        # painting: https://github.com/Textualize/textual/issues/4470. The widths can go when that
        # issue is closed.
        self.clear(columns=True)
        values = [cell_values(row) for row in shown]
        self._widths = {
            column: max(cell_len(text) for text in (COLUMNS[column][0], *texts))
            for column in columns_of(shown)
            for texts in [[texts[column] for texts in values]]
        }
        self._columns_shown, self._gap = self._fitting()
        for column in self._columns_shown:
            name, _ = COLUMNS[column]
            width = self._widths[column] + self._gap
            self.add_column(self._cell(column, name), key=name, width=width)
        for row, texts in zip(shown, values, strict=True):
            cells = (self._cell(column, texts[column], row) for column in self._columns_shown)
            self.add_row(*cells, key=row.cell)
        keys = [row.cell for row in shown]
        position = keys.index(selected) if selected in keys else position
        self.move_cursor(row=position, animate=False)

    def _fitting(self) -> tuple[list[int], int]:
        """Return the columns that fit the width, and the gap between them."""
        room, columns = self.scrollable_content_region.width, list(self._widths)

        def needed(gap: int) -> int:
            return sum(self._widths[column] + gap for column in columns)

        for column in dispensable_columns(self._planned):
            if room and needed(_MIN_GAP) > room and column != self._sorted_by:
                columns.remove(column)
        return columns, _MAX_GAP if needed(_MAX_GAP) < room else _MIN_GAP

    def _cell(self, column: int, text: str, row: Row | None = None) -> Text:
        """Return a value with the style of its row, or a column header if `row` is None."""
        tone = value_tone(row, column) if row else Tone.PLAIN
        style = Style.null() if tone is Tone.PLAIN else self._style(tone)
        if COLUMNS[column][0] == VERDICT:
            return Text.assemble(" " * self._gap, (text, style))
        return Text(text, style=style, justify="right")

    def _style(self, tone: Tone) -> Style:
        return self.screen.get_component_rich_style(f"tone--{tone.value}", partial=True)
