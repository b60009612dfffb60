"""The base class of all dialogs."""

from typing import ClassVar, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.screen import ModalScreen

from loadbench.ui.widgets.footer import KeyLine
from loadbench.ui.widgets.notification_line import NotificationLine
from loadbench.ui.widgets.screen import BaseScreen
from loadbench.ui.widgets.too_small import TooSmall

T = TypeVar("T")


class Dialog(ModalScreen[T], BaseScreen[T]):
    """A window over a screen, with a footer for its own keys."""

    # Textual collects these from the first base class only.
    COMPONENT_CLASSES: ClassVar[set[str]] = BaseScreen.COMPONENT_CLASSES

    _is_laid_out = False

    @property
    def is_in_view(self) -> bool:
        """Whether the dialog is visible and laid out. Its height depends on the wrapped lines."""
        return self._is_laid_out and super().is_in_view

    def on_resize(self, _: events.Resize) -> None:
        """Mark the dialog as laid out, after the layout."""
        self.call_after_refresh(self._mark_laid_out)

    def _mark_laid_out(self) -> None:
        self._is_laid_out = True

    def compose(self) -> ComposeResult:
        """Lay out the window, and a footer that covers the one of the screen below."""
        yield from self.compose_window()
        yield NotificationLine()
        yield KeyLine()
        yield TooSmall()

    def compose_window(self) -> ComposeResult:
        """Lay out the window. Subclasses override this method."""
        yield from ()
