"""The text of the help: the active keys and the legend of symbols."""

from collections.abc import Iterable, Sequence

from loadbench.ui.lines.glyphs import Glyphs
from loadbench.ui.lines.text import Line, Tone, line

_KEY_COLUMNS = 14
HELP_INDENT = _KEY_COLUMNS + 2
"""Columns before the explanation of a key."""


def help_lines(
    parts: Iterable[tuple[str, Sequence[tuple[str, str]]]], glyphs: Glyphs
) -> list[Line]:
    """Return the keys grouped by place, and the legend of symbols.

    Args:
        parts: The heading of each place, and its keys with their effects.
        glyphs: The terminal's character set.
    """
    lines: list[Line] = []
    for heading, keys in parts:
        if keys:
            lines += [
                line((heading, Tone.STRONG)),
                *(_key(key, effect) for key, effect in keys),
                (),
            ]
    signs = (
        (glyphs.running, "being measured, or a live run"),
        ("!", "suspect (numbers may be misleading), or an interrupted run"),
        ("!!", "invalid: do not use the numbers"),
        (glyphs.failed, "failed"),
        (glyphs.skipped, "skipped, or a stopped run"),
        (glyphs.pending, "pending"),
        ("~41", "estimate: fewer than 10 samples beyond this percentile"),
        ("@2/s", "spawn rate: 2 users started per second"),
        ("#2", "repeat 2 of a cell"),
        ("recheck, 1+", "the first cell, measured again at the end"),
    )
    lines.append(line(("Symbols", Tone.STRONG)))
    return [*lines, *(_key(sign, meaning) for sign, meaning in signs)]


def _key(key: str, effect: str) -> Line:
    return line((f"  {key:<{_KEY_COLUMNS}}", Tone.ACCENT), effect)
