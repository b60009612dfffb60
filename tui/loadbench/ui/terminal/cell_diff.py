"""What is written to the terminal: only the cells that changed, and of all frames the newest.

Textual sends whole regions, and waits for the terminal to take them. Here, what it draws goes into
a grid of cells; what differs from what the terminal has is sent once the terminal has taken what
was sent before. It stands on the inside of Textual; where that is not as expected, all of it stays
out of the way.

Upstream: a comparison with the previous frame is considered for one widget in
https://github.com/Textualize/textual/issues/4086; the queue that blocks when the terminal does not
read came with https://github.com/Textualize/textual/pull/1104. This module can go when Textual
sends only the cells that changed, and skips frames instead of waiting.
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

SWITCH = "LOADBENCH_CELL_DIFF"
"""The variable that leaves all writing to Textual, where it is 0."""
_MAX_GAP = 4
"""So many unchanged cells are cheaper to send than a move of the cursor over them."""
_LAST_FRAME_S, _LOOK_S = 0.1, 0.01
"""How long the terminal may take for what is under way when it is left, and between two looks."""
_CANCEL = "\x18"
"""Ends a code of which the terminal has got the first half."""
_SYNC_BEGIN, _SYNC_END = "\x1b[?2026h", "\x1b[?2026l"

_SEEN_ON_BLANKS = frozenset(("4", "7", "9", "21", "51", "52", "53"))
"""Codes of attributes that show where nothing stands: lines and reversal."""

T = TypeVar("T")
Update = LayoutUpdate | ChopsUpdate


class Pen(NamedTuple):
    """How a cell is written: parts of a terminal's own codes, each empty for the default."""

    attributes: str = ""
    colour: str = ""
    background: str = ""
    link: str = ""

    def after(self, before: "Pen | None") -> str:
        """Return the codes that change the pen to this one. None: nothing is known of it."""
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
"""What stands in a column, and how. The second half of a wide character is empty text."""
BLANK: ScreenCell = (" ", PLAIN)
_UNKNOWN: ScreenCell = ("?", Pen(attributes="?"))


class Canvas:
    """A screen as it is wanted, and as the terminal has it."""

    def __init__(self) -> None:
        self._wanted: list[list[ScreenCell]] = []
        self._there: list[list[ScreenCell]] = []
        self._changed: set[int] = set()
        self._cursor = (0, 0)

    def fits(self, columns: int, rows: int) -> bool:
        """Return whether it has this size."""
        return len(self._wanted) == rows and all(len(row) == columns for row in self._wanted[:1])

    def resize(self, columns: int, rows: int) -> None:
        """Begin with a blank screen of this size, of which the terminal has nothing."""
        self._wanted = [[BLANK] * columns for _ in range(rows)]
        self.forget()

    def forget(self) -> None:
        """Take it that the terminal shows something else; all of it is sent again."""
        self._there = [[_UNKNOWN] * len(row) for row in self._wanted]
        self._changed = set(range(len(self._wanted)))

    def put(self, row: int, column: int, cells: list[ScreenCell]) -> None:
        """Want these cells, from a column of a row on."""
        wanted = self._wanted[row]
        end = column + len(cells)
        if end > len(wanted):
            raise ValueError(f"columns up to {end} of {len(wanted)}")
        if wanted[column:end] != cells:
            wanted[column:end] = cells
            self._changed.add(row)

    def place_cursor(self, column: int, row: int) -> None:
        """Want the terminal's cursor, which is not seen, at a place."""
        self._cursor = (column, row)

    def take(self) -> str:
        """Return what makes the terminal show what is wanted; from now on it does."""
        parts: list[str] = []
        pen: Pen | None = None
        for row in sorted(self._changed):
            wanted, there = self._wanted[row], self._there[row]
            at: int | None = None
            for begin, end in _runs(wanted, there):
                if at is None:
                    parts.append(f"\x1b[{row + 1};{begin + 1}H")
                elif at != begin:
                    parts.append(f"\x1b[{begin + 1}G")
                for column in range(begin, end):
                    text, wants = wanted[column]
                    if text and wants != pen and not (text == " " and _blanks_alike(wants, pen)):
                        parts.append(wants.after(pen))
                        pen = wants
                    parts.append(text)
                    if len(text) != 1:
                        # Terminals do not agree on how wide some characters are.
                        parts.append(f"\x1b[{column + 2}G")
                at = end
            self._there[row] = wanted.copy()
        self._changed.clear()
        if not parts:
            return ""
        no_link = "\x1b]8;;\x1b\\" if pen and pen.link else ""
        x, y = self._cursor
        return f"{''.join(parts)}{no_link}\x1b[0m\x1b[{y + 1};{x + 1}H"


def _blanks_alike(wants: Pen, pen: Pen | None) -> bool:
    """Return whether a blank looks the same with another pen."""
    return pen is not None and _blank(pen) == wants


