"""Format the events of a run as lines of text."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from loadbench.engine.journal.events import (
    CellFailed,
    CellFinished,
    CellSkipped,
    Event,
    Result,
    RunFinished,
)
from loadbench.engine.journal.state import CellStatus
from loadbench.ui.lines.matrix import VERDICT_TONES
from loadbench.ui.lines.text import Line, Piece, Tone, line, wrap

_TIME_COLUMNS = 8
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


def event_lines(events: Sequence[EventLine], columns: int) -> list[Line]:
    """Return events with their local times, wrapped to a width in columns."""
    lines: list[Line] = []
    for event in events:
        for number, text in enumerate(event.text.splitlines()):
            time = " " * _TIME_COLUMNS if number else local_time(event.at)
            pieces = [Piece(text)] if number else _coloured(text, event.outcome, event.tone)
            lines += wrap(line((f"{time}  ", Tone.DIM), *pieces), columns, indent=_TIME_COLUMNS + 4)
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
