"""The footer, which shows the active keys of the current screen."""

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

LOW_PRIORITY = (
    *("maximise", "metric", "copy", "sort", "compare", "mark", "open", "follow", "follow_end"),
    *(
        "again",
        "add",
        "recommendation",
        "resume",
        "look",
        "choose(1)",
        "restore",
        "suggest",
        "open_editor",
        "rename",
        "delete",
    ),
)
"""Actions that a narrow footer omits, in this order. The help screen still lists them."""
_PADDING = 3
"""Columns that Textual adds around a key and its description."""


class KeyLine(Footer):
    """A footer that omits the least important keys if not all of them fit.

    Textual's footer truncates instead: https://github.com/Textualize/textual/issues/3762. It also
    replaces all keys whenever the focus moves or a screen opens, even if they stay the same (no
    upstream issue known, searched 2026-12). This class and the import of the private `FooterKey`
    can go when Textual's keys have priorities and are replaced only if they have changed.
    """

    def __init__(self) -> None:
        super().__init__(show_command_palette=False)
        self._columns = 0
        self._shown: list[tuple[object, ...]] = []

    def compose(self) -> ComposeResult:
        """Compose the keys that fit. `LOW_PRIORITY` actions are omitted first."""
        self._shown = self._active_keys()
        keys = [key for key in super().compose() if isinstance(key, FooterKey)]
        for action in LOW_PRIORITY:
            if sum(map(_width, keys)) <= self.app.size.width:
                break
            keys = [key for key in keys if key.action != action]
        yield from keys

    async def recompose(self) -> None:
        """Replace the keys if any of them or the width has changed."""
        # The bindings of a closed screen may query widgets that have been removed.
        is_open = self.is_attached and self.screen in self.app.screen_stack
        if is_open and self._active_keys() != self._shown:
            await super().recompose()

    def _active_keys(self) -> list[tuple[object, ...]]:
        """Return what the footer depends on. Empty before the screen knows its bindings."""
        if not self._bindings_ready:
            return []
        bindings = self.screen.active_bindings.values()
        keys = [(active.binding, active.enabled) for active in bindings if active.binding.show]
        return [(self.app.size.width,), *keys]

    def on_resize(self, event: events.Resize) -> None:
        """Compose the keys again if the width has changed."""
        if event.size.width != self._columns:
            self._columns = event.size.width
            self.call_after_refresh(self.recompose)


def _width(key: FooterKey) -> int:
    return cell_len(key.key_display) + cell_len(key.description) + _PADDING
