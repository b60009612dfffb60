"""What is shown instead of anything else where there is no room for it."""

from textual.app import ComposeResult
from textual.widgets import Static

from loadbench.ui.screens.dialogs import Dialog

LEAST_COLUMNS, LEAST_ROWS = 60, 15


class TooSmall(Dialog[None]):
    """A sentence that says how much room is needed."""

    def compose_window(self) -> ComposeResult:
        """Lay out the sentence."""
        yield Static(id="small")

    def on_mount(self) -> None:
        """Say it."""
        self.on_resize()

    def on_resize(self) -> None:
        """Say it with the new size."""
        columns, rows = self.app.size
        self.query_one(Static).update(
            f"{LEAST_COLUMNS}×{LEAST_ROWS} is needed, this terminal has {columns}×{rows}. "
            "`attach --plain` needs less."
        )
