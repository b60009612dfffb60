"""A dialog that asks for a name."""

from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from loadbench.ui.dialogs.dialog import Dialog
from loadbench.ui.lines.text import Tone, line
from loadbench.ui.widgets.line_view import LineView


class NameDialog(Dialog[str | None]):
    """Asks for the name of something new.

    Args:
        title: What is named.
        proposal: A name to begin with.
        mistake: Says what is wrong with a name; empty: nothing.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "cancel")]

    def __init__(self, title: str, proposal: str, mistake: Callable[[str], str]) -> None:
        super().__init__()
        self._title, self._proposal, self._mistake = title, proposal, mistake

    def compose_window(self) -> ComposeResult:
        """Lay out the field."""
        with Vertical() as window:
            window.border_title = Text(self._title)
            yield Input(self._proposal, id="name", select_on_focus=False)
            yield LineView(id="mistake")

    def on_mount(self) -> None:
        """Put the cursor into the field."""
        view = self.query_one("#mistake", LineView)
        view.can_focus = False
        view.show(
            [line(("enter", Tone.ACCENT), " makes it, ", ("escape", Tone.ACCENT), " does not")]
        )
        field = self.query_one(Input)
        field.cursor_blink = False
        field.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the name, or say what is wrong with it."""
        name = event.value.strip()
        if mistake := self._mistake(name):
            self.query_one("#mistake", LineView).show([line((mistake, Tone.BAD))])
        else:
            self.dismiss(name)

    def action_cancel(self) -> None:
        """Make nothing."""
        self.dismiss(None)
