"""Write only the changed character cells of the newest frame to the terminal.

Textual sends whole regions and blocks until the terminal has accepted them. This module draws into
a grid of cells instead, compares it with the grid that the terminal shows, and sends the
difference. A frame is sent only after the terminal has accepted the previous one, so a stalled
connection neither freezes the UI nor queues stale frames. It depends on internals of Textual and
disables itself if they differ from what it expects.

Upstream: https://github.com/Textualize/textual/issues/4086 considers a comparison with the previous
frame for one widget; https://github.com/Textualize/textual/pull/1104 introduced the queue that
blocks while the terminal does not read. This module can go when Textual sends only changed cells
and skips frames instead of waiting.
"""

import os
import termios
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from select import select
from typing import IO, Any, NamedTuple, TypeVar

from rich.cells import split_graphemes
from rich.color import Color, ColorSystem
from rich.console import RenderableType
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.app import App
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Region, Size
from textual.screen import Screen
from textual.strip import SGR_STYLES, Strip

from loadbench.printable import printable

SWITCH = "LOADBENCH_CELL_DIFF"
"""Environment variable that leaves all output to Textual if its value is 0."""
_MAX_GAP = 4
"""Maximum gap of unchanged cells to resend, since moving the cursor over it takes more bytes."""
_LAST_FRAME_S, _POLL_S = 0.1, 0.01
"""Timeout for pending output on exit, and interval between two checks, in seconds."""
_CANCEL = "\x18"
"""Cancels an incomplete escape sequence."""
_SYNC_BEGIN, _SYNC_END = "\x1b[?2026h", "\x1b[?2026l"

_VISIBLE_ON_BLANKS = frozenset(("4", "7", "9", "21", "51", "52", "53"))
"""SGR codes that are visible on a blank cell: underline, strike-through, frame and reverse."""

T = TypeVar("T")
Update = LayoutUpdate | ChopsUpdate


class Pen(NamedTuple):
    """Style of a cell, as parts of SGR codes. An empty part means the terminal's default."""

    attributes: str = ""
    colour: str = ""
    background: str = ""
    link: str = ""

    def after(self, before: "Pen | None") -> str:
        """Return the codes that switch to this pen from `before`. None means an unknown pen."""
        codes = ""
        if before is None or before.attributes != self.attributes:
            parts = filter(None, ("0", self.attributes, self.colour, self.background))
            codes = f"\x1b[{';'.join(parts)}m"
        else:
            colour = self.colour or "39" if before.colour != self.colour else ""
            background = self.background or "49" if before.background != self.background else ""
            if colour or background:
                codes = f"\x1b[{';'.join(filter(None, (colour, background)))}m"
        if self.link != (before.link if before else ""):
            codes += f"\x1b]8;{self.link or ';'}\x1b\\"
        return codes


PLAIN = Pen()
ScreenCell = tuple[str, Pen]
"""Text and style of one column. The second half of a wide character has an empty text."""
BLANK: ScreenCell = (" ", PLAIN)
_UNKNOWN: ScreenCell = ("?", Pen(attributes="?"))


class Canvas:
    """The contents to show next, and the contents that the terminal shows now."""

    def __init__(self) -> None:
        self._next: list[list[ScreenCell]] = []
        self._shown: list[list[ScreenCell]] = []
        self._changed: set[int] = set()
        self._cursor = (0, 0)

    def fits(self, columns: int, rows: int) -> bool:
        """Return whether the canvas has this size."""
        return len(self._next) == rows and all(len(row) == columns for row in self._next[:1])

    def resize(self, columns: int, rows: int) -> None:
        """Clear the canvas and set its size, so that every cell is sent again."""
        self._next = [[BLANK] * columns for _ in range(rows)]
        self.forget()

    def forget(self) -> None:
        """Mark the contents of the terminal as unknown, so that every cell is sent again."""
        self._shown = [[_UNKNOWN] * len(row) for row in self._next]
        self._changed = set(range(len(self._next)))

    def put(self, row: int, column: int, cells: list[ScreenCell]) -> None:
        """Write cells into a row, starting at a column.

        Raises:
            ValueError: The cells extend past the right edge.
        """
        line = self._next[row]
        end = column + len(cells)
        if end > len(line):
            raise ValueError(f"columns up to {end} of {len(line)}")
        if line[column:end] != cells:
            line[column:end] = cells
            self._changed.add(row)

    def place_cursor(self, column: int, row: int) -> None:
        """Set the position of the terminal's hidden cursor, counted from 0."""
        self._cursor = (column, row)

    def take(self) -> str:
        """Return the output that updates the terminal, and mark it as sent."""
        parts: list[str] = []
        pen: Pen | None = None
        for row in sorted(self._changed):
            target, shown = self._next[row], self._shown[row]
            position: int | None = None
            for begin, end in _runs(target, shown):
                if position is None:
                    parts.append(f"\x1b[{row + 1};{begin + 1}H")
                elif position != begin:
                    parts.append(f"\x1b[{begin + 1}G")
                for column in range(begin, end):
                    text, style = target[column]
                    if text and style != pen and not (text == " " and _is_same_blank(style, pen)):
                        parts.append(style.after(pen))
                        pen = style
                    parts.append(text)
                    if len(text) != 1:
                        # Terminals disagree on the width of some characters.
                        parts.append(f"\x1b[{column + 2}G")
                position = end
            self._shown[row] = target.copy()
        self._changed.clear()
        if not parts:
            return ""
        no_link = "\x1b]8;;\x1b\\" if pen and pen.link else ""
        x, y = self._cursor
        return f"{''.join(parts)}{no_link}\x1b[0m\x1b[{y + 1};{x + 1}H"


