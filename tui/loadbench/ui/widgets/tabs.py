"""The names of panels in one line, each with its key; the one that is shown stands out."""

from collections.abc import Sequence

from textual import events
from textual.message import Message

from loadbench.ui.lines.text import Line, Piece, Tone, width
from loadbench.ui.widgets.line_view import TextLine


class TabLine(TextLine):
    """Tabs that are chosen by their number or by a click."""

    class Chosen(Message):
        """Somebody clicked a tab."""

        def __init__(self, tab: str) -> None:
            super().__init__()
            self.tab = tab

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name for it
        super().__init__(id=id)
        self._ends: list[tuple[int, str]] = []

    def show_tabs(self, tabs: Sequence[tuple[str, str]], current: str) -> None:
        """Show tabs, each a key and a name, of which one is current."""
        roomy = sum(len(key) + len(name) + 4 for key, name in tabs) <= self.app.size.width
        pieces: list[Piece] = []
        self._ends = []
        for key, name in tabs:
            chosen = name == current
            pieces += [
                Piece(f" {key} " if roomy else key, Tone.CURSOR if chosen else Tone.ACCENT),
                Piece(f"{name} " if roomy else f" {name}", Tone.CURSOR if chosen else Tone.DIM),
                Piece(" "),
            ]
            line: Line = tuple(pieces)
            self._ends.append((width(line), name))
        self.show([tuple(pieces)])

    def on_click(self, event: events.Click) -> None:
        """Choose the tab that was clicked."""
        tab = next((name for end, name in self._ends if event.x < end), None)
        if tab is not None:
            self.post_message(self.Chosen(tab))
