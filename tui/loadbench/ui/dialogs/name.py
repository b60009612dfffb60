"""A dialog that asks for a name."""

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from loadbench.printable import printable
from loadbench.ui.dialogs.dialog import Dialog
from loadbench.ui.lines.text import Tone, line, title_text, wrap
from loadbench.ui.widgets.line_view import LineView


class NameDialog(Dialog[str | None]):
    """Ask for a name. The result is the name, or None if the dialog is cancelled.

    Args:
        title: The title of the dialog.
        proposal: The initial value.
        verb: The action of Enter, for the key hint.
        validate: Returns why a name is invalid, or an empty string if it is valid.
        note: A consequence to mention. May be empty.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "cancel")]

    def __init__(
        self,
        title: str,
        proposal: str,
        *,
        verb: str,
        validate: Callable[[str], str],
        note: str = "",
    ) -> None:
        super().__init__()
        self._note = note
        self._title, self._proposal = title, proposal
        self._verb, self._validate = verb, validate

    def compose_window(self) -> ComposeResult:
        """Lay out the field."""
        with Vertical() as window:
            window.border_title = title_text(self._title)
            yield Input(printable(self._proposal), id="name")
            yield LineView(id="mistake")

    def on_mount(self) -> None:
        """Focus the field and show the key hint."""
        view = self.query_one("#mistake", LineView)
        view.can_focus = False
        hint = line(("Enter", Tone.ACCENT), f" {self._verb} · ", ("Esc", Tone.ACCENT), " cancel")
        view.show([line(self._note), (), hint] if self._note else [hint])
        field = self.query_one(Input)
        field.cursor_blink = False
        field.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Return the name if it is valid. Otherwise show why it is not."""
        name = event.value.strip()
        if error := self._validate(name):
            view = self.query_one("#mistake", LineView)
            view.show(wrap(line((error, Tone.BAD)), view.columns or 60))
        else:
            self.dismiss(name)

    def action_cancel(self) -> None:
        """Close the dialog without a name."""
        self.dismiss(None)
