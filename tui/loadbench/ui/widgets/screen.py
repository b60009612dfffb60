"""Base class of all screens, which handles repainting and duplicate or outdated events."""

from typing import ClassVar, TypeVar

from textual import events, on
from textual.await_complete import AwaitComplete
from textual.screen import Screen

from loadbench.ui.lines.text import Tone
from loadbench.ui.messages import NotificationsChanged, Request, ScreenOpened
from loadbench.ui.widgets.line_view import LineView
from loadbench.ui.widgets.notification_line import NotificationLine

T = TypeVar("T")


class BaseScreen(Screen[T]):
    """Base class of all screens. Paints on resume, on resize and when `repaint` is called.

    It ignores a second `dismiss` and outdated resize events.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"tone--{tone.value}" for tone in Tone}
    _is_dismissed = False

    def paint(self) -> None:
        """Draw the current data at the current size. Called only by `repaint`."""

    def repaint(self) -> None:
        """Paint if the screen is visible."""
        if self.is_in_view:
            self.paint()

    @property
    def is_in_view(self) -> bool:
        """Whether the screen is on top, or covered only by dialogs.

        A covered screen is not painted, as Textual would send all of it to the terminal. A screen
        that is being opened or closed is not painted either, as it has no panels.
        """
        if not (self.is_mounted and self.display and self.children):
            return False
        for shown in self.app.screen_stack[::-1]:
            if shown is self:
                return True
            if not shown.is_modal:
                return False
        return False

    def may_quit(self) -> bool:
        """Return whether the app may quit. A screen that returns False asks the user first."""
        return True

    def request(self, request: Request) -> None:
        """Post a request to the app."""
        request.sender = self
        self.app.post_message(request)

    def on_mount(self) -> None:
        """Ask for the notifications that are shown."""
        self.post_message(ScreenOpened(self))

    def on_notifications_changed(self, message: NotificationsChanged) -> None:
        """Show other notifications above the footer."""
        for line in self.query(NotificationLine):
            line.show_notifications(message.shown)

    def on_screen_resume(self) -> None:
        """Show changes that happened while another screen was on top."""
        self.repaint()

    def on_resize(self, _: events.Resize) -> None:
        """Repaint after the panels have been laid out at the new size."""
        self.call_after_refresh(self.repaint)

    @on(LineView.Resized)
    def _on_panel_resized(self) -> None:
        self.repaint()

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        """Close the screen, and ignore a second call, for example if a key is pressed twice.

        Otherwise Textual pops the screen below: https://github.com/Textualize/textual/issues/2575.
        Can go when a second `dismiss` has no effect in Textual.
        """
        if self._is_dismissed:
            return AwaitComplete()
        self._is_dismissed = True
        return super().dismiss(result)

    async def on_event(self, event: events.Event) -> None:
        """Drop outdated resize events, and the Mount event of a closed screen.

        Screens pass resize events to each other, so two different sizes would circulate forever.
        No upstream issue known (searched 2026-11). Can go when Textual drops outdated sizes
        and the Mount event of a closed screen.
        """
        if isinstance(event, events.Resize) and event.size != self.app.size:
            return
        if isinstance(event, events.Mount) and not self.display:
            return
        await super().on_event(event)
