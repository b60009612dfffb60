"""Format the events of a run as lines of text."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from loadbench.engine.journal.events import (
    CellFailed,
    CellFinished,
    CellPhase,
    CellSkipped,
    CellStarted,
    CommandAnswered,
    Event,
    Note,
    Result,
    RunFinished,
    StackProgress,
)
from loadbench.engine.journal.state import CellStatus, RunState
from loadbench.ui.lines.glyphs import Glyphs
from loadbench.ui.lines.matrix import VERDICT_TONES
from loadbench.ui.lines.text import Line, Piece, Tone, line, wrap

_TIME_COLUMNS = 8
_NARROW_COLUMNS = 60
"""Panels below this width have no indentation of text."""
_RESULT_TONES = {Result.DONE: Tone.GOOD, Result.STOPPED: Tone.WARN, Result.ABORTED: Tone.BAD}


@dataclass(frozen=True, slots=True)
class EventLine:
    """An event as text."""

    at: str
    """Time of the event in UTC, in ISO 8601 format."""
    text: str
    outcome: str = ""
    """The word to colour: a verdict, the status of a cell or the result of the run."""
    tone: Tone = Tone.PLAIN
    """The tone of that word."""
    cell: str = ""
    """Key of the cell that the event belongs to. Empty if it belongs to the run."""
    is_start: bool = False
    """Whether the event is the start of an attempt at that cell."""


def event_outcome(event: Event) -> tuple[str, Tone]:
    """Return the word for the outcome that an event reports, and its tone.

    The word is empty if the event reports no outcome.
    """
    match event:
        case CellFinished(verdict=verdict):
            return verdict.value, VERDICT_TONES[verdict]
        case CellFailed():
            return CellStatus.FAILED.value, Tone.BAD
        case CellSkipped():
            return CellStatus.SKIPPED.value, Tone.WARN
        case RunFinished(result=result):
            return result.value, _RESULT_TONES[result]
        case _:
            return "", Tone.PLAIN


def event_cell(event: Event, state: RunState) -> str:
    """Return the key of the cell that an event belongs to, or an empty text if there is none.

    Args:
        event: The event.
        state: The state of the run after the event.
    """
    match event:
        case CellStarted() | CellPhase() | CellFinished() | CellFailed() | CellSkipped():
            return event.cell
        case CommandAnswered(cell=key):
            return key or ""
        case StackProgress() | Note():
            return state.current or ""
        case _:
            return ""


def event_lines(
    events: Sequence[EventLine], columns: int, glyphs: Glyphs, *, selected: str = ""
) -> list[Line]:
    """Return events with their local times, wrapped to a width in columns.

    A narrow panel has no indentation of text. If a cell is selected, its events have a bar, and the
    others are dim.

    Args:
        events: The events.
        columns: Maximum width of a line.
        glyphs: The terminal's character set.
        selected: Key of the selected cell. Empty if no cell is selected.
    """
    return [part for event in events for part in _lines_of(event, columns, glyphs, selected)]


def selected_row(events: Sequence[EventLine], columns: int, glyphs: Glyphs, cell: str) -> int:
    """Return the row in `event_lines` where the last attempt at a cell begins.

    If the start of the cell is no longer among the events, this is its first event. Returns -1 if
    the cell has no events.
    """
    row, found = 0, -1
    for event in events:
        if event.cell == cell and (found < 0 or event.is_start):
            found = row
        row += len(_lines_of(event, columns, glyphs, cell))
    return found


def _lines_of(event: EventLine, columns: int, glyphs: Glyphs, selected: str) -> list[Line]:
    is_narrow = columns < _NARROW_COLUMNS
    is_selected = bool(selected) and event.cell == selected
    bar = (glyphs.selected if is_selected else " ") + ("" if is_narrow else " ")
    lines: list[Line] = []
    for number, text in enumerate(event.text.splitlines()):
        text = text.lstrip() if is_narrow else text
        time = " " * _TIME_COLUMNS if number else local_time(event.at)
        pieces = [Piece(text)] if number else _coloured(text, event.outcome, event.tone)
        if selected and not is_selected:
            pieces = [Piece(piece.text, Tone.DIM) for piece in pieces]
        content = line((time, Tone.DIM), (bar, Tone.ACCENT), *pieces)
        indent = _TIME_COLUMNS + (2 if is_narrow else 4)
        lines += wrap(content, columns, indent=indent)
    return lines


def local_time(at: str) -> str:
    """Return the local time of day of an ISO 8601 timestamp, or blanks if it is invalid."""
    try:
        return datetime.fromisoformat(at).astimezone().strftime("%H:%M:%S")
    except ValueError:  # invalid time, written by another program
        return " " * _TIME_COLUMNS


def _coloured(text: str, word: str, tone: Tone) -> list[Piece]:
    """Return the pieces of a text, with the first occurrence of a word in the given tone."""
    found = re.search(rf"\b{re.escape(word)}\b", text, re.IGNORECASE) if word else None
    if found is None:
        return [Piece(text)]
    return [Piece(text[: found.start()]), Piece(found[0], tone), Piece(text[found.end() :])]