def _is_same_blank(style: Pen, pen: Pen | None) -> bool:
    """Return whether a blank looks the same in both pens."""
    return pen is not None and _blank(pen) == style


class CellDriver(LinuxDriver):
    """Write to the terminal without blocking, as soon as it is ready for output."""

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        self._file: Any = _NotifyingFile(self._file, self._on_written)
        self._canvas: Canvas | None = Canvas()
        self._messages: list[str] = []
        self._is_leaving = False
        self._busy = threading.Event()

    def show(self, update: Update, colours: ColorSystem, cursor: tuple[int, int]) -> bool:
        """Draw an update, and send it as soon as the terminal is ready.

        Args:
            update: The regions that Textual has redrawn.
            colours: Colour system of the terminal.
            cursor: Column and row of the terminal's cursor, from 0.

        Returns:
            Whether the update was drawn. If not, Textual must draw this update and all later ones.
        """
        if self._canvas is None:
            return False
        try:
            is_complete = _draw(update, self._canvas, colours)
        except Exception:  # noqa: BLE001  # any failure: fall back to Textual's own output
            self._fall_back()
            return False
        self._canvas.place_cursor(*cursor)
        if is_complete:
            self._send()
        else:
            self._app.call_later(self._app.refresh, layout=True)
        return True

    def forget(self) -> None:
        """Resend the whole screen with the next update, since its contents are unknown."""
        if self._canvas:
            self._canvas.forget()

    def write(self, data: str) -> None:
        """Send data that is not part of the screen, after all earlier output."""
        if self._canvas is None:
            super().write(data)
        else:
            self._messages.append(data)
            self._send()

    def start_application_mode(self) -> None:
        """Take control of the terminal, whose contents are unknown."""
        self._busy.clear()
        self._is_leaving = False
        self.forget()
        super().start_application_mode()  # type: ignore[no-untyped-call]  # untyped in Textual

    def stop_application_mode(self) -> None:
        """Queue the sequences that restore the terminal, which `close` sends."""
        self._is_leaving = True
        super().stop_application_mode()

    def close(self) -> None:
        """Restore the terminal, even if it does not accept output."""
        if self._writer_thread and self._canvas:
            last = "".join(self._messages)
            self._messages.clear()
            # Send it twice if part of the first attempt was dropped.
            if not self._send_in_time(last if self._has_room() else self._make_room() + last):
                self._send_in_time(self._make_room() + last)
            if self._busy.is_set():
                return  # the blocked writer thread exits with the process
        super().close()

    def _send(self) -> None:
        if self._busy.is_set() or self._is_leaving or not (self._writer_thread and self._canvas):
            return
        frame = self._canvas.take()
        if frame and self._app._sync_available:
            frame = f"{_SYNC_BEGIN}{frame}{_SYNC_END}"
        text = "".join((*self._messages, frame))
        self._messages.clear()
        if text:
            self._busy.set()
            self._enqueue(text)

    def _has_room(self) -> bool:
        return not self._busy.is_set() and bool(select([], [self._file.fileno()], [], 0.0)[1])

    def _make_room(self) -> str:
        """Wait briefly for pending output, then discard it, to be able to restore the terminal.

        Returns:
            The code that cancels an incomplete sequence. Empty if nothing was discarded.
        """
        if self._wait_for(self._has_room):
            return ""
        fd = self._file.fileno()
        with suppress(termios.error):
            deadline = time.monotonic() + 2 * _LAST_FRAME_S
            while not self._has_room() and time.monotonic() < deadline:
                termios.tcflush(fd, termios.TCOFLUSH)
                # Only a change of the terminal's attributes wakes a blocked writer.
                termios.tcsetattr(fd, termios.TCSANOW, termios.tcgetattr(fd))
                time.sleep(_POLL_S)
        return _CANCEL

    def _send_in_time(self, text: str) -> bool:
        """Send a text, and return whether it was written within `_LAST_FRAME_S`."""
        self._busy.set()
        self._enqueue(text)
        return self._wait_for(lambda: not self._busy.is_set())

    def _wait_for(self, condition: Callable[[], bool]) -> bool:
        """Wait for a condition, and return whether it became true within `_LAST_FRAME_S`."""
        deadline = time.monotonic() + _LAST_FRAME_S
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_S)
        return True

    def _enqueue(self, text: str) -> None:
        super().write(text)

    def _on_written(self) -> None:
        """Send pending output. Called in the writer thread."""
        self._busy.clear()
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._send)

    def _fall_back(self) -> None:
        """Let Textual write all output from now on."""
        self._canvas = None
        for message in self._messages:
            super().write(message)
        self._messages.clear()
        self._app.call_later(self._app.refresh, layout=True)


