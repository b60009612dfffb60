"""The rows of a form: a field with its label and error, and the heading of a group."""

from contextlib import suppress
from functools import partial
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input

from loadbench.engine.profile.editing.keys import KeyGroup, KeyKind, ProfileKey
from loadbench.engine.profile.editing.notation import format_value, parse_value
from loadbench.ui.form.editors import ChoiceEditor, TextEditor
from loadbench.ui.form.lines import LISTS, RANGE, chip_texts, placeholder
from loadbench.ui.form.state import Entered
from loadbench.ui.lines.glyphs import Glyphs
from loadbench.ui.lines.text import Tone, line, wrap
from loadbench.ui.widgets.line_view import LineView, TextLine
from loadbench.wording import counted

_MIN_COLUMNS = 60
"""Width before the first layout."""
BOOLEANS = ("true", "false")


class Field(Vertical):
    """A key of the profile: its label, the editor of its value, and its error.

    Args:
        key: The key.
        entered: The form.
        glyphs: The terminal's character set.
    """

    class Edited(Message):
        """The text of the field has changed."""

        def __init__(self, key: str, text: str) -> None:
            super().__init__()
            self.key, self.text = key, text

    def __init__(self, key: ProfileKey, entered: Entered, glyphs: Glyphs) -> None:
        self.key = key
        self.editor = _editor(key, entered.text(key.name), glyphs)
        self._label = TextLine(classes="label")
        self._error = TextLine(classes="error")
        # Children are passed on, not composed, so that the first field can get the focus at once.
        super().__init__(
            Horizontal(self._label, self.editor), self._error, id=f"field-{_id(key.name)}"
        )

    def show(self, entered: Entered, warning: str = "") -> None:
        """Mark a changed value, and show its error or warning.

        The text is left alone, because the user may have typed more than what has been entered.
        """
        name = self.key.name
        is_changed = name in entered.changes or entered.text(name) != entered.saved_text(name)
        mark = ("* ", Tone.ACCENT) if is_changed else ("  ", Tone.PLAIN)
        tone = Tone.STRONG if is_changed else Tone.PLAIN
        self._label.show([line(mark, (self.key.label, tone))])
        error = entered.errors.get(name)
        text = (error, Tone.BAD) if error else (warning, Tone.WARN)
        columns = self.size.width or _MIN_COLUMNS
        shown = wrap(line("    ", text), columns, indent=4) if error or warning else []
        self._error.show(shown)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Report the new text, unless it has been replaced since."""
        event.stop()
        if event.value == self.editor.value:
            self.post_message(self.Edited(self.key.name, event.value))

    def on_choice_editor_changed(self, event: ChoiceEditor.Changed) -> None:
        """Report the new choice."""
        event.stop()
        self.post_message(self.Edited(self.key.name, event.editor.value))

    def on_descendant_blur(self) -> None:
        """Replace a range by the list that it stands for."""
        text = self.editor.value
        if RANGE in text:
            with suppress(ValueError):
                self.editor.value = format_value(self.key, parse_value(self.key, text))


class GroupHeading(LineView, inherit_bindings=False):
    """The heading of a group of fields, which opens and closes the group.

    Args:
        group: The group.
        glyphs: The terminal's character set.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "toggle_group", "open or close", key_display="Enter"),
        Binding("right", "toggle_group", "open", show=False),
        Binding("left", "toggle_group", "close", show=False),
    ]

    class Toggled(Message):
        """The group was opened or closed."""

        def __init__(self, heading: "GroupHeading") -> None:
            super().__init__()
            self.heading = heading

    def __init__(self, group: KeyGroup, glyphs: Glyphs) -> None:
        super().__init__(id=f"group-{group.name}")
        self.keys, self._heading, self._glyphs = group.keys, group.heading, glyphs
        self.is_open = False

    def show_state(self, entered: Entered) -> None:
        """Show the title, and how many fields of a closed group have changed or have errors."""
        names = [key.name for key in self.keys]
        errors = sum(name in entered.errors for name in names)
        changed = sum(name in entered.changes for name in names)
        arrow = ("- " if self._glyphs.ascii else "▾ ") if self.is_open else f"{self._glyphs.arrow} "
        pieces: list[tuple[str, Tone]] = [(arrow, Tone.ACCENT), (self._heading, Tone.STRONG)]
        if not self.is_open:
            pieces.append((f"  {counted(len(names), 'setting')}", Tone.DIM))
        if errors:
            pieces.append((f"  {self._glyphs.failed} {counted(errors, 'error')}", Tone.BAD))
        elif changed and not self.is_open:
            pieces.append((f"  * {changed} changed", Tone.ACCENT))
        self.show([line(*pieces)])

    def action_toggle_group(self) -> None:
        """Open the group if it is closed, and vice versa."""
        self.is_open = not self.is_open
        self.post_message(self.Toggled(self))

    def on_click(self) -> None:
        """Open or close the group."""
        self.action_toggle_group()


def _editor(key: ProfileKey, text: str, glyphs: Glyphs) -> ChoiceEditor | TextEditor:
    name = _id(key.name)
    if key.kind in (KeyKind.CHOICE, KeyKind.BOOLEAN):
        return ChoiceEditor(key.choices or BOOLEANS, text, glyphs, id=name)
    chips = partial(chip_texts, key) if key.kind in LISTS else None
    return TextEditor(text, placeholder=placeholder(key), chips=chips, id=name)


def _id(name: str) -> str:
    """Return a key as the id of a widget."""
    return name.replace(".", "-")
