"""Show the mean time per stage of a request, as a bar or as a table."""

from itertools import pairwise

from loadbench.engine.journal.events import Stages
from loadbench.engine.measure.stages import stage_means
from loadbench.engine.numbers import number
from loadbench.ui.lines.glyphs import Glyphs
from loadbench.ui.lines.text import SERIES, Line, Piece, Tone, line, table, width

_ASCII_FILLS = "#=+:."
_NOT_REPORTED = line(("Not available: responses have no Server-Timing header", Tone.DIM))

_MIN_BAR_COLUMNS = 12
"""Minimum width of a bar, in columns. A shorter bar would be too coarse."""


def stage_rows(stages: Stages, glyphs: Glyphs, columns: int) -> list[Line]:
    """Return one line per stage, and a line with the total.

    Each line has the mean in ms, the share, and a bar that starts where the previous one ends.
    """
    means = stage_means(stages)
    if not means:
        return [_NOT_REPORTED]
    total = sum(means.values())
    # The clocks of two machines can differ, so the mean of a stage can be negative.
    length = sum(max(0.0, mean) for mean in means.values()) or 1.0
    body: list[list[str | Piece]] = []
    ends = [0.0]
    for name, value, tone, sign in zip(means, means.values(), SERIES, _ASCII_FILLS, strict=False):
        share = max(0.0, value) / length
        ends.append(ends[-1] + share)
        key = sign if glyphs.ascii else "■"
        label = Piece(f"{key} {name.removesuffix('_ms')}", tone)
        body.append([label, number(value), f"{100 * share:.0f} %"])
    body.append(["  total", number(total), ""])
    rows = table(("", "", ""), body)[1:]
    room = columns - width(rows[0]) - 2
    if room < _MIN_BAR_COLUMNS:
        return rows
    for i, (start, end) in enumerate(pairwise(ends)):
        first, after = round(start * room), round(end * room)
        fill = _ASCII_FILLS[i] if glyphs.ascii else glyphs.full
        bar = Piece(fill * (after - first), SERIES[i])
        rows[i] = (*rows[i], Piece(" " * (2 + first)), bar)
    return rows


def stage_lines(stages: Stages, glyphs: Glyphs, columns: int) -> list[Line]:
    """Return a bar with one segment per stage, and a legend with names and means in ms."""
    means = stage_means(stages)
    if not means:
        return [_NOT_REPORTED]
    names = [name.removesuffix("_ms") for name in means]
    values = [max(0.0, value) for value in means.values()]
    ends = [sum(values[: i + 1]) / (sum(values) or 1.0) * columns for i in range(len(values))]
    bar, full, short, shortest, start = [], [], [], [], 0
    for name, value, end, tone, sign in zip(
        names, values, ends, SERIES, _ASCII_FILLS, strict=False
    ):
        fill, key = (sign, sign) if glyphs.ascii else (glyphs.full, "■")
        bar.append(Piece(fill * (round(end) - start), tone))
        start = round(end)
        mean = Piece(number(value), Tone.STRONG)
        full += [Piece("   "), Piece(f"{key} ", tone), Piece(f"{name} "), mean]
        short += [Piece(" "), Piece(f"{name} ", tone), mean]
        shortest += [Piece(" "), Piece(f"{name} ", tone), Piece(number(value, 2))]
    legends = [line(*pieces[1:]) for pieces in (full, short, shortest)]
    return [line(*bar), next((one for one in legends if width(one) <= columns), legends[-1])]
