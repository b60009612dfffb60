"""The catch-up window: a list of the events that the user missed."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from loadbench.engine.report.highlights import Highlight
from loadbench.ui.catch_up.lines import catch_up_entries
from loadbench.ui.dialogs.dialog import Dialog
from loadbench.ui.lines.glyphs import Glyphs
from loadbench.ui.lines.text import Line, title_text
from loadbench.ui.widgets.menu import Menu


class CatchUpWindow(Dialog[str | None]):
    """Show the missed events, and return the key of the cell to go to, or None.

    Args:
        title: Title of the window.
        summary: First line of the list.
        highlights: The missed events, in order.
        now: Current date and time.
        glyphs: The terminal's character set.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "go to cell"),
        Binding("escape,w,q,enter", "close", "close", key_display="Esc"),
    ]

    def __init__(
        self,
        title: str,
        summary: Line,
        highlights: Sequence[Highlight],
        now: datetime,
        glyphs: Glyphs,
    ) -> None:
        super().__init__(classes="-since")
        self._title, self._summary, self._highlights = title, summary, highlights
        self._now, self._glyphs = now, glyphs

    def compose_window(self) -> ComposeResult:
        """Compose the window with its list."""
        with Vertical() as window:
            window.border_title = title_text(self._title)
            window.border_subtitle = "w reopen"
            yield Menu(id="since")

    def on_mount(self) -> None:
        """Focus the list."""
        self.query_one(Menu).focus()

    def paint(self) -> None:
        """Show the list, wrapped to the available width."""
        menu = self.query_one(Menu)
        columns = (menu.columns or 60) - 1
        entries = catch_up_entries(self._highlights, self._summary, columns, self._now)
        menu.show_entries(entries, self._glyphs)

    @property
    def _cell(self) -> str | None:
        """Key of the cell of the entry under the cursor, or None if the entry has no cell."""
        key = self.query_one(Menu).key
        return self._highlights[int(key)].cell if key else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enable `choose` only on an entry with a cell."""
        return action != "choose" or self._cell is not None

    def on_menu_moved(self) -> None:
        """Update the keys in the footer for the entry under the cursor."""
        self.refresh_bindings()

    def on_menu_selected(self) -> None:
        """Go to the cell of the double-clicked entry."""
        self.action_choose()

    def action_choose(self) -> None:
        """Go to the cell of the entry under the cursor."""
        self.dismiss(self._cell)

    def action_close(self) -> None:
        """Close the window."""
        self.dismiss(None)
