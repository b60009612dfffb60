"""The editors of single values: a text field and a choice."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input

from loadbench.ui.form.lines import choice_pieces
from loadbench.ui.lines.glyphs import Glyphs, in_ascii
from loadbench.ui.lines.text import width

Chips = Callable[[str], Sequence[str]]
"""Returns the items of a list that a text stands for. Empty if the text is invalid."""


class TextEditor(Input):
    """A text field in one row. A list is shown as chips until the field has the focus.

    Enter is left to the screen.

    Args:
        value: The initial text.
        placeholder: Text for an empty field.
        chips: Returns the items of a list that a text stands for. None if the text is no list.
        id: The id of the widget.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"editor--chip"}

    def __init__(self, value: str, *, placeholder: str, chips: Chips | None, id: str) -> None:  # noqa: A002  # Textual's parameter name
        super().__init__(value, placeholder, id=id, compact=True, select_on_focus=True)
        self.cursor_blink = False
        self._chips = chips

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable the action of Enter, so that the screen handles the key."""
        return action != "submit"

    def render_line(self, y: int) -> Strip:
        """Return the row: chips without the focus, otherwise the text."""
        chips = self._chips(self.value) if self._chips and not self.has_focus else ()
        if not chips:
            return super().render_line(y)
        base = self.rich_style
        chip = base + self.get_component_rich_style("editor--chip", partial=True)
        segments = []
        for part in chips:
            text = in_ascii(part) if self.app.has_class("-ascii") else part
            segments += [Segment(f" {text} ", chip), Segment(" ", base)]
        return Strip(segments).crop_extend(0, self.size.width, base)


class ChoiceEditor(Widget, can_focus=True):
    """A choice of one of several values, all of them in sight.

    Args:
        choices: The values.
        value: The initial value. May be invalid.
        glyphs: The terminal's character set.
        id: The id of the widget.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,space", "choose(1)", "next", tooltip="Choose the next value"),
        Binding("left", "choose(-1)", "previous", show=False, tooltip="Choose the previous value"),
    ]

    class Changed(Message):
        """Another value was chosen."""

        def __init__(self, editor: "ChoiceEditor") -> None:
            super().__init__()
            self.editor = editor

    value = reactive("")

    def __init__(self, choices: Sequence[str], value: str, glyphs: Glyphs, *, id: str) -> None:  # noqa: A002  # Textual's parameter name
        super().__init__(id=id)
        self._choices, self._glyphs = choices, glyphs
        self.set_reactive(ChoiceEditor.value, value)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return one row."""
        return 1

    def watch_value(self) -> None:
        """Report the new value."""
        self.post_message(self.Changed(self))

    def action_choose(self, by: int) -> None:
        """Choose the next or previous value; after the last follows the first."""
        if self.value in self._choices:
            at = (self._choices.index(self.value) + by) % len(self._choices)
            self.value = self._choices[at]
        else:
            self.value = self._choices[0]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable the choice if there is only one value."""
        return action != "choose" or len(self._choices) > 1

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Return whether a value starts with a typed letter."""
        return bool(self._starting_with(character))

    def on_key(self, event: events.Key) -> None:
        """Choose the next value that starts with a typed letter."""
        if matches := self._starting_with(event.character):
            later = [value for value in matches if self._choices.index(value) > self._index]
            self.value = (later or matches)[0]
            event.stop()

    def _starting_with(self, character: str | None) -> list[str]:
        typed = (character or "").lower()
        return [choice for choice in self._choices if typed and choice.startswith(typed)]

    def on_click(self, event: events.Click) -> None:
        """Choose the value that was clicked."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        if width(choice_pieces(self._choices, self.value, self._glyphs)) > self.size.width:
            self.action_choose(1)
            return
        left = 0
        for choice in self._choices:
            right = left + len(choice) + 4
            if left <= offset.x < right:
                self.value = choice
            left = right

    @property
    def _index(self) -> int:
        return self._choices.index(self.value) if self.value in self._choices else -1

    def render_line(self, y: int) -> Strip:
        """Return the row with all choices."""
        base = self.rich_style
        pieces = choice_pieces(self._choices, self.value, self._glyphs, self.size.width)
        segments = [
            Segment(
                piece.text,
                base + self.screen.get_component_rich_style(f"tone--{piece.tone}", partial=True),
            )
            for piece in pieces
        ]
        return Strip(segments).crop_extend(0, self.size.width, base)
