"""The base of all dialogs."""

from typing import ClassVar, TypeVar

from textual import events
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

    _is_laid_out = False

    @property
    def is_to_be_seen(self) -> bool:
        """Whether it is in front, and its lines have a width: its height depends on them."""
        return self._is_laid_out and super().is_to_be_seen

    def on_resize(self, _: events.Resize) -> None:
        """Take note that there is a width, once there is."""
        self.call_after_refresh(self._take_width)

    def _take_width(self) -> None:
        self._is_laid_out = True

    def compose(self) -> ComposeResult:
        """Lay out the window, and the footer over that of the screen below."""
        yield from self.compose_window()
        yield Footer(show_command_palette=False)
        yield TooSmall()

    def compose_window(self) -> ComposeResult:
        """Lay out the window."""
        yield from ()
