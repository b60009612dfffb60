"""The keys that do something now, in the last line."""

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

LEFT_OUT = (
    *("maximise", "open", "follow", "follow_end", "again", "add", "sort", "resume", "look"),
)
"""Actions whose keys are left to the help where there is no room for all, in this order."""
_AROUND = 3
"""Columns around the name of a key and what it does."""


class KeyLine(Footer):
    """A footer that has the most important keys where there is no room for all.

    Textual's cuts off what does not fit: https://github.com/Textualize/textual/issues/3762. Can go
    when its footer has priorities; `FooterKey`, which is private, with it.
    """

    def __init__(self) -> None:
        super().__init__(show_command_palette=False)
        self._columns = 0

    def compose(self) -> ComposeResult:
        """Lay out as many keys as fit."""
        keys = [key for key in super().compose() if isinstance(key, FooterKey)]
        for action in LEFT_OUT:
            if sum(map(_width, keys)) <= self.app.size.width:
                break
            keys = [key for key in keys if key.action != action]
        yield from keys

    def on_resize(self, event: events.Resize) -> None:
        """Find out anew what fits."""
        if event.size.width != self._columns:
            self._columns = event.size.width
            self.call_after_refresh(self.recompose)


def _width(key: FooterKey) -> int:
    return cell_len(key.key_display) + cell_len(key.description) + _AROUND
