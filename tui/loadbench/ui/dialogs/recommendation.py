"""The recommendation window: the answer of a run in full."""

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from loadbench.engine.run_reader import Run
from loadbench.ui.dialogs.dialog import Dialog
from loadbench.ui.lines.recommendation import recommendation_lines
from loadbench.ui.lines.text import title_text
from loadbench.ui.widgets.line_view import LineView

REFRESH_S = 1.0
"""Refresh interval in seconds, because the recommendation of a live run grows with each cell."""

RECOMMENDATION_KEY = Binding(
    "i", "recommendation", "recommendation", tooltip="Show the recommendation in full"
)


class RecommendationWindow(Dialog[None]):
    """Show the recommendation of a run.

    Args:
        run: The run.
        newest: Returns the run as last read, or None if it is no longer known.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,i", "close", "close", key_display="Esc")
    ]

    def __init__(self, run: Run, newest: Callable[[], Run | None] = lambda: None) -> None:
        super().__init__(classes="-recommendation")
        self._run, self._newest = run, newest

    def compose_window(self) -> ComposeResult:
        """Lay out the text."""
        with Vertical() as window:
            window.border_title = title_text(f"Recommendation · {self._run.name}")
            yield LineView(id="recommendation")

    def on_mount(self) -> None:
        """Follow the run while it is live."""
        self.set_interval(REFRESH_S, self._follow)

    def paint(self) -> None:
        """Show the recommendation, wrapped to the current width."""
        view = self.query_one(LineView)
        view.show(recommendation_lines(self._run, view.columns or 60))

    def _follow(self) -> None:
        newest = self._newest()
        if newest and newest.results is not self._run.results:
            self._run = newest
            self.repaint()

    def action_close(self) -> None:
        """Close the window."""
        self.dismiss(None)
