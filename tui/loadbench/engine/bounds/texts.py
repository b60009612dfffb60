"""Cut off long texts, with a mark."""

CUT = "…"
"""Mark at the end of a text that was cut off, which may have been within a secret value."""


def shortened(text: str, max_characters: int) -> str:
    """Return a text of at most a number of characters, cut off with a mark if it is longer."""
    return text if len(text) <= max_characters else f"{text[: max_characters - 1].rstrip()}{CUT}"


def one_line(text: str, max_characters: int) -> str:
    """Return a text in one line of at most a number of characters."""
    return shortened(" ".join(text.split()), max_characters)
