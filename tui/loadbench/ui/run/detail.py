"""The selected cell in a few lines, below the grid of a maximised sweep."""

from loadbench.engine.journal.events import Phase
from loadbench.engine.numbers import number
from loadbench.engine.report.rows import PERCENTILE_NAMES, Row
from loadbench.ui.lines.cell import bottleneck_lines, goal_lines
from loadbench.ui.lines.glyphs import Glyphs
from loadbench.ui.lines.matrix import verdict_tone
from loadbench.ui.lines.text import Line, Tone, line, wrap
from loadbench.wording import counted


def detail_lines(row: Row, phase: Phase | None, glyphs: Glyphs, columns: int) -> list[Line]:
    """Return the results of a cell, its goals, its verdict with findings, and its bottleneck.

    Args:
        row: The cell.
        phase: Its phase. None if it is not being measured.
        glyphs: The terminal's character set.
        columns: Width of a line.
    """
    name = (f"{row.cell}  ", Tone.STRONG)
    if phase:
        return [line(name, (phase.value, Tone.ACCENT))]
    verdict = (row.verdict, verdict_tone(row))
    lines = wrap(line(name, *_numbers(row), verdict), columns, indent=2)
    lines += goal_lines(row.checks, glyphs, columns)
    if row.reasons:
        heading = (f"{row.verdict.capitalize()}: ", verdict_tone(row))
        lines += wrap(line(heading, row.reasons), columns, indent=2)
    return [*lines, *bottleneck_lines(row, columns)]


def _numbers(row: Row) -> list[str]:
    if row.rps is None:
        return []
    latencies = ", ".join(
        f"{name} {row.latency_text(column)}" for column, name in PERCENTILE_NAMES.items()
    )
    failed = counted(row.failures or 0, "failure")
    name = f"{row.main}: " if row.main else ""
    return [f"{name}{number(row.rps)} req/s, {latencies} ms, {failed}, "]
