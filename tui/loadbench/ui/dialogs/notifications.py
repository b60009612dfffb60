"""The list of all notifications since the start of the program."""

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from loadbench.ui.dialogs.dialog import Dialog
from loadbench.ui.messages import NotificationsChanged
from loadbench.ui.notifications import Notifications, list_lines
from loadbench.ui.widgets.line_view import LineView


class NotificationsWindow(Dialog[None]):
    """Show all notifications, newest first.

    Args:
        newest: Returns the notifications.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,ctrl+g", "close", "close", key_display="Esc")
    ]

    def __init__(self, newest: Callable[[], Notifications]) -> None:
        super().__init__(classes="-notifications")
        self._newest = newest

    def compose_window(self) -> ComposeResult:
        """Lay out the list."""
        with Vertical() as window:
            window.border_title = "Notifications"
            yield LineView(id="all-notifications")

    def on_notifications_changed(self, message: NotificationsChanged) -> None:
        """Show a notification that arrives while the list is open."""
        self.repaint()

    def paint(self) -> None:
        """Show the list, wrapped to the current width."""
        view = self.query_one("#all-notifications", LineView)
        view.show(list_lines(self._newest().kept, view.columns or 60))

    def action_close(self) -> None:
        """Close the list."""
        self.dismiss(None)
