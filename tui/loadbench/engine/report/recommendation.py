"""Check cells against the goals of a profile and find the best cell."""

from collections.abc import Iterable

from loadbench.engine.journal.events import Verdict
from loadbench.engine.profile.model import Goals
from loadbench.engine.report.rows import Row


def missed(row: Row, goals: Goals) -> list[str]:
    """Return one message for each goal that a measured cell misses."""
    found = []
    if goals.p95_ms is not None and row.p95_ms is not None and row.p95_ms > goals.p95_ms:
        found.append(f"{row.cell}: p95 {row.p95_ms:g} ms exceeds the goal of {goals.p95_ms:g} ms")
    ratio, max_ratio = row.failure_ratio, goals.failure_ratio
    if max_ratio is not None and ratio is not None and ratio > max_ratio:
        found.append(f"{row.cell}: failure ratio {ratio:g} exceeds the goal of {max_ratio:g}")
    return found


def best(rows: Iterable[Row], goals: Goals) -> Row | None:
    """Return the valid cell with the highest throughput that meets all goals, or None if none does.

    Ties go to the cell with fewer models. The recheck of the first cell does not count.
    """
    measured = [row for row in rows if not row.is_recheck]
    good = [row for row in measured if row.verdict == Verdict.VALID and not missed(row, goals)]
    return max(good, key=lambda row: (row.rps or 0.0, -row.models), default=None)
