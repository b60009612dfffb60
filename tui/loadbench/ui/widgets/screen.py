"""The base of all screens: what paints them, and what keeps events that come twice harmless."""

from typing import ClassVar, TypeVar

from textual import events, on
from textual.await_complete import AwaitComplete
from textual.screen import Screen

from loadbench.ui.lines.text import Tone
from loadbench.ui.messages import Request
from loadbench.ui.widgets.line_view import LineView

T = TypeVar("T")


class BaseScreen(Screen[T]):
    """Paints itself when it is resumed or resized, and whenever `repaint` is called.

    It is closed once, and takes no size but the newest.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"tone--{tone.value}" for tone in Tone}
    _is_dismissed = False

    def paint(self) -> None:
        """Show what there is now, in the room that there is now. Called by `repaint` alone."""

    def repaint(self) -> None:
        """Paint, if the screen can be seen."""
        if self.is_to_be_seen:
            self.paint()

    @property
    def is_to_be_seen(self) -> bool:
        """Whether it is in front, or behind dialogs alone.

        Painting another one would send all of it to the terminal. One that is just being
        opened, or closed, lacks its panels.
        """
        if not (self.is_mounted and self.display and self.children):
            return False
        for shown in self.app.screen_stack[::-1]:
            if shown is self:
                return True
            if not shown.is_modal:
                return False
        return False

    def request(self, request: Request) -> None:
        """Ask the app for something."""
        request.sender = self
        self.app.post_message(request)

    def on_screen_resume(self) -> None:
        """Show what has changed while another screen was in front."""
        self.repaint()

    def on_resize(self, _: events.Resize) -> None:
        """Use the room that there is, once the panels have their share of it."""
        self.call_after_refresh(self.repaint)

    @on(LineView.Resized)
    def _on_panel_resized(self) -> None:
        self.repaint()

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        """Close it, unless that was done: the key for it may come twice.

        Textual would pop whichever screen is on top: https://github.com/Textualize/textual/issues/2575.
        Can go when a second `dismiss` does nothing.
        """
        if self._is_dismissed:
            return AwaitComplete()
        self._is_dismissed = True
        return super().dismiss(result)

    async def on_event(self, event: events.Event) -> None:
        """Leave out a size that is old, and a Mount that comes after the end.

        Screens send each other their size; with two sizes under way they would never come to rest.
        No upstream issue known (searched 2026-11). Can go when Textual drops outdated sizes,
        and the Mount event of a screen that is closed.
        """
        if isinstance(event, events.Resize) and event.size != self.app.size:
            return
        if isinstance(event, events.Mount) and not self.display:
            return
        await super().on_event(event)
