"""A window that asks for one more point of the grid of a live run."""

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
    proposal,
)
from loadbench.ui.widgets.line_view import LineView

_MAX_CHARACTERS = 12
"""Characters of a number; any that a profile takes is shorter."""


class AddDialog(Dialog[dict[str, float] | None]):
    """Asks for models, users and spawn rate, and says what they would mean as they are typed.

    Args:
        run: The run, as it is whenever this is called.
        beside: The cell whose numbers are proposed.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "cancel")]

    def __init__(self, run: Callable[[], Run], beside: Cell) -> None:
        super().__init__()
        self._run, self._beside = run, beside

    def compose_window(self) -> ComposeResult:
        """Lay out a field for each number, and the two buttons."""
        with Vertical() as window:
            window.border_title = "add a cell"
            with Horizontal(id="point"):
                for name, number in proposal(self._beside).items():
                    field = Input(number, id=name, max_length=_MAX_CHARACTERS)
                    field.border_title = name.replace("_", " ")
                    yield field
            yield LineView(id="told")
            with Horizontal():
                yield Button("cancel", id="cancel", compact=True)
                yield Button("add", id="add", variant="primary", compact=True)

    def on_mount(self) -> None:
        """Begin with the users: the number that is changed most often."""
        for still in (*self.query(Button), self.query_one(LineView)):
            still.can_focus = False
        for field in self.query(Input):
            field.cursor_blink = False
        self.query_one("#users", Input).focus()

    def on_input_changed(self) -> None:
        """Say what is asked for by now."""
        self.repaint()

    def on_input_submitted(self) -> None:
        """Add the cell."""
        self.action_add()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Do what the button says."""
        if event.button.id == "add":
            self.action_add()
        else:
            self.action_cancel()

    def action_add(self) -> None:
        """Give what was typed, unless the runner would refuse it; the window says why."""
        asked = self._asked()
        if asked.args:
            self.dismiss(asked.args)
        else:
            self.repaint()

    def action_cancel(self) -> None:
        """Add nothing."""
        self.dismiss(None)

    def _asked(self) -> Addition:
        return addition(self._run(), {it: self.query_one(f"#{it}", Input).value for it in FIELDS})

    def paint(self) -> None:
        """Show what is told, in the width that there is."""
        view = self.query_one("#told", LineView)
        view.show(addition_lines(self._asked(), view.columns or 60))
