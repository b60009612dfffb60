"""Notifications to the user: which of them are shown, and their text."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from loadbench.ui.lines.events import local_time
from loadbench.ui.lines.glyphs import UNICODE
from loadbench.ui.lines.text import Line, Piece, Tone, fit, line, plain, wrap

Severity = Literal["information", "warning", "error"]
"""The severities of Textual's `App.notify`."""

MAX_SHOWN = 2
"""Maximum number of notifications above the footer. The list has all of them."""
MAX_KEPT = 100
"""Maximum number of notifications in the list."""
_MAX_ROWS = 2
"""Maximum rows of the newest notification above the footer. Older ones have one row."""
_INDENT = 3
"""Columns before the text of a notification."""
_MORE = "… Ctrl+G"
"""End of a truncated notification: the key of the list."""
_MARKS: dict[Severity, str] = {
    "information": UNICODE.arrow,
    "warning": "!",
    "error": UNICODE.failed,
}
_TONES: dict[Severity, Tone] = {
    "information": Tone.PLAIN,
    "warning": Tone.WARN,
    "error": Tone.BAD,
}


@dataclass(frozen=True, slots=True)
class Notification:
    """A message from the program to the user."""

    at: str
    """Time of the notification in UTC, in ISO 8601 format."""
    text: str
    severity: Severity
    times: int = 1
    """Number of identical notifications, of which only this one is shown."""


@dataclass(frozen=True, slots=True)
class Notifications:
    """All notifications since the start of the program."""

    kept: tuple[Notification, ...] = ()
    """All notifications, newest first."""
    shown: tuple[Notification, ...] = ()
    """Those above the footer, newest first."""

    def add(self, new: Notification) -> "Notifications":
        """Return the notifications with a new one, merged with an identical one that is shown."""
        same = [one for one in self.shown if (one.text, one.severity) == (new.text, new.severity)]
        merged = replace(new, times=1 + sum(one.times for one in same))
        return Notifications(
            (merged, *(one for one in self.kept if one not in same))[:MAX_KEPT],
            (merged, *(one for one in self.shown if one not in same))[:MAX_SHOWN],
        )

    def expire(self, old: Notification) -> "Notifications":
        """Return the notifications with one of them no longer shown above the footer."""
        return replace(self, shown=tuple(one for one in self.shown if one is not old))


def shown_lines(shown: Sequence[Notification], columns: int) -> list[Line]:
    """Return the rows above the footer.

    Args:
        shown: The notifications, newest first.
        columns: Width of a row.
    """
    lines: list[Line] = []
    for number, notification in enumerate(shown):
        rows = 1 if number else _MAX_ROWS
        lines += _rows(notification, rows, columns)
    return lines


def list_lines(kept: Sequence[Notification], columns: int) -> list[Line]:
    """Return all notifications with their local times, wrapped to a width in columns."""
    lines: list[Line] = []
    for notification in kept:
        time = Piece(f"{local_time(notification.at)} ", Tone.DIM)
        indent = len(time.text) + _INDENT
        lines += wrap((time, *_pieces(notification)), columns, indent=indent)
    return lines or [line(("No notifications yet", Tone.DIM))]


def _pieces(notification: Notification) -> tuple[Piece, Piece]:
    """Return the symbol and the text of a notification."""
    tone = _TONES[notification.severity]
    mark = Piece(f" {_MARKS[notification.severity]} ", Tone.ACCENT if tone is Tone.PLAIN else tone)
    times = f" ×{notification.times}" if notification.times > 1 else ""
    (text,) = line((f"{notification.text or 'No details'}{times}", tone))
    return mark, text


def _rows(notification: Notification, max_rows: int, columns: int) -> list[Line]:
    """Return the first rows of a notification. If there are more, the last one names the list."""
    mark, text = _pieces(notification)
    rows = wrap((mark, text), columns, indent=_INDENT)
    if len(rows) <= max_rows:
        return rows
    kept = rows[: max_rows - 1]
    start = Piece(" " * _INDENT) if kept else mark
    rest = " ".join(plain(row).strip() for row in rows[len(kept) :]) if kept else text.text
    cut = fit(rest, columns - _INDENT - len(_MORE)).removesuffix("…").rstrip()
    return [*kept, line(start, (cut, text.tone), (_MORE, Tone.ACCENT))]
