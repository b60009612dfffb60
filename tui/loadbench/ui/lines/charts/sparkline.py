"""One series of numbers as a line of text."""

from collections.abc import Sequence

from loadbench.ui.lines.glyphs import Glyphs

Values = Sequence[float | None]
"""Values in order of time. None if a value is unknown."""


def sparkline(values: Values, columns: int, glyphs: Glyphs, *, low: float, high: float) -> str:
    """Return the newest values as a line of bars, with the newest at the right edge.

    Args:
        values: The values. An unknown value is a blank.
        columns: Width of the line, with one value per column.
        glyphs: The terminal's character set.
        low: The value of the lowest bar.
        high: The value of the highest bar.
    """
    newest = values[-columns:] if columns > 0 else ()
    text = "".join(_bar(value, glyphs, low, high) for value in newest)
    return text.rjust(columns)


def condensed(values: Values, columns: int) -> list[float | None]:
    """Return at most `columns` values, each the maximum of as many successive values.

    Args:
        values: The values.
        columns: Maximum number of values to return, at least 1.
    """
    merged = max(1, -(-len(values) // columns))
    parts = (values[at : at + merged] for at in range(0, len(values), merged))
    return [max((value for value in part if value is not None), default=None) for part in parts]


def _bar(value: float | None, glyphs: Glyphs, low: float, high: float) -> str:
    if value is None:
        return " "
    # The quotient can be infinite, so it is limited before it becomes an index.
    share = min(1.0, max(0.0, (value - low) / (high - low))) if high > low else 0.0
    last = len(glyphs.bars) - 1
    return glyphs.bars[min(last, int(share * (last + 1)))]
