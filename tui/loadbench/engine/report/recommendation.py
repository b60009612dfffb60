"""What a profile wants of a cell: which goals it misses, and which cell is the best. Pure."""

from collections.abc import Iterable

from loadbench.engine.journal.events import Verdict
from loadbench.engine.profile.model import Goals
from loadbench.engine.report.rows import Row


def missed(row: Row, goals: Goals) -> list[str]:
    """Return a sentence for every goal that a measured cell misses."""
    found = []
    if goals.p95_ms is not None and row.p95_ms is not None and row.p95_ms > goals.p95_ms:
        found.append(f"{row.cell}: p95 {row.p95_ms:g} ms, the goal is {goals.p95_ms:g} ms")
    ratio, most = row.failure_ratio, goals.failure_ratio
    if most is not None and ratio is not None and ratio > most:
        found.append(f"{row.cell}: failure ratio {ratio:g}, the goal is {most:g}")
    return found


def best(rows: Iterable[Row], goals: Goals) -> Row | None:
    """Return the valid cell with the most requests per second that misses no goal.

    Of equals it is the one with fewer models. The first cell counts as it was at first, not as it
    was at the end. None: there is no such cell.
    """
    swept = [row for row in rows if not row.is_recheck]
    good = [row for row in swept if row.verdict == Verdict.VALID and not missed(row, goals)]
    return max(good, key=lambda row: (row.rps or 0.0, -row.models), default=None)
