"""A tab bar that shows the keys and labels of all tabs and highlights the current one."""

from collections.abc import Sequence

from textual import events
from textual.binding import Binding
from textual.message import Message

from loadbench.ui.lines.text import Line, Piece, Tone, width
from loadbench.ui.widgets.line_view import TextLine


def tab_keys(tabs: Sequence[tuple[str, str]], action: str) -> list[Binding]:
    """Return the key bindings of tabs.

    Args:
        tabs: The key and the name of each tab.
        action: The action, which has the name of a tab as its parameter.
    """
    return [
        Binding(
            key,
            f"{action}('{name}')",
            name.lower(),
            show=False,
            tooltip=f"Show or focus the {name.lower()}",
        )
        for key, name in tabs
    ]


class TabLine(TextLine):
    """A row of tabs, which the user selects with a key or a click."""

    class Chosen(Message):
        """A tab was clicked."""

        def __init__(self, tab: str) -> None:
            super().__init__()
            self.tab = tab

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name for it
        super().__init__(id=id)
        self._ends: list[tuple[int, str]] = []

    def show_tabs(self, tabs: Sequence[tuple[str, str]], current: str) -> None:
        """Show the tabs. The label of each one is its capitalised name.

        Args:
            tabs: The key and the name of each tab.
            current: Name of the current tab.
        """
        is_roomy = sum(len(key) + len(name) + 4 for key, name in tabs) <= self.app.size.width
        pieces: list[Piece] = []
        self._ends = []
        for key, name in tabs:
            label, is_current = name.capitalize(), name == current
            key_tone = Tone.CURSOR if is_current else Tone.ACCENT
            label_tone = Tone.CURSOR if is_current else Tone.DIM
            pieces += [
                Piece(f" {key} " if is_roomy else key, key_tone),
                Piece(f"{label} " if is_roomy else f" {label}", label_tone),
                Piece(" "),
            ]
            line: Line = tuple(pieces)
            self._ends.append((width(line), name))
        self.show([tuple(pieces)])

    def on_click(self, event: events.Click) -> None:
        """Select the tab that was clicked."""
        tab = next((name for end, name in self._ends if event.x < end), None)
        if tab is not None:
            self.post_message(self.Chosen(tab))
