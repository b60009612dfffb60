"""The cells of a run as a table that is sorted by any of its columns."""

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import DataTable

from loadbench.engine.report.rows import Row
from loadbench.ui.reports.lines import (
    COLUMNS,
    IN_FULL,
    cell_values,
    columns_of,
    sorted_rows,
)
from loadbench.wording import IN_BATCHES

_LEGEND = f"m models, u users, s users started per second, {IN_BATCHES}"


class CellTable(DataTable[Text], inherit_bindings=False):
    """A row for every cell."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "cursor_up", "the cell above", show=False),
        Binding("down,j", "cursor_down", "the cell below", show=False),
        Binding("left,h", "scroll_left", "columns at the left", show=False),
        Binding("right,l", "scroll_right", "columns at the right", show=False),
        Binding("home,g", "scroll_top", "the first cell", show=False),
        Binding("end,G", "scroll_bottom", "the last cell", show=False),
        Binding("pageup", "page_up", "a page up", show=False),
        Binding("pagedown", "page_down", "a page down", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name for it
        super().__init__(id=id, cursor_type="row", zebra_stripes=False)
        self.border_title = "cells"
        self.border_subtitle = _LEGEND
        self._planned: Sequence[Row] = ()
        self._shown: list[Row] | None = None
        """None: before the rows have been read, there are no columns either."""
        self._columns_shown: list[int] = []
        self._sorted_by: int | None = None
        self._falling = True

    @property
    def chosen(self) -> Row | None:
        """The cell under the cursor; None: there is none, or the table has not the focus."""
        shown = self._shown or []
        if not self.has_focus or not 0 <= self.cursor_row < len(shown):
            return None
        return shown[self.cursor_row]

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Show these cells, given as they were planned."""
        self._planned = rows
        shown = sorted_rows(rows, self._sorted_by, falling=self._falling)
        if shown == self._shown:
            return
        at, before = self.cursor_row, self._shown or []
        chosen = before[at].cell if 0 <= at < len(before) else None
        self._shown = shown
        # Columns are as wide as what they hold, so they are made with their rows. Textual
        # would find their widths after it has painted them once:
        # https://github.com/Textualize/textual/issues/4470. The widths can go when it is closed.
        self.clear(columns=True)
        self._columns_shown = columns_of(shown)
        values = [cell_values(row) for row in shown]
        for column in self._columns_shown:
            name = COLUMNS[column][0]
            widest = max(cell_len(it) for it in (name, *(cells[column] for cells in values)))
            self.add_column(_number(name), key=name, width=widest)
        for row, cells in zip(shown, values, strict=True):
            self.add_row(*(_number(cells[it]) for it in self._columns_shown), key=row.cell)
        there = [row.cell for row in shown]
        self.move_cursor(row=there.index(chosen) if chosen in there else at, animate=False)

    def sort_by_next(self) -> None:
        """Sort by the next column; after the last one, as it was planned."""
        later = [
            it
            for it in self._columns_shown
            if it > (-1 if self._sorted_by is None else self._sorted_by)
        ]
        self._sort_by(later[0] if later else None)

    def turn(self) -> None:
        """Sort the other way round."""
        self._falling = not self._falling
        self._sort_by(self._sorted_by)

    def on_data_table_header_selected(self, event: DataTable.HeaderSelected) -> None:
        """Sort by the column that was clicked, the other way round if it is sorted by it."""
        event.stop()
        column = self._columns_shown[event.column_index]
        self._falling = not self._falling if column == self._sorted_by else True
        self._sort_by(column)

    def _sort_by(self, column: int | None) -> None:
        self._sorted_by = column
        way = "falling" if self._falling else "rising"
        name = "" if column is None else COLUMNS[column][0]
        self.border_subtitle = f"by {IN_FULL.get(name, name)}, {way}" if name else _LEGEND
        self.show_rows(self._planned)


def _number(value: str) -> Text:
    return Text(value, justify="right")
