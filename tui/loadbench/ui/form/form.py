"""The form: the most used keys, and the others in groups that can be opened."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.message import Message
from textual.widget import Widget

from loadbench.engine.profile.editing.keys import (
    FIRST_KEYS,
    ProfileKey,
    key_groups,
    profile_key,
)
from loadbench.engine.profile.editing.notation import format_value
from loadbench.engine.profile.editing.templates import template_of
from loadbench.ui.form.editors import ChoiceEditor, TextEditor
from loadbench.ui.form.field import Field, GroupHeading
from loadbench.ui.form.state import Entered
from loadbench.ui.lines.glyphs import Glyphs
from loadbench.ui.lines.text import Tone, line
from loadbench.ui.widgets.line_view import TextLine

_GOALS = "goals."

Suggest = Callable[[str, Entered], Sequence[str]]
"""Returns the values to offer for a key."""


class ProfileForm(VerticalScroll, can_focus=False, inherit_bindings=False):
    """All keys of a profile as fields. Its owner keeps what was entered.

    Args:
        entered: The values to start with.
        glyphs: The terminal's character set.
        suggest: Returns the values to offer for a key.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "previous field", show=False),
        Binding("down", "move(1)", "next field", show=False),
        Binding("pageup", "move(-8)", "up 8 fields", show=False),
        Binding("pagedown", "move(8)", "down 8 fields", show=False),
        Binding("ctrl+n", "suggest", "suggestion", tooltip="Enter the next suggested value"),
        Binding("ctrl+r", "restore", "restore", tooltip="Restore the saved value of the field"),
        Binding("ctrl+t", "default", "default", show=False, tooltip="Enter the default"),
    ]

    class Edited(Message):
        """A field was edited."""

        def __init__(self, key: str, text: str) -> None:
            super().__init__()
            self.key, self.text = key, text

    class Moved(Message):
        """Another field has the focus."""

    def __init__(self, entered: Entered, glyphs: Glyphs, suggest: Suggest) -> None:
        self._warnings: Mapping[str, str] = {}
        self._entered, self._glyphs, self._suggest = entered, glyphs, suggest
        super().__init__(*self._rows(), id="form")

    def _rows(self) -> Iterator[Widget]:
        """Yield the first fields and the headings of the groups."""
        first = dict.fromkeys((*template_of(self._entered.values).first_keys, *FIRST_KEYS))
        goals = [name for name in first if name.startswith(_GOALS)]
        for name in first:
            if name not in goals:
                yield Field(profile_key(name), self._entered, self._glyphs)
        yield TextLine(id="goals-heading")
        for name in sorted(goals, key=FIRST_KEYS.index):
            yield Field(profile_key(name), self._entered, self._glyphs)
        for group in key_groups():
            keys = tuple(key for key in group.keys if key.name not in first)
            if keys:
                yield GroupHeading(replace(group, keys=keys), self._glyphs)

    def on_mount(self) -> None:
        """Show labels and errors."""
        self.query_one("#goals-heading", TextLine).show([line(("  Goals", Tone.DIM))])
        self.show(self._entered)

    @property
    def key(self) -> ProfileKey | None:
        """The key of the focused field, or None if a heading has the focus."""
        field = self._focused_field
        return field.key if field else None

    def fill(self, entered: Entered) -> None:
        """Replace the texts in all fields."""
        for field in self.query(Field):
            field.editor.value = entered.text(field.key.name)
        self.show(entered)

    def show(self, entered: Entered) -> None:
        """Show which fields have changed, and their errors and warnings."""
        self._entered = entered
        for field in self.query(Field):
            field.show(entered, self._warnings.get(field.key.name, ""))
        for heading in self.query(GroupHeading):
            heading.show_state(entered)

    def texts(self) -> Mapping[str, str]:
        """Return the texts in the fields now, by key. Closed groups have no fields."""
        return {field.key.name: field.editor.value for field in self.query(Field)}

    def warn(self, warnings: Mapping[str, str]) -> None:
        """Show warnings at fields, by key."""
        if warnings != self._warnings:
            self._warnings = warnings
            self.show(self._entered)

    async def reveal(self, key: str) -> None:
        """Focus the field of a key, and open its group if it is closed."""
        for heading in self.query(GroupHeading):
            if not heading.is_open and any(one.name == key for one in heading.keys):
                heading.is_open = True
                await self._open(heading)
        for field in self.query(Field):
            if field.key.name == key:
                self.screen.set_focus(field.editor)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enable the actions that apply to the focused field."""
        key = self.key
        match action:
            case "suggest":
                return key is not None and bool(self._suggest(key.name, self._entered))
            case "restore":
                return key is not None and self._differs(key.name)
        return True

    def action_move(self, by: int) -> None:
        """Move the focus by a number of fields."""
        widgets = self._stops()
        focused = self.screen.focused
        at = widgets.index(focused) if focused in widgets else 0
        # Unlike `Widget.focus`, this takes effect before the next key.
        self.screen.set_focus(widgets[min(len(widgets) - 1, max(0, at + by))])

    def action_suggest(self) -> None:
        """Replace the text of the field by the suggestion after it."""
        field = self._focused_field
        if field is None or not isinstance(field.editor, TextEditor):
            return
        offers = list(self._suggest(field.key.name, self._entered))
        if offers:
            value = field.editor.value
            at = offers.index(value) + 1 if value in offers else 0
            field.editor.value = offers[at % len(offers)]
            field.editor.action_end()

    def action_restore(self) -> None:
        """Restore the saved value of the field."""
        field = self._focused_field
        if field:
            self.post_message(self.Edited(field.key.name, self._entered.saved_text(field.key.name)))

    def action_default(self) -> None:
        """Enter the default value of the field."""
        field = self._focused_field
        if field and not field.key.is_required:
            field.editor.value = format_value(field.key, field.key.default)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Report the new field, and bring its label and error into view."""
        if field := self._focused_field:
            field.scroll_visible(animate=False)
        self.post_message(self.Moved())

    @on(Field.Edited)
    def _report(self, event: Field.Edited) -> None:
        event.stop()
        if event.text != self._entered.text(event.key):
            self.post_message(self.Edited(event.key, event.text))

    @on(GroupHeading.Toggled)
    async def _toggle(self, event: GroupHeading.Toggled) -> None:
        event.stop()
        heading = event.heading
        if heading.is_open:
            await self._open(heading)
        else:
            names = {key.name for key in heading.keys}
            await self.remove_children(
                [field for field in self.query(Field) if field.key.name in names]
            )
        self.show(self._entered)

    async def _open(self, heading: GroupHeading) -> None:
        fields = [Field(key, self._entered, self._glyphs) for key in heading.keys]
        await self.mount(*fields, after=heading)
        self.show(self._entered)
        fields[-1].scroll_visible(animate=False)
        heading.scroll_visible(animate=False)

    @property
    def _focused_field(self) -> Field | None:
        focused = self.screen.focused
        found = (node for node in focused.ancestors if isinstance(node, Field)) if focused else ()
        return next(iter(found), None)

    def _differs(self, key: str) -> bool:
        return self._entered.text(key) != self._entered.saved_text(key)

    def _stops(self) -> list[Widget]:
        """Return the widgets that take the focus, from top to bottom."""
        stops = (ChoiceEditor, TextEditor, GroupHeading)
        return [node for node in self.walk_children(Widget) if isinstance(node, stops)]
