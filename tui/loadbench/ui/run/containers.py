"""The list of a run's containers, which opens their logs."""

from typing import ClassVar

from textual.binding import Binding, BindingType

from loadbench.ui.widgets.menu import Menu


class ContainerList(Menu):
    """A row per container. Enter opens the log of the selected one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "open log", tooltip="Follow the log of the selected container"),
    ]

    def action_select(self) -> None:
        """Open the log of the selected container."""
        if self.key:
            self.post_message(self.Selected(self, self.key))
