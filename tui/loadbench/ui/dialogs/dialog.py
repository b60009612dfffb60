"""Small windows over a screen: a question, a name, the keys."""

from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual.app import ComposeResult
from textual.screen import ModalScreen
from textual.widgets import Footer

from loadbench.ui.widgets.screen import SteadyScreen
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
