"""Limit and clean values from outside the program, read now or recorded in a journal."""

from loadbench.engine.bounds.texts import shortened

MAX_CHARACTERS = 120
"""Maximum length of a recorded text."""

MAX_NUMBER = 2**63


def clean_text(value: object) -> str | None:
    """Return a text on one line, without control characters, of at most `MAX_CHARACTERS`.

    Returns None if the value is no text, or has no printable characters.
    """
    if not isinstance(value, str):
        return None
    start = value[: 4 * MAX_CHARACTERS]
    words = "".join(c if c.isprintable() else " " for c in start).split()
    return shortened(" ".join(words), MAX_CHARACTERS) or None


def positive_int(value: object) -> int | None:
    """Return a positive number as an integer, or None if the value is anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return (round(value) or None) if 0 < value < MAX_NUMBER else None
