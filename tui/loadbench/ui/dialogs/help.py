"""The help dialog: all active keys."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from loadbench.ui.dialogs.dialog import Dialog
from loadbench.ui.dialogs.lines import HELP_INDENT
from loadbench.ui.lines.text import Line, wrap
from loadbench.ui.widgets.line_view import LineView


class HelpScreen(Dialog[None]):
    """Show every key that was active when the dialog was opened.

    Args:
        lines: The text, not wrapped.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "close", "close", key_display="Esc")
    ]

    def __init__(self, lines: Sequence[Line]) -> None:
        super().__init__(classes="-help")
        self._lines = lines

    def compose_window(self) -> ComposeResult:
        """Lay out the list."""
        with Vertical() as window:
            window.border_title = "Keys"
            yield LineView(id="help")

    def paint(self) -> None:
        """Show the list, wrapped to the current width."""
        view = self.query_one(LineView)
        columns = view.columns or 60
        view.show(
            [part for line in self._lines for part in wrap(line, columns, indent=HELP_INDENT)]
        )

    def action_close(self) -> None:
        """Close the dialog."""
        self.dismiss(None)
