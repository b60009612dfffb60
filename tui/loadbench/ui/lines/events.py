"""What happened in a run, a line or more for each event. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from loadbench.ui.lines.text import Line, Tone, line, wrap

_TIME_COLUMNS = 8


@dataclass(frozen=True, slots=True)
class EventLine:
    """One thing that happened, as a person is told of it."""

    at: str
    """UTC, ISO 8601."""
    text: str


def event_lines(happened: Sequence[EventLine], columns: int) -> list[Line]:
    """Return events with their local time, broken to so many columns."""
    lines: list[Line] = []
    for one in happened:
        for i, told in enumerate(one.text.splitlines()):
            moment = local_time(one.at) if not i else " " * _TIME_COLUMNS
            lines += wrap(line((f"{moment}  ", Tone.DIM), told), columns, indent=_TIME_COLUMNS + 4)
    return lines


def local_time(at: str) -> str:
    """Return the local time of day of a moment, which is in UTC and ISO 8601."""
    try:
        return datetime.fromisoformat(at).astimezone().strftime("%H:%M:%S")
    except ValueError:  # somebody else wrote that journal
        return " " * _TIME_COLUMNS
