"""The base of all dialogs."""

from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.screen import ModalScreen
from textual.widgets import Footer

from loadbench.ui.widgets.screen import BaseScreen
from loadbench.ui.widgets.too_small import TooSmall

T = TypeVar("T")


class Dialog(ModalScreen[T], BaseScreen[T]):
    """A window over a screen, with the keys that do something in it."""

    # Textual looks for them among the first base classes alone.
    COMPONENT_CLASSES: ClassVar[set[str]] = BaseScreen.COMPONENT_CLASSES

    def compose(self) -> ComposeResult:
        """Lay out the window, and the footer over that of the screen below."""
        yield from self.compose_window()
        yield Footer(show_command_palette=False)
        yield TooSmall()

    def compose_window(self) -> ComposeResult:
        """Lay out the window."""
        yield from ()
