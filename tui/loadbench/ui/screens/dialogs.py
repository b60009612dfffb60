"""Small windows over a screen: a question, a name, the keys."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, TypeVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Footer, Input

from loadbench.ui.present.lines import Line, Tone, line, wrap
from loadbench.ui.screens.steady import SteadyScreen
from loadbench.ui.widgets.lines import LineView
from loadbench.ui.widgets.too_small import TooSmall

if TYPE_CHECKING:
    from loadbench.ui.app import LoadbenchApp

T = TypeVar("T")


class Dialog(ModalScreen[T], SteadyScreen[T]):
    """A window over a screen, with the keys that do something in it."""

    app: "LoadbenchApp"
    # Textual looks for them among the first base classes alone.
    COMPONENT_CLASSES: ClassVar[set[str]] = SteadyScreen.COMPONENT_CLASSES

    def compose(self) -> ComposeResult:
        """Lay out the window, and the footer over that of the screen below."""
        yield from self.compose_window()
        yield Footer(show_command_palette=False)
        yield TooSmall()

    def compose_window(self) -> ComposeResult:
        """Lay out the window."""
        yield from ()

    def on_resize(self) -> None:
        """Break the lines to the width that there is."""
        self.call_after_refresh(self._fit)

    def paint(self) -> None:
        """Show what is told, in the width that there is."""

    def _fit(self) -> None:
        # It may have been closed meanwhile.
        if self.app.shows(self):
            self.paint()


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


class HelpScreen(Dialog[None]):
    """Every key that does something where the focus was.

    Args:
        lines: What is told.
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
