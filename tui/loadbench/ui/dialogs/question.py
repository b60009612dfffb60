"""A confirmation dialog."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Button

from loadbench.ui.dialogs.dialog import Dialog
from loadbench.ui.lines.text import Line, title_text, wrap
from loadbench.ui.widgets.line_view import LineView


class Question(Dialog[str | None]):
    """Ask for confirmation. The result is the key of an answer, or None for the safe one.

    The safe answer has the focus, and Esc selects it.

    Args:
        title: The question.
        lines: The consequences of the answers.
        answers: The key and the verb of each answer except the safe one.
        safe: The verb of the answer that changes nothing.
    """

    def __init__(
        self, title: str, lines: Sequence[Line], answers: Sequence[tuple[str, str]], *, safe: str
    ) -> None:
        super().__init__()
        self._title, self._lines, self._answers, self._safe = title, lines, answers, safe
        self._bindings.bind("escape,n", "safe", _lower(safe))
        for key, verb in answers:
            self._bindings.bind(key, f"answer('{key}')", _lower(verb))

    def compose_window(self) -> ComposeResult:
        """Lay out the text and a button for every answer."""
        with Vertical() as window:
            window.border_title = title_text(self._title)
            yield LineView(id="question")
            with Horizontal():
                yield Button(f"Esc  {_upper(self._safe)}", id="safe", compact=True)
                for key, verb in self._answers:
                    name = f"answer-{key}"
                    label = f"{key}  {_upper(verb)}"
                    yield Button(label, id=name, variant="error", compact=True)

    def on_mount(self) -> None:
        """Show the text; focus the safe answer, so that Enter selects it."""
        view = self.query_one("#question", LineView)
        view.can_focus = False
        view.show(self._lines)
        self.query_one("#safe", Button).focus()

    def paint(self) -> None:
        """Show the text, wrapped to the current width."""
        view = self.query_one("#question", LineView)
        columns = view.columns or 60
        view.show([part for line in self._lines for part in wrap(line, columns)])

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Return the answer of the button."""
        name = event.button.id or ""
        self.dismiss(None if name == "safe" else name.removeprefix("answer-"))

    def action_answer(self, key: str) -> None:
        """Return the answer of a key."""
        self.dismiss(key)

    def action_safe(self) -> None:
        """Return the safe answer."""
        self.dismiss(None)


def _upper(verb: str) -> str:
    return verb[:1].upper() + verb[1:]


def _lower(verb: str) -> str:
    return verb[:1].lower() + verb[1:]
