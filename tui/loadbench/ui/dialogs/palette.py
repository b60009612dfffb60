"""Every action by its name: Textual's palette, which may be closed or emptied at any moment.

Textual 8.2 raises there. For a click: https://github.com/Textualize/textual/issues/3777, closed,
but the palette makes the same call. For keys and the search: no upstream issue known (searched
2026-11). Each `suppress` can go when Textual's own method tests for the missing widget.
"""

import inspect
from contextlib import suppress
from typing import Any

from textual import work
from textual.command import CommandList, CommandPalette
from textual.css.query import NoMatches
from textual.errors import NoWidget
from textual.events import Click
from textual.widgets import Input

from loadbench.ui.widgets.screen import SteadyScreen

_GATHER = inspect.unwrap(CommandPalette._gather_commands)
"""What finds the actions, without the worker around it."""


class Palette(CommandPalette, SteadyScreen[Any]):
    """Does not end the program where a key comes before there is a list, or after."""

    def on_mount(self) -> None:
        """Have nothing blink."""
        for field in self.query(Input):
            field.cursor_blink = False

    @work(exclusive=True, group=CommandPalette._GATHER_COMMANDS_GROUP)
    async def _gather_commands(self, search_value: str) -> None:
        with suppress(NoMatches):
            await _GATHER(self, search_value)

    def _on_click(self, event: Click) -> None:  # type: ignore[override]  # as Textual has it
        event.prevent_default()
        with suppress(NoWidget):
            super()._on_click(event)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Take keys while there is a list."""
        return bool(self.display and self.query(CommandList))

    def _action_command_list(self, action: str) -> None:
        with suppress(KeyError):
            super()._action_command_list(action)
