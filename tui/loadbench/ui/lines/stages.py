"""Where the time of a request goes, as a bar and in numbers. Pure."""

from itertools import pairwise

from loadbench.engine.journal.events import Stages
from loadbench.engine.measure.stages import stage_means
from loadbench.engine.numbers import number
from loadbench.ui.lines.glyphs import Glyphs
from loadbench.ui.lines.text import SERIES, Line, Piece, Tone, line, table, width

_ASCII_FILLS = "#=+:."
_UNTOLD = line(("the answers do not say (no Server-Timing header)", Tone.DIM))


_MIN_BAR_COLUMNS = 12
"""Columns that a bar needs to tell anything."""


def stage_rows(stages: Stages, glyphs: Glyphs, columns: int) -> list[Line]:
    """Return a line for every mean stage: in ms, its share, and a bar that begins where the one
    before ends.
    """
    means = stage_means(stages)
    if not means:
        return [_UNTOLD]
    whole = sum(means.values())
    total = sum(max(0.0, it) for it in means.values()) or 1.0
    body: list[list[str | Piece]] = []
    ends = [0.0]
    for name, value, tone, sign in zip(means, means.values(), SERIES, _ASCII_FILLS, strict=False):
        share = max(0.0, value) / total
        ends.append(ends[-1] + share)
        key = sign if glyphs.ascii else "■"
        named = Piece(f"{key} {name.removesuffix('_ms')}", tone)
        body.append([named, f"{number(value)} ms", f"{100 * share:.0f} %"])
    body.append(["  all", f"{number(whole)} ms", ""])
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
    """Return a bar of the mean stages and a line that names them, in ms."""
    means = stage_means(stages)
    if not means:
        return [_UNTOLD]
    names = [name.removesuffix("_ms") for name in means]
    values = [max(0.0, value) for value in means.values()]
    ends = [sum(values[: i + 1]) / (sum(values) or 1.0) * columns for i in range(len(values))]
    bar, named, short, shortest, start = [], [], [], [], 0
    for name, value, end, tone, sign in zip(
        names, values, ends, SERIES, _ASCII_FILLS, strict=False
    ):
        fill, key = (sign, sign) if glyphs.ascii else (glyphs.full, "■")
        bar.append(Piece(fill * (round(end) - start), tone))
        start = round(end)
        said = Piece(number(value), Tone.STRONG)
        named += [Piece("   "), Piece(f"{key} ", tone), Piece(f"{name} "), said]
        short += [Piece(" "), Piece(f"{name} ", tone), said]
        shortest += [Piece(" "), Piece(f"{name} ", tone), Piece(number(value, 2))]
    legends = [line(*it[1:]) for it in (named, short, shortest)]
    return [line(*bar), next((it for it in legends if width(it) <= columns), legends[-1])]
