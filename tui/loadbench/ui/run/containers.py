"""The list of a run's containers, which opens their logs."""

from typing import ClassVar

from textual.binding import Binding, BindingType

from loadbench.ui.widgets.menu import Menu


class ContainerList(Menu):
    """A row per container. Enter opens the log of the selected one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "open log", tooltip="Follow the log of the selected container"),
    ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enable `select` only if there is a container."""
        return (
            self.key is not None if action == "select" else super().check_action(action, parameters)
        )

    def action_select(self) -> None:
        """Open the log of the selected container."""
        if self.key:
            self.post_message(self.Selected(self, self.key))
