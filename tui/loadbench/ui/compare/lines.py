"""A comparison of two runs as lines: its summary, and its cells as the entries of a list."""

from collections.abc import Sequence

from rich.cells import cell_len

from loadbench.engine.comparison.model import Change, ComparedMetric, Comparison, Difference
from loadbench.engine.comparison.sentences import sentences
from loadbench.engine.comparison.table import cells_table, means_table
from loadbench.ui.lines.glyphs import BASELINE, CANDIDATE, Glyphs
from loadbench.ui.lines.text import (
    Line,
    MenuEntry,
    Piece,
    Tone,
    fit_middle,
    line,
    table,
    width,
    wrap,
)

CHANGE_TONES = {Change.BETTER: Tone.GOOD, Change.WORSE: Tone.BAD}
_DISPENSABLE = ("cells", "detectable", "before", "after", "interval")
"""Columns that a table omits if it is too wide, in this order."""


def header_line(before: str, after: str, glyphs: Glyphs, columns: int) -> Line:
    """Return `compare ▸ A baseline → B candidate`, with the middle of long names cut.

    Args:
        before: Name of the baseline.
        after: Name of the candidate.
        glyphs: The terminal's character set.
        columns: Width of the line.
    """
    title, to = f" compare {glyphs.arrow} ", " → "
    room = columns - cell_len(f"{title}{to}{BASELINE} {CANDIDATE} ")
    # A short name leaves its room to the other one.
    short = min(cell_len(before), cell_len(after), room // 2)
    first, second = (fit_middle(name, room - short) for name in (before, after))
    return line(
        (title, Tone.DIM),
        *((f"{BASELINE} ", Tone.ACCENT), (first, Tone.STRONG), (to, Tone.DIM)),
        *((f"{CANDIDATE} ", Tone.ACCENT), (second, Tone.STRONG)),
    )


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
        columns: Maximum width of a line.
    """
    subject, *results = sentences(found)
    lines = wrap(line((subject, Tone.DIM)), columns)
    if differing := ", ".join(one.name for one in found.differences):
        lines += wrap(line(("Differs: ", Tone.ACCENT), differing), columns, indent=2)
    for index, text in enumerate(results):
        tone = Tone.PLAIN if index else Tone.STRONG
        lines += wrap(line((text, tone)), columns, indent=2)
    for doubt in found.doubts:
        lines += wrap(line(("! ", Tone.WARN), doubt), columns, indent=2)
    if found.means:
        changes = [one.estimate.change for one in found.means]
        lines += [(), *_table(*means_table(found), changes, columns)]
    lines += _titled("What differs", _differences(found.differences, columns))
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


def cell_entries(found: Comparison, metric: ComparedMetric, columns: int) -> list[MenuEntry]:
    """Return the table of cells as the entries of a list, with its header as a heading.

    Args:
        found: The comparison.
        metric: The metric.
        columns: Width of the list.
    """
    pairs = found.metric_of(metric.key)
    if not pairs:
        return []
    changes = [one.estimate.change for _, one in pairs]
    lines = _table(*cells_table(found, metric), changes, columns)
    keys = ["", *(cell.cell for cell, _ in pairs)]
    return [MenuEntry(key, (row,)) for key, row in zip(keys, lines, strict=True)]


def _table(
    header: Sequence[str], rows: Sequence[Sequence[str]], changes: Sequence[Change], columns: int
) -> list[Line]:
    """Return a table without its least important columns, as many as do not fit.

    The last column has the colour of the change.
    """
    kept = list(range(len(header)))
    for name in ("", *_DISPENSABLE):
        kept = [index for index in kept if header[index] != name]
        body = [
            [
                *(Piece(row[index]) for index in kept[:-1]),
                Piece(row[kept[-1]], CHANGE_TONES.get(change, Tone.PLAIN)),
            ]
            for row, change in zip(rows, changes, strict=True)
        ]
        names = [header[index].strip() for index in kept]
        lines = table(names, body, last_is_text=True)
        if max(map(width, lines)) <= columns:
            break
    return lines
