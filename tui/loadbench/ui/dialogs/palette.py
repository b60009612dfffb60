"""Textual's command palette, made safe against keys and clicks while it opens or closes.

Textual 8.2 raises an exception in these cases. For clicks, see
https://github.com/Textualize/textual/issues/3777, which is closed although the palette still makes
the same call. For keys and the search, no upstream issue is known (searched 2026-11). Each
`suppress` can go when Textual's own method checks for the missing widget.
"""

import inspect
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

from rich.cells import cell_len
from textual import events, work
from textual.command import CommandList, CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.css.query import NoMatches
from textual.errors import NoWidget
from textual.events import Click
from textual.widgets import Input

from loadbench.ui.dialogs.keys import KeyAction, active_actions
from loadbench.ui.widgets.screen import BaseScreen

_GATHER = inspect.unwrap(CommandPalette._gather_commands)
"""Textual's search for actions, without the decorator that runs it in a worker."""

_EDGE_COLUMNS = 6
"""Columns beside an action: the padding of the list and its scrollbar."""


class Actions(Provider):
    """The enabled actions of the screen below the palette, each with its keys on the right."""

    async def discover(self) -> Hits:
        """Yield all actions, sorted by their titles."""
        for action in self._actions():
            title = Content(action.title)
            yield DiscoveryHit(
                self._with_keys(title, action), self._call(action), action.title, action.effect
            )

    async def search(self, query: str) -> Hits:
        """Yield the actions whose titles match a query."""
        matcher = self.matcher(query)
        for action in self._actions():
            if (score := matcher.match(action.title)) > 0:
                title = self._with_keys(matcher.highlight(action.title), action)
                yield Hit(score, title, self._call(action), action.title, action.effect)

    def _actions(self) -> list[KeyAction]:
        """Return the actions except the one that opens the palette."""
        actions = (action for action in active_actions(self.screen) if action.has_entry)
        others = (action for action in actions if action.call != "command_palette")
        return sorted(others, key=lambda action: action.title)

    def _with_keys(self, title: Content, action: KeyAction) -> Content:
        used = _EDGE_COLUMNS + title.cell_length + cell_len(action.keys)
        return Content.assemble(title, " " * max(2, self.app.size.width - used), action.keys)

    def _call(self, action: KeyAction) -> Callable[[], Awaitable[object]]:
        return partial(self.app.run_action, action.call, action.node)


class Palette(CommandPalette, BaseScreen[Any]):
    """A palette that ignores keys and clicks before its list exists or after it has closed."""

    ID = "--command-palette"

    def __init__(self) -> None:
        super().__init__([Actions], placeholder="Search actions", id=self.ID)

    def on_mount(self) -> None:
        """Stop the cursor from blinking."""
        for field in self.query(Input):
            field.cursor_blink = False

    def on_resize(self, event: events.Resize) -> None:
        """Align the keys with the new right edge."""
        for field in self.query(Input):
            self._gather_commands(field.value)

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
