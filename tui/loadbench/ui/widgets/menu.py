"""A list with a cursor. Entries may span several lines."""

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from loadbench.ui.lines.glyphs import UNICODE, Glyphs
from loadbench.ui.lines.text import MenuEntry, Piece, Tone
from loadbench.ui.widgets.line_view import LineView


class Menu(LineView):
    """A list whose cursor stays on the same entry when other entries are added or removed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "move up", show=False),
        Binding("down,j", "move(1)", "move down", show=False),
        Binding("home,g", "move(-100000)", "go to the first entry", show=False),
        Binding("end,G", "move(100000)", "go to the last entry", show=False),
        Binding("pageup", "move(-5)", "move up 5", show=False),
        Binding("pagedown", "move(5)", "move down 5", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"menu--cursor"}
    DEFAULT_CSS = "Menu { overflow-x: hidden; }"
    MARGINS = 2
    """Blank columns beside the entries. They are part of the lines, so that the cursor covers them,
    which it does not do with padding."""

    class Moved(Message):
        """The cursor moved to another entry."""

        def __init__(self, menu: "Menu", key: str | None) -> None:
            super().__init__()
            self.menu = menu
            self.key = key

    class Selected(Message):
        """An entry was double-clicked."""

        def __init__(self, menu: "Menu", key: str) -> None:
            super().__init__()
            self.menu = menu
            self.key = key

    def __init__(self, *, id: str | None = None, title: str | None = None) -> None:  # noqa: A002  # the name that Textual uses
        super().__init__(id=id, title=title)
        self._entries: Sequence[MenuEntry] = ()
        self._key: str | None = None
        self._owners: list[MenuEntry] = []
        self._glyphs = UNICODE

    @property
    def columns(self) -> int:
        """Columns available to an entry and its mark, or 0 before the first layout."""
        return max(0, super().columns - self.MARGINS)

    @property
    def key(self) -> str | None:
        """Key of the entry under the cursor, or None if the list is empty."""
        return self._key

    def neighbour(self, key: str) -> str | None:
        """Return the key of the next entry, or of the previous one for the last. None if alone."""
        keys = self._keys()
        if key not in keys:
            return None
        index = keys.index(key)
        return next(iter((*keys[index + 1 :], *keys[:index][::-1])), None)

    def show_entries(
        self, entries: Sequence[MenuEntry], glyphs: Glyphs, *, cursor: str | None = None
    ) -> None:
        """Replace the entries.

        Args:
            entries: Entries to show, in order.
            glyphs: The terminal's character set.
            cursor: Key of the entry to move the cursor to. None keeps it on the same entry.
        """
        self._entries, self._glyphs = entries, glyphs
        keys = self._keys()
        wanted = cursor or self._key
        self._move_to(wanted if wanted in keys else next(iter(keys), None))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enable the keys that move the cursor only if there is another entry."""
        if action == "move":
            return len(self._keys()) > 1
        return super().check_action(action, parameters)

    def on_resize(self, _: events.Resize) -> None:
        """Keep the entry under the cursor in view."""
        self.call_after_refresh(self._bring_into_view)

    def action_move(self, by: int) -> None:
        """Move the cursor by a number of entries. A negative number moves it up."""
        keys = self._keys()
        if keys:
            index = keys.index(self._key) if self._key in keys else 0
            self._move_to(keys[min(len(keys) - 1, max(0, index + by))])

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to the clicked entry. A double click selects the entry."""
        offset = event.get_content_offset(self)
        row = offset.y + self.scroll_offset.y if offset else -1
        if 0 <= row < len(self._owners) and self._owners[row].key:
            self._move_to(self._owners[row].key)
            if event.chain == 2:
                self.post_message(self.Selected(self, self._owners[row].key))

    def render_line(self, y: int) -> Strip:
        """Return the strip of a visible row, highlighted if its entry is under the cursor."""
        strip = super().render_line(y)
        index = y + self.scroll_offset.y
        if 0 <= index < len(self._owners) and self._owners[index].key == self._key:
            style = self.get_component_rich_style("menu--cursor")
            highlight = Style(bgcolor=style.bgcolor, bold=style.bold or None)
            return Strip(Segment.apply_style(strip, post_style=highlight), strip.cell_length)
        return strip

    def _move_to(self, key: str | None) -> None:
        has_moved, self._key = key != self._key, key
        self._owners, lines = [], []
        for entry in self._entries:
            mark = Piece(
                self._glyphs.selected if entry.key and entry.key == key else " ", Tone.ACCENT
            )
            for line in entry.lines:
                self._owners.append(entry)
                lines.append((Piece(" "), mark, *line))
        self.show(lines)
        if has_moved:
            self._bring_into_view()
            self.post_message(self.Moved(self, key))

    def _bring_into_view(self) -> None:
        rows = [row for row, owner in enumerate(self._owners) if owner.key == self._key]
        if rows:
            # Include the headings above the first entry.
            first = 0 if self._key == self._keys()[0] else rows[0]
            self.scroll_to_region(Region(0, first, 1, rows[-1] - first + 1), animate=False)

    def _keys(self) -> list[str]:
        return [entry.key for entry in self._entries if entry.key]
