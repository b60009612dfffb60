"""The containers of a run, of which one can be listened to."""

from typing import ClassVar

from textual.binding import Binding, BindingType

from loadbench.ui.widgets.menu import Menu


class ContainerList(Menu):
    """A line for every container; the one under the cursor is the one whose log is opened."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "log", tooltip="follow what the container says"),
    ]

    def action_select(self) -> None:
        """Choose the container under the cursor."""
        if self.key:
            self.post_message(self.Selected(self, self.key))