class CellDriver(LinuxDriver):
    """Writes to the terminal when it is ready to take something, and never waits for it."""

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        self._file: Any = _Outlet(self._file, self._on_taken)
        self._canvas: Canvas | None = Canvas()
        self._messages: list[str] = []
        self._leaving = False
        self._busy = threading.Event()

    def show(self, update: Update, colours: ColorSystem, cursor: tuple[int, int]) -> bool:
        """Draw what has changed, and send it as soon as the terminal takes it.

        Args:
            update: What has changed.
            colours: What the terminal has of them.
            cursor: The column and row of the terminal's cursor, from 0.

        Returns:
            Whether it was drawn. If not, Textual has to, from now on.
        """
        if self._canvas is None:
            return False
        try:
            complete = _draw(update, self._canvas, colours)
        except Exception:  # noqa: BLE001  # whatever it is: Textual itself knows better
            self._give_up()
            return False
        self._canvas.place_cursor(*cursor)
        if complete:
            self._send()
        else:
            self._app.call_later(self._app.refresh, layout=True)
        return True

    def forget(self) -> None:
        """Send all of the screen again with the next update: who knows what is there."""
        if self._canvas:
            self._canvas.forget()

    def has_other_size(self, size: Size) -> bool:
        """Return whether the terminal has another size than this one by now."""
        return not self._in_band_window_resize and self._get_terminal_size() != size

    def write(self, data: str) -> None:
        """Send something that is no part of the screen, after what was sent before."""
        if self._canvas is None:
            super().write(data)
        else:
            self._messages.append(data)
            self._send()

    def start_application_mode(self) -> None:
        """Take the terminal, of which nothing is known."""
        self._busy.clear()
        self._leaving = False
        self.forget()
        super().start_application_mode()  # type: ignore[no-untyped-call]  # Textual's own

    def stop_application_mode(self) -> None:
        """Have the terminal as it was, with what `close` sends."""
        self._leaving = True
        super().stop_application_mode()

    def close(self) -> None:
        """Give the terminal back, whether or not it takes anything."""
        if self._writer_thread and self._canvas:
            last = "".join(self._messages)
            self._messages.clear()
            # The second time for what was dropped of the first.
            if not self._is_taken(last if self._has_room() else self._make_room() + last):
                self._is_taken(self._make_room() + last)
            if self._busy.is_set():
                return  # whoever waits for the terminal ends with the program
        super().close()

    def _send(self) -> None:
        if self._busy.is_set() or self._leaving or not (self._writer_thread and self._canvas):
            return
        frame = self._canvas.take()
        if frame and self._app._sync_available:
            frame = f"{_SYNC_BEGIN}{frame}{_SYNC_END}"
        text = "".join((*self._messages, frame))
        self._messages.clear()
        if text:
            self._busy.set()
            self._hand_over(text)

    def _has_room(self) -> bool:
        return not self._busy.is_set() and bool(select([], [self._file.fileno()], [], 0.0)[1])

    def _make_room(self) -> str:
        """Wait for a moment, then drop what the terminal has not taken; return what ends its rest.

        Of a screen that is left nobody misses the rest, but how the terminal is left matters.
        """
        if self._in_time(self._has_room):
            return ""
        fd = self._file.fileno()
        with suppress(termios.error):
            deadline = time.monotonic() + 2 * _LAST_FRAME_S
            while not self._has_room() and time.monotonic() < deadline:
                termios.tcflush(fd, termios.TCOFLUSH)
                # Who waits for room is not told that there is some, but by this.
                termios.tcsetattr(fd, termios.TCSANOW, termios.tcgetattr(fd))
                time.sleep(_LOOK_S)
        return _CANCEL

    def _is_taken(self, text: str) -> bool:
        """Send something, and return whether it is taken in a moment."""
        self._busy.set()
        self._hand_over(text)
        return self._in_time(lambda: not self._busy.is_set())

    def _in_time(self, condition: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + _LAST_FRAME_S
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(_LOOK_S)
        return True

    def _hand_over(self, text: str) -> None:
        super().write(text)

    def _on_taken(self) -> None:
        """Send what has gathered; called in the thread that writes."""
        self._busy.clear()
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._send)

    def _give_up(self) -> None:
        self._canvas = None
        for message in self._messages:
            super().write(message)
        self._messages.clear()
        self._app.call_later(self._app.refresh, layout=True)


_OF_DRIVER = (
    *("write", "close", "start_application_mode", "stop_application_mode", "_get_terminal_size"),
)
_OF_APP = ("_display", "post_display_hook", "call_later", "refresh", "on_event")
"""What is overruled or used of Textual, beside what it draws."""


