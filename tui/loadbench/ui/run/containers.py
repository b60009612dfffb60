"""The list of a run's containers, which opens their logs."""

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType

from loadbench.ui.widgets.menu import Menu


class ContainerList(Menu):
    """A row per container. Enter opens the log of the selected one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "open log", tooltip="Follow the log of the selected container"),
    ]

    def on_resize(self, event: events.Resize) -> None:
        """Give back the row of a scrollbar that was shown during the first layout only.

        Textual does not lay out a panel again whose scrollbar has disappeared. No upstream issue
        known (searched 2026-11). Can go when it does.
        """
        super().on_resize(event)
        if self.size.height > len(self.lines) > 1 and not self.show_horizontal_scrollbar:
            self.call_after_refresh(self.refresh, layout=True)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enable `select` only if there is a container."""
        return (
            self.key is not None if action == "select" else super().check_action(action, parameters)
        )

    def action_select(self) -> None:
        """Open the log of the selected container."""
        if self.key:
            self.post_message(self.Selected(self, self.key))
