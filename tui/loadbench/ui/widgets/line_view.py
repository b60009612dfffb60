"""A scrollable panel of text lines that repaints only the lines that changed."""

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.theme import Theme

from loadbench.ui.lines.glyphs import in_ascii
from loadbench.ui.lines.text import Line, Piece, Tone, line, plain, title_text, width

_PLAIN = Style.null()
_SCROLL_COLUMNS = 8


class LineView(ScrollView, can_focus=True, inherit_bindings=False):
    """Lines of text with tones. The panel is scrollable if they do not fit."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_up", "scroll up", show=False),
        Binding("down,j", "scroll_down", "scroll down", show=False),
        Binding("left,h", "scroll_left", "scroll left", show=False),
        Binding("right,l", "scroll_right", "scroll right", show=False),
        Binding("home,g", "scroll_home", "scroll to the top", show=False),
        Binding("end,G", "scroll_end", "scroll to the end", show=False),
        Binding("pageup", "page_up", "scroll up a page", show=False),
        Binding("pagedown", "page_down", "scroll down a page", show=False),
    ]

    class Resized(Message):
        """The width of the panel has changed, so its lines must be wrapped again."""

        def can_replace(self, message: Message) -> bool:
            """Replace the message of any other panel, since a screen paints all panels together."""
            return isinstance(message, LineView.Resized)

    def __init__(
        self,
        *,
        id: str | None = None,  # noqa: A002  # the name that Textual uses
        classes: str | None = None,
        title: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: Sequence[Line] = ()
        self._lines_columns = 0
        """Width of the panel, in columns, for which the lines are wrapped."""
        self._centred: int | None = None
        self._title: Line = ()
        self._subtitle = ""
        if title:
            self.border_title = title_text(title)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enable the keys that scroll only if there is something to scroll to."""
        if action in ("scroll_left", "scroll_right"):
            return self.max_scroll_x > 0
        if action.startswith(("scroll_", "page_")):
            return self.max_scroll_y > 0
        return super().check_action(action, parameters)

    @property
    def lines(self) -> Sequence[Line]:
        """The lines shown."""
        return self._lines

    @property
    def columns(self) -> int:
        """Columns available to a line without scrolling, or 0 before the first layout."""
        return self.scrollable_content_region.width

    def on_mount(self) -> None:
        """Subscribe to theme changes, because the title contains colours."""
        self.app.theme_changed_signal.subscribe(self, self._restyle_title)

    def _restyle_title(self, _: Theme) -> None:
        if self._title:
            self._style_title()

    def on_resize(self, _: events.Resize) -> None:
        """Request lines that fit the new width."""
        if self.columns != self._lines_columns:
            self.post_message(self.Resized())
        self._scroll_to_centred()

    def watch_show_vertical_scrollbar(self) -> None:
        """Request lines that fit beside the scrollbar, since it does not resize the panel."""
        if self.is_attached and self._lines:
            self.post_message(self.Resized())

    def show(self, lines: Sequence[Line]) -> None:
        """Replace the lines shown, repainting only those that differ."""
        old, self._lines = self._lines, tuple(self._encodable(line) for line in lines)
        self._lines_columns = self.columns
        widest = max(map(width, self._lines), default=0)
        # Every change of the virtual size triggers a layout of the whole screen, so a width that
        # fits is reported as 0.
        room = self.scrollable_content_region.width
        size = Size(widest if widest > room else 0, len(self._lines))
        if size != self.virtual_size:
            self.virtual_size = size
        for y in range(max(len(old), len(self._lines))):
            if old[y : y + 1] != self._lines[y : y + 1]:
                self._refresh_line(y)

    def centre(self, row: int | None) -> None:
        """Scroll a row to the middle, also whenever the panel is resized.

        Args:
            row: Index of the line. None to leave the panel as it is.
        """
        self._centred = row
        self._scroll_to_centred()

    def _scroll_to_centred(self) -> None:
        if self._centred is not None:
            self.scroll_to(y=max(0, self._centred - self.size.height // 2), animate=False)

    def action_scroll_left(self) -> None:
        """Scroll left by several columns, since log lines are long."""
        self.scroll_relative(x=-_SCROLL_COLUMNS, animate=False)

    def action_scroll_right(self) -> None:
        """Scroll right by several columns."""
        self.scroll_relative(x=_SCROLL_COLUMNS, animate=False)

    def set_title(self, title: Line | str) -> None:
        """Set the title in the upper border."""
        title = self._encodable(line(title) if isinstance(title, str) else title)
        if title != self._title:
            self._title = title
            self._style_title()

    def _style_title(self) -> None:
        """Show the title in the colours of the theme."""
        self.border_title = Text.assemble(
            *((piece.text, self._style(piece.tone)) for piece in self._title)
        )

    def note(self, subtitle: str) -> None:
        """Set the note in the lower border."""
        if subtitle != self._subtitle:
            self._subtitle = subtitle
            self.border_subtitle = Text(plain(self._encodable(line(subtitle))))

    def _encodable(self, content: Line) -> Line:
        """Return a line with only characters that the terminal supports."""
        if not self.app.has_class("-ascii"):
            return content
        return tuple(Piece(in_ascii(piece.text), piece.tone) for piece in content)

    def render_line(self, y: int) -> Strip:
        """Return the strip of a visible row."""
        index = y + self.scroll_offset.y
        base = self.rich_style
        columns = self.size.width
        if not 0 <= index < len(self._lines):
            return Strip.blank(columns, base)
        left = self.scroll_offset.x
        return self.line_strip(index).crop_extend(left, left + columns, base)

    def line_strip(self, index: int) -> Strip:
        """Return the styled strip of a whole line, by its index from 0."""
        base = self.rich_style
        return Strip(
            [Segment(piece.text, base + self._style(piece.tone)) for piece in self._lines[index]]
        )

    def _style(self, tone: Tone) -> Style:
        if tone is Tone.PLAIN:
            return _PLAIN
        # Resolving styles is slow, so get them from the screen, which caches them for all panels.
        return self.screen.get_component_rich_style(f"tone--{tone.value}", partial=True)

    def _refresh_line(self, y: int) -> None:
        row = y - self.scroll_offset.y
        if 0 <= row < self.size.height:
            self.refresh(Region(0, row, self.size.width, 1))


class TailView(LineView):
    """A panel of growing text that shows the newest line until the user scrolls up."""

    class Moved(Message):
        """The user scrolled away from the end or back to it."""

    def __init__(
        self,
        *,
        id: str | None = None,  # noqa: A002  # the name that Textual uses
        title: str | None = None,
    ) -> None:
        super().__init__(id=id, title=title)
        self._follows = True
        self._first_row: int | None = None
        """The row to keep at the top. None after the user has scrolled, or to follow the end."""

    @property
    def follows(self) -> bool:
        """Whether the view follows the end."""
        return self._follows

    def follow_end(self) -> None:
        """Show the newest line, and follow the end."""
        self._first_row, self._follows = None, True
        self._keep_end()

    def start_at(self, row: int) -> None:
        """Show the lines from a row on, and no longer follow the end."""
        self._first_row, self._follows = row, False
        # The panel can be scrolled only after its new lines have been laid out.
        self.call_after_refresh(self._keep_end)

    def show(self, lines: Sequence[Line]) -> None:
        """Replace the lines shown. Keep the scroll position unless the view follows the end."""
        super().show(lines)
        self._keep_end()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Start or stop following when the user scrolls to the end or away from it."""
        super().watch_scroll_y(old_value, new_value)
        if self._first_row is not None and new_value != self._row_to_show:
            self._first_row = None
        follows = new_value >= self.max_scroll_y and self._first_row is None
        if follows != self._follows:
            self._follows = follows
            self.post_message(self.Moved())

    def on_resize(self, _: events.Resize) -> None:
        """Keep the end in view."""
        self._keep_end()

    def watch_show_vertical_scrollbar(self) -> None:
        """Keep the end in view after the scrollbar has been laid out.

        Textual cannot scroll before that layout, which does not always cause a resize event. No
        upstream issue known (searched 2026-11). Can go when `scroll_to` works before that layout.
        """
        self.call_later(self._keep_end)

    @property
    def _row_to_show(self) -> int:
        """The row at the top of the panel, unless the user has scrolled."""
        last = self.max_scroll_y
        return last if self._first_row is None else min(self._first_row, last)

    def _keep_end(self) -> None:
        """Scroll to the end if the view follows it, or to the row that it starts at."""
        if self._follows or self._first_row is not None:
            self.scroll_to(y=self._row_to_show, animate=False, immediate=True)


class TextLine(LineView, can_focus=False):
    """A few lines of text that cannot be scrolled or focused."""

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return one row per line."""
        return len(self._lines)

    def show(self, lines: Sequence[Line]) -> None:
        """Replace the lines shown, and request a layout if their number has changed."""
        changed = len(lines) != len(self._lines)
        super().show(lines)
        if changed:
            self.refresh(layout=True)
