"""Textual's command palette, made safe against keys and clicks while it opens or closes.

Textual 8.2 raises an exception in these cases. For clicks, see
https://github.com/Textualize/textual/issues/3777, which is closed although the palette still makes
the same call. For keys and the search, no upstream issue is known (searched 2026-11). Each
`suppress` can go when Textual's own method checks for the missing widget.
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

from loadbench.ui.widgets.screen import BaseScreen

_GATHER = inspect.unwrap(CommandPalette._gather_commands)
"""Textual's search for actions, without the decorator that runs it in a worker."""


class Palette(CommandPalette, BaseScreen[Any]):
    """A palette that ignores keys and clicks before its list exists or after it has closed."""

    ID = "--command-palette"

    def __init__(self) -> None:
        super().__init__(placeholder="Search actions", id=self.ID)

    def on_mount(self) -> None:
        """Stop the cursor from blinking."""
        for field in self.query(Input):
            field.cursor_blink = False

    @work(exclusive=True, group=CommandPalette._GATHER_COMMANDS_GROUP)
    async def _gather_commands(self, search_value: str) -> None:
        with suppress(NoMatches):
            await _GATHER(self, search_value)

    def _on_click(self, event: Click) -> None:  # type: ignore[override]  # Textual's own signature
        event.prevent_default()
        with suppress(NoWidget):
            super()._on_click(event)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Accept keys only while the list exists."""
        return bool(self.display and self.query(CommandList))

    def _action_command_list(self, action: str) -> None:
        with suppress(KeyError):
            super()._action_command_list(action)
