"""The dialog that asks what a new profile measures."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from loadbench.engine.profile.editing.templates import TEMPLATES, Template
from loadbench.ui.dialogs.dialog import Dialog
from loadbench.ui.lines.glyphs import Glyphs
from loadbench.ui.lines.text import MenuEntry, Tone, line, wrap
from loadbench.ui.widgets.menu import Menu


class TemplateDialog(Dialog[Template | None]):
    """Ask for the template of a new profile. The result is None if the dialog is cancelled.

    Args:
        glyphs: The terminal's character set.
    """

    AUTO_FOCUS = "#templates"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "choose"),
        Binding("escape", "cancel", "cancel"),
    ]

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self._glyphs = glyphs

    def compose_window(self) -> ComposeResult:
        """Lay out the list."""
        with Vertical() as window:
            window.border_title = "New profile: what do you want to measure?"
            yield Menu(id="templates")

    def on_mount(self) -> None:
        """Show the templates before the first key, which may have been pressed already."""
        self.paint()

    def paint(self) -> None:
        """Show the templates."""
        menu = self.query_one(Menu)
        columns = (menu.columns or 60) - 1
        entries = [
            MenuEntry(
                template.name,
                (
                    line((template.title, Tone.STRONG)),
                    *wrap(line(("  " + template.description, Tone.DIM)), columns, indent=2),
                ),
            )
            for template in TEMPLATES
        ]
        menu.show_entries(entries, self._glyphs)

    def on_menu_selected(self, event: Menu.Selected) -> None:
        """Choose the template that was double-clicked."""
        event.stop()
        self.action_choose()

    def action_choose(self) -> None:
        """Return the template under the cursor."""
        key = self.query_one(Menu).key
        self.dismiss(next((one for one in TEMPLATES if one.name == key), None))

    def action_cancel(self) -> None:
        """Close the dialog without a template."""
        self.dismiss(None)
