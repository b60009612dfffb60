"""Where the time of a request goes, as a bar and in numbers. Pure."""

from loadbench.engine.events import Stages
from loadbench.engine.measure.stages import stage_means
from loadbench.engine.numbers import number
from loadbench.ui.present.glyphs import Glyphs
from loadbench.ui.present.lines import SERIES, Line, Piece, Tone, line, width

_ASCII_FILLS = "#=+:."


def stage_lines(stages: Stages, glyphs: Glyphs, columns: int) -> list[Line]:
    """Return a bar of the mean stages and a line that names them, in ms."""
    means = stage_means(stages)
    if not means:
        return [line(("the answers do not say (no Server-Timing header)", Tone.DIM))]
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
