"""The message that replaces the screen if the terminal is too small."""

from textual import events
from textual.app import RenderResult
from textual.widget import Widget

from loadbench.ui.lines.glyphs import in_ascii

MIN_COLUMNS, MIN_ROWS = 60, 15


class TooSmall(Widget):
    """A message with the required size, which is visible only if the terminal is smaller."""

    def render(self) -> RenderResult:
        """Return a message with the current and the required size."""
        columns, rows = self.app.size
        message = (
            f"Terminal too small: {columns}×{rows} (minimum {MIN_COLUMNS}×{MIN_ROWS}). "
            "Enlarge it, or use `loadbench-tui attach --plain`."
        )
        return in_ascii(message) if self.app.has_class("-ascii") else message

    def on_resize(self, _: events.Resize) -> None:
        """Update the size in the message."""
        self.refresh()


def is_too_small(columns: int, rows: int) -> bool:
    """Return whether a terminal is smaller than the supported minimum."""
    return columns < MIN_COLUMNS or rows < MIN_ROWS
