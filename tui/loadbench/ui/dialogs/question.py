"""A question before something is lost."""

from collections.abc import Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Button

from loadbench.ui.dialogs.dialog import Dialog
from loadbench.ui.lines.text import Line, wrap
from loadbench.ui.widgets.line_view import LineView


class Question(Dialog[str | None]):
    """Asks before something is lost. The safe answer has the focus; Escape gives it.

    Args:
        title: What is about to happen.
        lines: What that means.
        answers: The key of each answer that does something, and its words.
        safe: The words of the answer that does nothing.
    """

    def __init__(
        self, title: str, lines: Sequence[Line], answers: Sequence[tuple[str, str]], *, safe: str
    ) -> None:
        super().__init__()
        self._title, self._lines, self._answers, self._safe = title, lines, answers, safe
        self._bindings.bind("escape,n", "safe", safe)
        for key, words in answers:
            self._bindings.bind(key, f"answer('{key}')", words)

    def compose_window(self) -> ComposeResult:
        """Lay out the question, and a button for every answer."""
        with Vertical() as window:
            window.border_title = Text(self._title)
            yield LineView(id="question")
            with Horizontal():
                yield Button(f"n  {self._safe}", id="safe", compact=True)
                for key, words in self._answers:
                    name = f"answer-{key}"
                    yield Button(f"{key}  {words}", id=name, variant="error", compact=True)

    def on_mount(self) -> None:
        """Show the lines; the safe answer is the one that Enter gives."""
        view = self.query_one("#question", LineView)
        view.can_focus = False
        view.show(self._lines)
        self.query_one("#safe", Button).focus()

    def paint(self) -> None:
        """Show the lines, broken to the width that there is."""
        view = self.query_one("#question", LineView)
        columns = view.columns or 60
        view.show([part for one in self._lines for part in wrap(one, columns)])

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Take the answer of the button."""
        name = event.button.id or ""
        self.dismiss(None if name == "safe" else name.removeprefix("answer-"))

    def action_answer(self, key: str) -> None:
        """Take the answer of a key."""
        self.dismiss(key)

    def action_safe(self) -> None:
        """Do nothing."""
        self.dismiss(None)
