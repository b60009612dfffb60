"""The keys that do something now, as lines. Pure."""

from collections.abc import Iterable, Sequence

from loadbench.ui.lines.glyphs import Glyphs
from loadbench.ui.lines.text import Line, Tone, line
from loadbench.wording import IN_BATCHES

_KEY_COLUMNS = 14


def help_lines(
    parts: Iterable[tuple[str, Sequence[tuple[str, str]]]], glyphs: Glyphs
) -> list[Line]:
    """Return the keys by where they belong, then what the signs mean.

    Args:
        parts: The name of each place, and its keys with what they do.
        glyphs: The signs.
    """
    lines: list[Line] = []
    for place, keys in parts:
        if keys:
            lines += [line((place, Tone.STRONG)), *(_key(key, does) for key, does in keys), ()]
    signs = (
        (glyphs.running, "being measured, or live"),
        ("!", "suspect: its numbers are in doubt; or a run that was interrupted"),
        ("!!", "invalid: its numbers are worth nothing"),
        (glyphs.failed, "failed"),
        (glyphs.skipped, "skipped; or a run that was stopped"),
        (glyphs.pending, "not measured yet"),
        ("~41", "a percentile that fewer than ten requests lie beyond"),
        ("@2/s", f"2 users are started per second, {IN_BATCHES}"),
        ("#2", "the second repeat of a cell"),
        ("again 1+", "the first cell, measured once more at the end"),
    )
    lines.append(line(("signs", Tone.STRONG)))
    return [*lines, *(_key(sign, means) for sign, means in signs)]


def _key(key: str, does: str) -> Line:
    return line((f"  {key:<{_KEY_COLUMNS}}", Tone.ACCENT), does)
