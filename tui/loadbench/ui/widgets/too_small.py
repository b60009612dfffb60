"""What covers everything else where there is no room for it."""

from textual import events
from textual.app import RenderResult
from textual.widget import Widget

from loadbench.ui.lines.glyphs import in_ascii

MIN_COLUMNS, MIN_ROWS = 60, 15


class TooSmall(Widget):
    """A sentence that says how much room is needed; to be seen only where there is less."""

    def render(self) -> RenderResult:
        """Return the sentence, with the size that there is."""
        columns, rows = self.app.size
        told = (
            f"{MIN_COLUMNS}×{MIN_ROWS} is needed, this terminal has {columns}×{rows}. "
            "`attach --plain` needs less."
        )
        return in_ascii(told) if self.app.has_class("-ascii") else told

    def on_resize(self, _: events.Resize) -> None:
        """Say the new size."""
        self.refresh()


def is_too_small(columns: int, rows: int) -> bool:
    """Return whether so many columns and rows have no room for anything."""
    return columns < MIN_COLUMNS or rows < MIN_ROWS
