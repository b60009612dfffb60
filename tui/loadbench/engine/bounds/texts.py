"""Cut off long texts, with a mark."""

CUT = "…"
"""Mark in place of the text that was cut off, which may have been within a secret value."""


def shortened(text: str, max_characters: int) -> str:
    """Return a text of at most a number of characters, cut off with a mark if it is longer."""
    return text if len(text) <= max_characters else f"{text[: max_characters - 1].rstrip()}{CUT}"


def one_line(text: str, max_characters: int) -> str:
    """Return a text in one line of at most a number of characters."""
    return shortened(" ".join(text.split()), max_characters)


def shortened_in_middle(text: str, max_characters: int) -> str:
    """Return a text of at most a number of characters, without its middle if it is longer.

    Names often differ in their last characters, as those of URLs do.
    """
    if len(text) <= max_characters:
        return text
    end = (max_characters - 1) // 2
    start = max_characters - 1 - end
    return f"{text[:start]}{CUT}{text[len(text) - end :]}"