class CellDiffApp(App[T]):
    """A program whose screen is written by a `CellDriver`, if it has one."""

    def forget_screen(self) -> None:
        """Paint all of the screen with the next update, whatever was written over it."""
        if isinstance(self._driver, CellDriver):
            self._driver.forget()

    async def on_event(self, event: events.Event) -> None:
        """Leave out a size that the terminal has no more: there is an event of the newer one.

        No upstream issue known (searched 2026-11). Can go when Textual drops outdated sizes.
        """
        driver = self._driver
        if (
            isinstance(event, events.Resize)
            and isinstance(driver, CellDriver)
            and driver.has_other_size(event.size)
        ):
            return
        await super().on_event(event)

    def on_resize(self, _: events.Resize) -> None:
        """Take it that the terminal has moved what it showed."""
        self.forget_screen()

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        driver = self._driver
        shown = self._running and not self._closed and not self._batch_count
        if shown and isinstance(driver, CellDriver) and isinstance(renderable, Update):
            cursor = self.screen.outer_size.clamp_offset(self.cursor_position)
            colours = self.console._color_system or ColorSystem.TRUECOLOR
            if driver.show(renderable, colours, cursor):
                self.post_display_hook()
                return
        super()._display(screen, renderable)


def cell_driver(environ: Mapping[str, str] = os.environ) -> type[Driver] | None:
    """Return the driver that sends cells; None: it is switched off, or Textual is not as known."""
    if environ.get(SWITCH) == "0" or "TEXTUAL_DRIVER" in environ or not _is_as_known():
        return None
    return CellDriver


class _Outlet:
    """The terminal's file, which tells when it has taken all that was written."""

    def __init__(self, file: IO[str], taken: Callable[[], None]) -> None:
        self._file, self._taken = file, taken

    def write(self, text: str) -> int:
        return self._file.write(text)

    def flush(self) -> None:
        self._file.flush()
        self._taken()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def _draw(update: Update, canvas: Canvas, colours: ColorSystem) -> bool:
    """Put an update into a canvas; return whether all of the canvas is drawn."""
    complete = True
    if isinstance(update, LayoutUpdate):
        region = update.region
        if not canvas.fits(region.right, region.bottom):
            canvas.resize(region.right, region.bottom)
        pieces = _of_layout(update)
    else:
        columns = max(ends[-1] for ends in update.chop_ends)
        if not canvas.fits(columns, len(update.chops)):
            canvas.resize(columns, len(update.chops))
            complete = False
        pieces = _of_chops(update)
    for row, column, strip in pieces:
        canvas.put(row, column, _cells(strip, colours))
    return complete


def _of_layout(update: LayoutUpdate) -> Iterator[tuple[int, int, Strip]]:
    for row, strips in enumerate(update.strips, update.region.y):
        column = update.region.x
        for strip in strips:
            yield row, column, strip
            column += strip.cell_length


def _of_chops(update: ChopsUpdate) -> Iterator[tuple[int, int, Strip]]:
    # What is drawn of a line beyond its spans may lack what is in front of it.
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
    # Textual counts a character that was cut in two as wide as it was.
    cells += [BLANK] * (strip.cell_length - len(cells))
    if len(cells) > strip.cell_length:
        cells[strip.cell_length - 1 :] = [BLANK]
    return cells


def _wide_cells(text: str, pen: Pen) -> Iterable[ScreenCell]:
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
    """Return the pen of a blank that was written with a pen: what cannot be seen of it is gone."""
    seen = _SEEN_ON_BLANKS.intersection(pen.attributes.split(";"))
    return pen if seen or pen.link else PLAIN._replace(background=pen.background)


def _runs(wanted: list[ScreenCell], there: list[ScreenCell]) -> Iterator[tuple[int, int]]:
    """Return where two rows differ, as begins and ends; near ones, and halves, are joined."""
    columns, at = len(wanted), 0
    while at < columns:
        if wanted[at] == there[at]:
            at += 1
            continue
        begin = at
        while begin and not wanted[begin][0]:
            begin -= 1
        last, pen = at, wanted[at][1]
        at += 1
        while at < columns and at - last <= _MAX_GAP:
            if wanted[at] != there[at]:
                last, pen = at, wanted[at][1]
            elif wanted[at][1] != pen:
                break
            at += 1
        end = last + 1
        while end < columns and not wanted[end][0]:
            end += 1
        at = max(at, end)
        yield begin, end


def _is_as_known() -> bool:
    """Return whether Textual's inside does here what this module takes it to do."""
    red, text = Style(color="red", bold=True), Strip([Segment("ab", None), Segment("c", None)])
    canvas = Canvas()
    try:
        styled = Strip([Segment("x漢", red)])
        _draw(LayoutUpdate([[text, styled]], Region(0, 0, 6, 1)), canvas, ColorSystem.STANDARD)
        whole = canvas.take()
        chops = ChopsUpdate([{0: None, 3: Strip([Segment("y漢", red)])}], [(0, 3, 6)], [[3, 6]])
        _draw(chops, canvas, ColorSystem.STANDARD)
        part = canvas.take()
    except Exception:  # noqa: BLE001  # whatever it is, it is not as known
        return False
    known = all(hasattr(LinuxDriver, it) for it in _OF_DRIVER)
    known = known and all(hasattr(App, it) for it in _OF_APP)
    return known and "abc" in whole and "漢" in whole and "\x1b[1;4H" in part and "漢" not in part
