"""Observations about request events as text."""

from loadbench.engine.bounds.texts import shortened_in_middle
from loadbench.engine.journal.events import EventNote
from loadbench.engine.journal.request_names import MAX_COUNTED_NAMES, NoteKind

MAX_NAME_CHARACTERS = 60
"""Maximum length of a name in a line."""


def note_text(note: EventNote, max_characters: int | None = None) -> str:
    """Return an observation as a clause.

    Args:
        note: The observation.
        max_characters: Maximum length of a name. The middle of a longer name is cut. If None, names
            are complete.
    """
    example = _cut(note.example, max_characters)
    name = _cut(f"{note.method} {note.name}".strip() or "further names", max_characters)
    number = "1 request" if note.count == 1 else f"{note.count:,} requests"
    such_as = f", such as {example}" if example else ""
    match note.kind:
        case NoteKind.RESPONSE_TIME:
            return (
                f"{number} of {name} reported no usable response time{such_as}: "
                "counted without latency"
            )
        case NoteKind.START_TIME:
            return (
                f"start_time of {number} of {name} does not fit the response time{such_as}: ignored"
            )
        case NoteKind.NAMES:
            names = "1 further name" if note.count == 1 else f"{note.count:,} further names"
            more = " or more" if note.count >= MAX_COUNTED_NAMES else ""
            return (
                f"{names}{more}{such_as}: counted together as {name}. "
                "In the locustfile, use name= to group requests"
            )
        case NoteKind.MEASUREMENTS:
            events = "1 event" if note.count == 1 else f"{note.count:,} events"
            return f"{events} not recorded{such_as}: too many names of measurements"
        case _:
            return f"{note.kind}: {number} of {name}{such_as}"


def _cut(text: str, max_characters: int | None) -> str:
    return text if max_characters is None else shortened_in_middle(text, max_characters)
