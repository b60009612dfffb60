"""A panel that shows lines, scrolls, and paints only those that changed."""

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

from loadbench.ui.lines.glyphs import in_ascii
from loadbench.ui.lines.text import Line, Piece, Tone, plain, width

_PLAIN = Style.null()
_COLUMNS_AT_ONCE = 8


class LineView(ScrollView, can_focus=True, inherit_bindings=False):
    """Lines of text with tones, scrolled when they do not fit."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_up", "scroll up", show=False),
        Binding("down,j", "scroll_down", "scroll down", show=False),
        Binding("left,h", "scroll_left", "scroll left", show=False),
        Binding("right,l", "scroll_right", "scroll right", show=False),
        Binding("home,g", "scroll_home", "to the top", show=False),
        Binding("end,G", "scroll_end", "to the end", show=False),
        Binding("pageup", "page_up", "a page up", show=False),
        Binding("pagedown", "page_down", "a page down", show=False),
    ]

    class Resized(Message):
        """It has another width, so its lines have to be wrapped again."""

        def can_replace(self, message: Message) -> bool:
            """Replace that of another panel: all of a screen are painted together."""
            return isinstance(message, LineView.Resized)

    def __init__(
        self,
        *,
        id: str | None = None,  # noqa: A002  # Textual's own name for it
        classes: str | None = None,
        title: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: Sequence[Line] = ()
        self._lines_columns = 0
        """The width when they were shown: they are wrapped for it."""
        self._title: Line = ()
        self._subtitle = ""
        if title:
            self.border_title = Text(title)

    @property
    def lines(self) -> Sequence[Line]:
        """What is shown."""
        return self._lines

    @property
    def columns(self) -> int:
        """How wide a line may be so that all of it is seen; 0 before the first layout."""
        return self.scrollable_content_region.width

    def on_resize(self, _: events.Resize) -> None:
        """Ask for lines that fit."""
        if self.columns != self._lines_columns:
            self.post_message(self.Resized())

    def show(self, lines: Sequence[Line]) -> None:
        """Show these lines instead; those that are as before are not painted again."""
        old, self._lines = self._lines, tuple(self._spelled(one) for one in lines)
        self._lines_columns = self.columns
        widest = max((width(line) for line in self._lines), default=0)
        # A new size is a new layout of the whole screen, so one that fits is none.
        size = Size(widest if widest > self.columns else 0, len(self._lines))
        if size != self.virtual_size:
            self.virtual_size = size
        for y in range(max(len(old), len(self._lines))):
            if old[y : y + 1] != self._lines[y : y + 1]:
                self._refresh_line(y)

    def action_scroll_left(self) -> None:
        """Scroll by some columns: one a key is too few for a long line."""
        self.scroll_relative(x=-_COLUMNS_AT_ONCE, animate=False)

    def action_scroll_right(self) -> None:
        """Scroll by some columns."""
        self.scroll_relative(x=_COLUMNS_AT_ONCE, animate=False)

    def entitle(self, title: Line | str) -> None:
        """Show a title in the upper border."""
        title = self._spelled((Piece(title),) if isinstance(title, str) else title)
        if title != self._title:
            self._title = title
            self.border_title = Text.assemble(
                *((piece.text, self._style(piece.tone)) for piece in title)
            )

    def note(self, subtitle: str) -> None:
        """Show a remark in the lower border."""
        if subtitle != self._subtitle:
            self._subtitle = subtitle
            self.border_subtitle = Text(plain(self._spelled((Piece(subtitle),))))

    def _spelled(self, one: Line) -> Line:
        if not self.app.has_class("-ascii"):
            return one
        return tuple(Piece(in_ascii(piece.text), piece.tone) for piece in one)

    def render_line(self, y: int) -> Strip:
        """Return one line of what is visible."""
        at = y + self.scroll_offset.y
        base = self.rich_style
        columns = self.size.width
        if not 0 <= at < len(self._lines):
            return Strip.blank(columns, base)
        left = self.scroll_offset.x
        return self.strip_of(at).crop_extend(left, left + columns, base)

    def strip_of(self, at: int) -> Strip:
        """Return a whole line, from 0, as it is painted."""
        base = self.rich_style
        return Strip(
            [Segment(piece.text, base + self._style(piece.tone)) for piece in self._lines[at]]
        )

    def _style(self, tone: Tone) -> Style:
        if tone is Tone.PLAIN:
            return _PLAIN
        # Of the screen, not of every panel: to find the styles of all tones takes its time.
        return self.screen.get_component_rich_style(f"tone--{tone.value}", partial=True)

    def _refresh_line(self, y: int) -> None:
        row = y - self.scroll_offset.y
        if 0 <= row < self.size.height:
            self.refresh(Region(0, row, self.size.width, 1))


class TailView(LineView):
    """Lines whose end matters: it stays in view as they grow, until somebody scrolls up."""

    class Moved(Message):
        """Somebody left the end, or came back to it."""

    def __init__(
        self,
        *,
        id: str | None = None,  # noqa: A002  # Textual's own name for it
        title: str | None = None,
    ) -> None:
        super().__init__(id=id, title=title)
        self._follows = True

    @property
    def follows(self) -> bool:
        """Whether the end is in view, and stays there."""
        return self._follows

    def show(self, lines: Sequence[Line]) -> None:
        """Show these lines instead, from wherever one was looking."""
        super().show(lines)
        self._keep_end()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Take note whether somebody left the end, or came back to it."""
        super().watch_scroll_y(old_value, new_value)
        follows = new_value >= self.max_scroll_y
        if follows != self._follows:
            self._follows = follows
            self.post_message(self.Moved())

    def on_resize(self, _: events.Resize) -> None:
        """Keep the end in view."""
        self._keep_end()

    def watch_show_vertical_scrollbar(self) -> None:
        """Keep the end in view: Textual does not scroll before the layout with a scrollbar.

        That layout need not be a resize. No upstream issue known (searched 2026-11). Can go when
        `scroll_to` scrolls before it.
        """
        self.call_later(self._keep_end)

    def _keep_end(self) -> None:
        if self._follows:
            self.scroll_to(y=self.max_scroll_y, animate=False, immediate=True)


class TextLine(LineView, can_focus=False):
    """A few lines that neither scroll nor take the focus."""

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return as many rows as there are lines."""
        return len(self._lines)

    def show(self, lines: Sequence[Line]) -> None:
        """Show these lines instead, with a new layout if there are more or fewer."""
        changed = len(lines) != len(self._lines)
        super().show(lines)
        if changed:
            self.refresh(layout=True)