_DRIVER_MEMBERS = (
    *("write", "close", "start_application_mode", "stop_application_mode", "_get_terminal_size"),
)
_APP_MEMBERS = ("_display", "post_display_hook", "call_later", "refresh", "on_event")
"""Members of Textual's classes that this module overrides or calls."""


def _is_outdated(size: Size, driver: Driver | None) -> bool:
    """Return whether the current size of the terminal is known and differs."""
    if getattr(driver, "_in_band_window_resize", True):
        return False
    current = getattr(driver, "_get_terminal_size", None)
    return current is not None and current() != size


class CellDiffApp(App[T]):
    """An app that draws through its driver if that is a `CellDriver`."""

    def forget_screen(self) -> None:
        """Redraw the whole screen with the next update, since other output may have covered it."""
        if isinstance(self._driver, CellDriver):
            self._driver.forget()

    async def on_event(self, event: events.Event) -> None:
        """Drop an outdated resize event, which may even arrive after the one with the current size.

        A second signal interrupts the handler of the first, which then sends its older size. No
        upstream issue known (searched 2026-11). Can go when Textual drops outdated sizes.
        """
        if isinstance(event, events.Resize) and _is_outdated(event.size, self._driver):
            return
        await super().on_event(event)

    def on_resize(self, _: events.Resize) -> None:
        """Redraw the whole screen, since terminals move their contents on a resize."""
        self.forget_screen()

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        driver = self._driver
        is_active = self._running and not self._closed and not self._batch_count
        if is_active and isinstance(driver, CellDriver) and isinstance(renderable, Update):
            cursor = self.screen.outer_size.clamp_offset(self.cursor_position)
            colours = self.console._color_system or ColorSystem.TRUECOLOR
            if driver.show(renderable, colours, cursor):
                self.post_display_hook()
                return
        super()._display(screen, renderable)


def cell_driver(environ: Mapping[str, str] = os.environ) -> type[Driver] | None:
    """Return the cell driver class, or None if it is disabled or does not support this Textual."""
    if environ.get(SWITCH) == "0" or "TEXTUAL_DRIVER" in environ or not _is_supported():
        return None
    return CellDriver


class _NotifyingFile:
    """The terminal's file, with a callback after each completed flush."""

    def __init__(self, file: IO[str], on_flushed: Callable[[], None]) -> None:
        self._file, self._on_flushed = file, on_flushed

    def write(self, text: str) -> int:
        return self._file.write(text)

    def flush(self) -> None:
        self._file.flush()
        self._on_flushed()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def _draw(update: Update, canvas: Canvas, colours: ColorSystem) -> bool:
    """Draw an update into a canvas, and return whether the canvas is complete."""
    is_complete = True
    if isinstance(update, LayoutUpdate):
        region = update.region
        if not canvas.fits(region.right, region.bottom):
            canvas.resize(region.right, region.bottom)
        pieces = _layout_pieces(update)
    else:
        columns = max(ends[-1] for ends in update.chop_ends)
        if not canvas.fits(columns, len(update.chops)):
            canvas.resize(columns, len(update.chops))
            is_complete = False
        pieces = _chops_pieces(update)
    for row, column, strip in pieces:
        canvas.put(row, column, _cells(strip, colours))
    return is_complete


def _layout_pieces(update: LayoutUpdate) -> Iterator[tuple[int, int, Strip]]:
    for row, strips in enumerate(update.strips, update.region.y):
        column = update.region.x
        for strip in strips:
            yield row, column, strip
            column += strip.cell_length


