"""A comparison of two runs as lines: its summary, and its cells as the entries of a list."""

from collections.abc import Sequence

from loadbench.engine.comparison.model import Change, Comparison, Difference
from loadbench.engine.comparison.sentences import sentences
from loadbench.engine.comparison.table import cells_table, means_table
from loadbench.ui.lines.glyphs import Glyphs
from loadbench.ui.lines.text import (
    Line,
    MenuEntry,
    Piece,
    Tone,
    line,
    table,
    wrap,
)

CHANGE_TONES = {
    Change.BETTER: Tone.GOOD,
    Change.WORSE: Tone.BAD,
    Change.TOO_SMALL: Tone.PLAIN,
    Change.NOT_SHOWN: Tone.PLAIN,
    Change.NOT_TESTED: Tone.PLAIN,
}
_TITLE = " compare"
_MIN_NAME_COLUMNS = 10


def header_line(before: str, after: str, glyphs: Glyphs, columns: int) -> Line:
    """Return `compare ▸ baseline ▸ candidate`, with both names cut if they do not fit.

    Args:
        before: Name of the baseline.
        after: Name of the candidate.
        glyphs: The terminal's character set.
        columns: Width of the line.
    """
    arrow, against = (f" {glyphs.arrow} ", Tone.DIM), (" → ", Tone.DIM)
    return line(_TITLE, arrow, (before, Tone.STRONG), against, (after, Tone.STRONG))


def problem_lines(missing: Sequence[str], *, complete: bool) -> list[Line]:
    """Return why there is no comparison.

    Args:
        missing: Names of the runs that are not known.
        complete: Whether all runs have been read.
    """
    if not complete:
        return [line(("Loading…", Tone.DIM))]
    return [line((f"{name} was deleted or cannot be read.", Tone.DIM)) for name in missing]


def summary_lines(found: Comparison, columns: int) -> list[Line]:
    """Return everything of a comparison but its cells.

    Args:
        found: The comparison.
        columns: Maximum width of a line. Only a table may be wider.
    """
    first, *rest = sentences(found)
    lines = wrap(line((first, Tone.STRONG)), columns)
    lines += [part for text in rest for part in wrap(line(text), columns, indent=2)]
    for doubt in found.doubts:
        lines += wrap(line(("! ", Tone.WARN), doubt), columns, indent=2)
    lines += _titled("What differs", _differences(found.differences, columns))
    if found.means:
        header, rows = means_table(found)
        changes = [one.estimate.change for one in found.means]
        lines += _titled("Mean change", _table(header, rows, changes))
    unmatched = [
        part
        for one in found.unmatched
        for part in wrap(line((one.cell, Tone.STRONG), f": {one.reason}"), columns, indent=2)
    ]
    return lines + _titled("Not compared", unmatched)


def _titled(title: str, lines: Sequence[Line]) -> list[Line]:
    return [(), line((title, Tone.ACCENT)), *lines] if lines else []


def _differences(differences: Sequence[Difference], columns: int) -> list[Line]:
    if not differences:
        return [line(("Nothing in hardware, versions, profile or images", Tone.DIM))]
    return [
        part
        for one in differences
        for part in wrap(
            line((f"{one.name}: ", Tone.DIM), f"{one.before} → {one.after}"), columns, indent=2
        )
    ]


def cell_entries(found: Comparison, metric: str, columns: int) -> list[MenuEntry]:
    """Return the table of cells as the entries of a list, with its header as a heading.

    Args:
        found: The comparison.
        metric: Key of the metric, such as `p90_ms`.
        columns: Width of the list.
    """
    pairs = found.metric_of(metric)
    if not pairs:
        return []
    header, rows = cells_table(found, metric)
    lines = _table(header, rows, [one.estimate.change for _, one in pairs])
    keys = ["", *(cell.cell for cell, _ in pairs)]
    return [MenuEntry(key, (row,)) for key, row in zip(keys, lines, strict=True)]


def _table(
    header: Sequence[str], rows: Sequence[Sequence[str]], changes: Sequence[Change]
) -> list[Line]:
    """Return a table whose last column has the colour of the change."""
    body = [
        [*map(Piece, values[:-1]), Piece(values[-1], CHANGE_TONES[change])]
        for values, change in zip(rows, changes, strict=True)
    ]
    return table([name.strip() for name in header], body, last_is_text=True)


def cells_legend(found: Comparison, metric: str) -> str:
    """Return the metric of the cells and its unit."""
    pairs = found.metric_of(metric)
    if not pairs:
        return ""
    one = pairs[0][1].metric
    return f"{one.phrase}" if one.is_more_better else f"{one.phrase} in ms"
