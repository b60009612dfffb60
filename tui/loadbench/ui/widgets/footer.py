"""The footer, which shows the active keys of the current screen."""

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

LOW_PRIORITY = (
    *("maximise", "metric", "copy", "open", "follow", "follow_end", "again", "add", "sort"),
    *("recommendation", "resume", "look", "choose(1)", "restore", "suggest", "open_editor"),
)
"""Actions that a narrow footer omits, in this order. The help screen still lists them."""
_PADDING = 3
"""Columns that Textual adds around a key and its description."""


class KeyLine(Footer):
    """A footer that omits the least important keys if not all of them fit.

    Textual's footer truncates instead: https://github.com/Textualize/textual/issues/3762. This
    class and the import of the private `FooterKey` can go when Textual's keys have priorities.
    """

    def __init__(self) -> None:
        super().__init__(show_command_palette=False)
        self._columns = 0

    def compose(self) -> ComposeResult:
        """Compose the keys that fit. `LOW_PRIORITY` actions are omitted first."""
        keys = [key for key in super().compose() if isinstance(key, FooterKey)]
        for action in LOW_PRIORITY:
            if sum(map(_width, keys)) <= self.app.size.width:
                break
            keys = [key for key in keys if key.action != action]
        yield from keys

    def on_resize(self, event: events.Resize) -> None:
        """Compose the keys again if the width has changed."""
        if event.size.width != self._columns:
            self._columns = event.size.width
            self.call_after_refresh(self.recompose)


def _width(key: FooterKey) -> int:
    return cell_len(key.key_display) + cell_len(key.description) + _PADDING
