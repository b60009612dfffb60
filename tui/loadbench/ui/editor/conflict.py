"""The dialog for a file that has changed on disk since it was opened."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from loadbench.ui.dialogs.dialog import Dialog
from loadbench.ui.editor.lines import difference_lines
from loadbench.ui.lines.text import Tone, line, title_text, wrap
from loadbench.ui.widgets.line_view import LineView

APPLY, RELOAD = "apply", "reload"


class ConflictDialog(Dialog[str | None]):
    """Show both versions of a file. The result is `APPLY`, `RELOAD`, or None to keep editing.

    Args:
        name: The name of the profile.
        on_disk: The text on disk. Empty if the file was deleted.
        mine: The text that was to be saved.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "answer('apply')", "apply my changes", tooltip="Change the new version too"),
        Binding("r", "answer('reload')", "reload", tooltip="Discard my changes"),
        Binding("escape", "cancel", "keep editing"),
    ]

    def __init__(self, name: str, on_disk: str, mine: str) -> None:
        super().__init__(classes="-recommendation")
        self._name, self._on_disk, self._mine = name, on_disk, mine

    def compose_window(self) -> ComposeResult:
        """Lay out the text."""
        with Vertical() as window:
            window.border_title = title_text(f"{self._name} has changed on disk")
            yield LineView(id="conflict")

    def paint(self) -> None:
        """Show what differs, and what the keys do."""
        view = self.query_one(LineView)
        columns = view.columns or 60
        key_lines = (
            line(("a", Tone.ACCENT), " Apply your changes to the version on disk, then review it."),
            line(("r", Tone.ACCENT), " Load the version on disk. Your changes are discarded."),
            line(("Esc", Tone.ACCENT), " Keep editing. Nothing is saved."),
        )
        text = [part for one in key_lines for part in wrap(one, columns, indent=2)]
        view.show([*text, (), *difference_lines(self._on_disk, self._mine)])

    def action_answer(self, answer: str) -> None:
        """Return an answer."""
        self.dismiss(answer)

    def action_cancel(self) -> None:
        """Keep editing."""
        self.dismiss(None)
