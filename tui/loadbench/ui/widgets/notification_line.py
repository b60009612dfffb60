"""The rows above the footer that show the newest notifications."""

from collections.abc import Sequence

from rich.text import Text
from textual import events
from textual.geometry import Size
from textual.widget import Widget

from loadbench.ui.lines.glyphs import in_ascii
from loadbench.ui.lines.text import Line
from loadbench.ui.notifications import Notification, shown_lines

_PADDING = 2
"""Columns of the row that its padding occupies."""


class NotificationLine(Widget):
    """Shows notifications without covering anything. It takes no row if there are none."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: Sequence[Notification] = ()
        self._rows: Sequence[Line] = ()
        self.display = False

    def show_notifications(self, shown: Sequence[Notification]) -> None:
        """Show notifications, newest first."""
        # While it is hidden, the widget has no width of its own.
        rows = shown_lines(shown, self.app.size.width - _PADDING)
        has_other_height = len(rows) != len(self._rows)
        self._shown, self._rows = shown, rows
        self.display = bool(rows)
        self.refresh(layout=has_other_height)

    def on_resize(self, _: events.Resize) -> None:
        """Wrap the text to the new width."""
        self.show_notifications(self._shown)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the number of rows."""
        return len(self._rows)

    def render(self) -> Text:
        """Return the rows in the colours of their tones."""
        return Text("\n", no_wrap=True, overflow="crop").join(map(self._text, self._rows))

    def _text(self, row: Line) -> Text:
        is_ascii = self.app.has_class("-ascii")
        text = Text()
        for piece in row:
            style = self.screen.get_component_rich_style(f"tone--{piece.tone.value}", partial=True)
            text.append(in_ascii(piece.text) if is_ascii else piece.text, style)
        return text
