"""Base class of the screens with a form: the form, and the help for its focused field."""

from collections.abc import Sequence
from typing import TypeVar

from rich.cells import cell_len
from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widget import Widget

from loadbench.engine.profile.editing.suggestions import suggestions
from loadbench.ui.background import in_background
from loadbench.ui.context import UiContext
from loadbench.ui.form.form import ProfileForm
from loadbench.ui.form.lines import help_lines
from loadbench.ui.form.state import Entered, file_warnings
from loadbench.ui.lines.text import Line, Tone, fit, line, wrap
from loadbench.ui.widgets.footer import KeyLine
from loadbench.ui.widgets.line_view import LineView, TextLine
from loadbench.ui.widgets.notification_line import NotificationLine
from loadbench.ui.widgets.screen import BaseScreen
from loadbench.ui.widgets.too_small import TooSmall

T = TypeVar("T")

HELP_KEYS = (Binding("f1", "app.help", "help", key_display="F1", tooltip="Show all keys"),)
"""Key bindings of all forms. `?` is text in a field."""
FILES_S = 0.3
"""Seconds without a change after which the files that the fields name are looked at."""
_WIDE_COLUMNS = 100
_MAX_NAME_COLUMNS = 30


def short_name(name: str) -> str:
    """Return the name of a profile for a header."""
    return fit(name, min(_MAX_NAME_COLUMNS, cell_len(name)))


class FormScreen(BaseScreen[T]):
    """A form on the left; on the right the help for its field, and a panel of the subclass.

    Args:
        context: The context of the screen.
        entered: The values to start with.
    """

    AUTO_FOCUS = ""
    saved_word = "Saved"
    """What the texts are compared with."""

    def __init__(self, context: UiContext, entered: Entered) -> None:
        super().__init__()
        self.context, self.entered = context, entered
        self._offers: dict[str, Sequence[str]] = {}
        """Values to offer, by key."""
        self._is_narrow = False
        self._files_timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Lay out header, form, help and panel."""
        yield TextLine(id="header")
        with Horizontal(id="form-body"):
            with Vertical(id="form-panel"):
                yield ProfileForm(self.entered, self.context.glyphs, self._offered)
            with Vertical(id="form-side"):
                yield LineView(id="form-help")
                yield self.panel()
        yield NotificationLine()
        yield KeyLine()
        yield TooSmall()

    def panel(self) -> Widget:
        """Return the panel of the subclass, below the help."""
        raise NotImplementedError

    def edited(self) -> None:
        """React to changed values. Subclasses override this method."""

    @property
    def form(self) -> ProfileForm:
        """The form."""
        return self.query_one(ProfileForm)

    def on_mount(self) -> None:
        """Focus the first field, and keep the focus off the help."""
        self.query_one("#form-help", LineView).can_focus = False
        self.query_one("#form-panel").border_title = "Settings"
        self.form.action_move(0)

    def on_resize(self, event: events.Resize) -> None:
        """On a narrow screen, put help and panel below the form."""
        self._is_narrow = event.size.width < _WIDE_COLUMNS
        self.set_class(self._is_narrow, "-narrow")
        if self.focused:
            self.call_after_refresh(self.focused.scroll_visible, animate=False)

    def fill(self, entered: Entered) -> None:
        """Replace what was entered."""
        self.form.fill(entered)
        self.show_entered(entered)

    def show_entered(self, entered: Entered) -> None:
        """Show what the texts in the fields mean."""
        self.entered = entered
        self.form.show(entered)
        self.edited()
        if self._files_timer:
            self._files_timer.stop()
        self._files_timer = self.set_timer(FILES_S, self._look_at_files)
        self.repaint()

    def take_texts(self) -> None:
        """Take what was typed into the fields, even if its message has not arrived yet."""
        entered = self.entered
        for key, text in self.form.texts().items():
            if text != entered.text(key):
                entered = entered.with_text(key, text)
        if entered is not self.entered:
            self.show_entered(entered)

    async def show_first_error(self) -> bool:
        """Focus the first field with an error. Return False if no field has one."""
        for key in self.entered.errors:
            await self.form.reveal(key)
            return True
        return False

    @on(ProfileForm.Edited)
    def _take(self, event: ProfileForm.Edited) -> None:
        self.show_entered(self.entered.with_text(event.key, event.text))

    @on(ProfileForm.Moved)
    def _show_field(self) -> None:
        self._look_at_files()
        self.repaint()

    def _offered(self, key: str, _: Entered) -> Sequence[str]:
        return self._offers.get(key, ())

    @work(exclusive=True, group="files")
    async def _look_at_files(self) -> None:
        """Look in the background for missing files, and for values to offer."""
        key, values, workspace = self.form.key, self.entered.values, self.context.workspace
        self.form.warn(await in_background(file_warnings, values, workspace))
        if key is None:
            return
        found = await in_background(suggestions, key.name, values, workspace)
        if found != self._offers.get(key.name, ()):
            self._offers[key.name] = found
            self.repaint()

    def paint(self) -> None:
        """Show the help for the focused field."""
        panel, key = self.query_one("#form-help", LineView), self.form.key
        columns = panel.columns or 60
        lines: list[Line] = [
            part
            for text in self.entered.other_errors
            for part in wrap(line((text, Tone.BAD)), columns, indent=2)
        ]
        if key is None:
            panel.set_title("Help")
            hint = line(("Enter", Tone.ACCENT), " opens or closes the group of settings")
            panel.show([*lines, hint])
        else:
            panel.set_title(key.label)
            offers = self._offers.get(key.name, ())
            brief = self._is_narrow
            lines += help_lines(
                key, self.entered, offers, columns, saved=self.saved_word, is_brief=brief
            )
            panel.show([*lines, *self.field_lines(key.name, columns)])
        changed = len(self.entered.changes)
        self.query_one("#form-panel").border_subtitle = f"* {changed} changed" if changed else ""
        self.refresh_bindings()

    def field_lines(self, key: str, columns: int) -> list[Line]:
        """Return more lines about a field. Subclasses override this method."""
        return []
