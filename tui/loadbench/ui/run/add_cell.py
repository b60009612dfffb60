"""The dialog that adds a cell to a run."""

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Input

from loadbench.engine.profile.plan import Cell
from loadbench.engine.run_reader import Run
from loadbench.ui.dialogs.dialog import Dialog
from loadbench.ui.run.addition import (
    FIELDS,
    Addition,
    addition,
    addition_lines,
    field_label,
    proposal,
)
from loadbench.ui.widgets.line_view import LineView

_MAX_CHARACTERS = 12
"""Maximum characters in a field. Every number that a profile accepts is shorter."""


class AddDialog(Dialog[dict[str, float] | None]):
    """Asks for models, users and spawn rate, and shows the resulting cell during input.

    Args:
        run: Returns the run in its current state.
        beside: The cell whose numbers are the initial values.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "cancel")]

    def __init__(self, run: Callable[[], Run], beside: Cell) -> None:
        super().__init__()
        self._run, self._beside = run, beside

    def compose_window(self) -> ComposeResult:
        """Lay out a field for each number, and the two buttons."""
        with Vertical() as window:
            window.border_title = "Add cell"
            with Horizontal(id="point"):
                for name, number in proposal(self._beside).items():
                    field = Input(number, id=name, max_length=_MAX_CHARACTERS)
                    field.border_title = field_label(name)
                    # The width depends on the label, which a narrow border would truncate.
                    field.styles.width = f"{len(field_label(name)) + 6}fr"
                    yield field
            yield LineView(id="addition")
            with Horizontal():
                yield Button("Cancel", id="cancel", compact=True)
                yield Button("Add", id="add", variant="primary", compact=True)

    def on_mount(self) -> None:
        """Focus the number of users, which is changed most often."""
        for widget in (*self.query(Button), self.query_one(LineView)):
            widget.can_focus = False
        for field in self.query(Input):
            field.cursor_blink = False
        self.query_one("#users", Input).focus()

    def on_input_changed(self) -> None:
        """Show the cell that the current input describes."""
        self.repaint()

    def on_input_submitted(self) -> None:
        """Add the cell."""
        self.action_add()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Add the cell or cancel."""
        if event.button.id == "add":
            self.action_add()
        else:
            self.action_cancel()

    def action_add(self) -> None:
        """Return the input. If the runner would reject it, stay open and show the reason."""
        args = self._addition().args
        if args:
            self.dismiss(args)
        else:
            self.repaint()

    def action_cancel(self) -> None:
        """Close the dialog without adding a cell."""
        self.dismiss(None)

    def _addition(self) -> Addition:
        typed = {name: self.query_one(f"#{name}", Input).value for name in FIELDS}
        return addition(self._run(), typed)

    def paint(self) -> None:
        """Show the text below the fields, wrapped to the available width."""
        view = self.query_one("#addition", LineView)
        view.show(addition_lines(self._addition(), view.columns or 60))
