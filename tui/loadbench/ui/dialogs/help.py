"""The keys that do something where the focus is."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from loadbench.ui.dialogs.dialog import Dialog
from loadbench.ui.lines.text import Line, wrap
from loadbench.ui.widgets.line_view import LineView


class HelpScreen(Dialog[None]):
    """Every key that does something where the focus was.

    Args:
        lines: The text.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "close", "close", key_display="esc")
    ]

    def __init__(self, lines: Sequence[Line]) -> None:
        super().__init__(classes="-help")
        self._lines = lines

    def compose_window(self) -> ComposeResult:
        """Lay out the list."""
        with Vertical() as window:
            window.border_title = "keys"
            window.border_subtitle = "esc closes"
            yield LineView(id="help")

    def paint(self) -> None:
        """Show the list, broken to the width that there is."""
        view = self.query_one(LineView)
        columns = view.columns or 60
        view.show([part for one in self._lines for part in wrap(one, columns, indent=16)])

    def action_close(self) -> None:
        """Go back."""
        self.dismiss(None)
