"""Format rows as a table, and wrap long lines."""

import textwrap
from collections.abc import Sequence

AS_SPACES = str.maketrans("\n\t", "  ")
"""Translates line breaks and tabs to spaces."""


def table(header: Sequence[str], body: Sequence[Sequence[str]], *, left: int = 1) -> list[str]:
    """Return the lines of a table. Each column is as wide as its longest value.

    Args:
        header: Column heads.
        body: Rows with one text per column. Newlines and tabs in them become spaces.
        left: Number of left-aligned columns at the start; the others are right-aligned. The last
            column is left-aligned if its head ends with a space.
    """
    lines = [[text.translate(AS_SPACES) for text in row] for row in (header, *body)]
    widths = [max(len(row[i].rstrip()) for row in lines) for i in range(len(header))]
    last_is_text = header[-1].endswith(" ")

    def pad(i: int, value: str) -> str:
        is_text = i < left or (last_is_text and i == len(header) - 1)
        return value.strip().ljust(widths[i]) if is_text else value.strip().rjust(widths[i])

    return ["  ".join(pad(i, value) for i, value in enumerate(row)).rstrip() for row in lines]


def wrapped(lines: Sequence[str], columns: int) -> list[str]:
    """Wrap the lines that are longer than `columns` between words."""
    wrap = textwrap.TextWrapper(columns, subsequent_indent="  ").wrap
    return [part for one in lines for part in ([one] if len(one) <= columns else wrap(one))]