def _chops_pieces(update: ChopsUpdate) -> Iterator[tuple[int, int, Strip]]:
    # Outside the spans, a line may not include the widgets that cover it.
    for row, begin, end in update.spans:
        ends = update.chop_ends[row]
        for chop_end, (column, strip) in zip(ends, update.chops[row].items(), strict=False):
            if strip is not None and column < end and chop_end > begin:
                yield row, column, strip


def _cells(strip: Strip, colours: ColorSystem) -> list[ScreenCell]:
    cells: list[ScreenCell] = []
    for text, style, control in strip:
        if control:
            continue
        pen = PLAIN if style is None else _pen(style, colours)
        if text.isascii() and text.isprintable():
            blank = (" ", _blank(pen))
            cells += [blank if character == " " else (character, pen) for character in text]
        else:
            cells += _wide_cells(text, pen)
    # If Textual cuts a wide character in two, it still counts the full width.
    cells += [BLANK] * (strip.cell_length - len(cells))
    if len(cells) > strip.cell_length:
        cells[strip.cell_length - 1 :] = [BLANK]
    return cells


def _wide_cells(text: str, pen: Pen) -> Iterable[ScreenCell]:
    # Panels show only printable text. This holds for every widget, even one of Textual's.
    text = printable(text).replace("\n", " ").replace("\t", " ")
    for begin, end, columns in split_graphemes(text)[0]:
        if columns:
            yield text[begin:end], _blank(pen) if text[begin:end] == " " else pen
            yield from [("", pen)] * (columns - 1)


def _pen(style: Style, colours: ColorSystem) -> Pen:
    attributes = style._attributes & style._set_attributes
    link = f"id={style._link_id};{style._link}" if style._link else ""
    return _made_pen(attributes, style._color, style._bgcolor, link, colours)


@lru_cache(maxsize=4096)
def _made_pen(
    attributes: int, colour: Color | None, background: Color | None, link: str, colours: ColorSystem
) -> Pen:
    bits = [code for bit, code in enumerate(SGR_STYLES) if attributes & (1 << bit)]
    fore = colour.downgrade(colours).get_ansi_codes() if colour else ()
    back = background.downgrade(colours).get_ansi_codes(foreground=False) if background else ()
    return Pen(";".join(bits), ";".join(fore), ";".join(back), link)


@lru_cache(maxsize=4096)
def _blank(pen: Pen) -> Pen:
    """Return the pen for a blank, without the attributes that do not show on it."""
    visible = _VISIBLE_ON_BLANKS.intersection(pen.attributes.split(";"))
    return pen if visible or pen.link else PLAIN._replace(background=pen.background)


def _runs(target: list[ScreenCell], shown: list[ScreenCell]) -> Iterator[tuple[int, int]]:
    """Yield the column ranges in which two rows differ, as start and exclusive end.

    Adjacent and nearby ranges are joined, and wide characters are never split.
    """
    columns, column = len(target), 0
    while column < columns:
        if target[column] == shown[column]:
            column += 1
            continue
        begin = column
        while begin and not target[begin][0]:
            begin -= 1
        last, pen = column, target[column][1]
        column += 1
        while column < columns and column - last <= _MAX_GAP:
            if target[column] != shown[column]:
                last, pen = column, target[column][1]
            elif target[column][1] != pen:
                break
            column += 1
        end = last + 1
        while end < columns and not target[end][0]:
            end += 1
        column = max(column, end)
        yield begin, end


def _is_supported() -> bool:
    """Return whether Textual's internals behave as this module expects."""
    red, text = Style(color="red", bold=True), Strip([Segment("ab", None), Segment("c", None)])
    canvas = Canvas()
    try:
        styled = Strip([Segment("x漢", red)])
        _draw(LayoutUpdate([[text, styled]], Region(0, 0, 6, 1)), canvas, ColorSystem.STANDARD)
        whole = canvas.take()
        chops = ChopsUpdate([{0: None, 3: Strip([Segment("y漢", red)])}], [(0, 3, 6)], [[3, 6]])
        _draw(chops, canvas, ColorSystem.STANDARD)
        part = canvas.take()
    except Exception:  # noqa: BLE001  # any failure means that the internals differ
        return False
    has_members = all(hasattr(LinuxDriver, name) for name in _DRIVER_MEMBERS)
    has_members = has_members and all(hasattr(App, name) for name in _APP_MEMBERS)
    is_drawn = "abc" in whole and "漢" in whole and "\x1b[1;4H" in part and "漢" not in part
    return has_members and is_drawn
