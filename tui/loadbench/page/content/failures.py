"""What went wrong in a run: findings, failed and skipped cells, and errors of requests."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from loadbench.engine.journal.events import ErrorCount
from loadbench.engine.journal.state import CellStatus, RunState
from loadbench.engine.report.failures import failure_groups
from loadbench.engine.run_reader import Run
from loadbench.page.content.tables import PageTable, text_table

MAX_ERRORS = 10
"""Maximum number of different errors in the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellsRemark:
    """A remark about one or more cells."""

    cells: str
    """The keys of the cells, separated by commas."""
    text: str
    log_lines: tuple[str, ...] = ()
    """Last log lines of what failed."""


def findings(run: Run) -> tuple[CellsRemark, ...]:
    """Return why cells are suspect or invalid, once for all cells with the same findings."""
    return _grouped((row.cell, f"{row.verdict}: {row.reasons}") for row in run.rows if row.findings)


def failures(state: RunState) -> tuple[CellsRemark, ...]:
    """Return why cells failed, once for all cells with the same cause."""
    return tuple(
        CellsRemark(cells=", ".join(keys), text=event.reason, log_lines=event.log_lines)
        for keys, event in failure_groups(state)
    )


def skipped(state: RunState) -> tuple[CellsRemark, ...]:
    """Return why cells were skipped."""
    return _grouped(
        (key, cell.skipped.reason)
        for key, cell in state.cells.items()
        if cell.status is CellStatus.SKIPPED and cell.skipped
    )


def errors_table(state: RunState) -> PageTable | None:
    """Return the most frequent errors of requests and of the locustfile, or None without any."""
    kinds: dict[tuple[str, str], Counter[str]] = {}
    for key, cell in state.cells.items():
        if cell.finished and cell.status is CellStatus.FINISHED:
            _count(kinds, "request", cell.finished.errors, key)
            _count(kinds, "locustfile", cell.finished.exceptions, key)
    if not kinds:
        return None
    ranked = sorted(kinds.items(), key=lambda item: -item[1].total())
    body = [
        (kind, f"{counts.total():,}", str(len(counts)), error)
        for (kind, error), counts in ranked[:MAX_ERRORS]
    ]
    more = len(ranked) - MAX_ERRORS
    legend = [f"And {more} more, in summary.json and Locust's reports."] if more > 0 else []
    header = ("source", "count", "cells", "error")
    return text_table(header, body, left=(0, 3), wrapped=(3,), legend=legend)


def _count(
    kinds: dict[tuple[str, str], Counter[str]], kind: str, errors: Iterable[ErrorCount], cell: str
) -> None:
    for one in errors:
        kinds.setdefault((kind, one.error), Counter())[cell] += one.count


def _grouped(remarks: Iterable[tuple[str, str]]) -> tuple[CellsRemark, ...]:
    groups: dict[str, list[str]] = {}
    for cell, text in remarks:
        groups.setdefault(text, []).append(cell)
    return tuple(CellsRemark(cells=", ".join(cells), text=text) for text, cells in groups.items())
