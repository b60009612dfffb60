"""What happened in a run while nobody looked at it: remembered, found out, told in a window."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from loadbench.engine.report.highlights import Highlight
from loadbench.ui.catch_up.lines import since_entries
from loadbench.ui.dialogs.dialog import Dialog
from loadbench.ui.lines.glyphs import Glyphs
from loadbench.ui.lines.text import Line
from loadbench.ui.widgets.menu import Menu

if TYPE_CHECKING:
    pass


class SinceWindow(Dialog[str | None]):
    """Tells what happened; gives the cell that somebody wants to go to.

    Args:
        title: How long ago that began.
        told: The summary.
        highlights: What happened, in order.
        now: The time of day.
        glyphs: The signs.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "go to the cell"),
        Binding("escape,w,q,enter", "close", "close", key_display="esc"),
    ]

    def __init__(
        self,
        title: str,
        told: Line,
        highlights: Sequence[Highlight],
        now: datetime,
        glyphs: Glyphs,
    ) -> None:
        super().__init__(classes="-since")
        self._title, self._told, self._highlights = title, told, highlights
        self._now, self._glyphs = now, glyphs

    def compose_window(self) -> ComposeResult:
        """Lay out the list."""
        with Vertical() as window:
            window.border_title = Text(self._title)
            window.border_subtitle = "w opens it again"
            yield Menu(id="since")

    def on_mount(self) -> None:
        """Begin at the top."""
        self.query_one(Menu).focus()

    def paint(self) -> None:
        """Show what is told, in the width that there is."""
        menu = self.query_one(Menu)
        columns = (menu.columns or 60) - 1
        entries = since_entries(self._highlights, self._told, columns, self._now)
        menu.show_entries(entries, self._glyphs)

    @property
    def _cell(self) -> str | None:
        """The cell that the entry under the cursor is about."""
        key = self.query_one(Menu).key
        return self._highlights[int(key)].cell if key else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to go to a cell where there is one."""
        return action != "choose" or self._cell is not None

    def on_menu_moved(self) -> None:
        """Offer what the entry allows."""
        self.refresh_bindings()

    def on_menu_selected(self) -> None:
        """Go to the cell of the entry that was clicked twice."""
        self.action_choose()

    def action_choose(self) -> None:
        """Go to the cell of the entry under the cursor."""
        self.dismiss(self._cell)

    def action_close(self) -> None:
        """Go back."""
        self.dismiss(None)
