"""Cells that were measured several times: the median over the repeats, and how sure it is. Pure.

The interval of the median comes from order statistics and asks nothing of the distribution: of n
independent measurements x_(1) ≤ … ≤ x_(n), the median lies outside [x_(k), x_(n+1−k)] only if
fewer than k of them are on one side of it, which has the probability 2·P(Binomial(n, ½) < k).
Sources: Le Boudec, Performance Evaluation of Computer and Communication Systems, EPFL Press 2010,
§2.2; David and Nagaraja, Order Statistics, 3rd edition, Wiley 2003, §7.1.

Repeats of one run share its machine and its hours, so they are less independent than that theory
wants: the interval says how far repeats of this run differ, not those of another day.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from math import comb
from statistics import median
from typing import Any

from loadbench.engine.journal.events import Verdict
from loadbench.engine.journal.state import CellState, RunState
from loadbench.engine.profile.levels import Level
from loadbench.engine.profile.plan import Cell
from loadbench.engine.report.rows import Row, row_of

COLUMNS = ("rps", "p50_ms", "p90_ms", "p95_ms", "p99_ms", "p999_ms")
"""The numbers of a row that are summed up over its repeats."""

LEVEL = 0.95
"""The coverage that an interval is to have where there are enough repeats for it."""

FEWEST = 6
"""Repeats from which on an interval can have that coverage: 1 − 2·(½)^5 is 93.75 %."""

_USED = (Verdict.VALID, Verdict.SUSPECT)


@dataclass(frozen=True, slots=True)
class Interval:
    """The median of some values, and where the true median lies with a known probability."""

    median: float
    low: float
    high: float
    coverage: float
    """0 to 1: how often such an interval holds the true median; 0 for a single value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Cells that differ in their repeat alone."""

    cell: str
    """The key of the first of them."""
    models: int
    level: Level
    planned: int
    """How many repeats there are in the plan."""
    used: int
    """Those with numbers that are not invalid: what the intervals are made of."""
    suspect: int
    """Those of the used ones whose numbers are in doubt."""
    intervals: dict[str, Interval | None]
    """By the names of the columns of a row. None: no repeat has such a number."""


def groups(state: RunState) -> tuple[Group, ...]:
    """Return the repeated cells of a run in the order of the plan; the recheck is no repeat."""
    found: dict[Cell, list[CellState]] = {}
    for it in state.cells.values():
        if not it.cell.recheck:
            found.setdefault(replace(it.cell, repeat=1), []).append(it)
    return tuple(
        _group(cell, [row_of(state, it) for it in repeats])
        for cell, repeats in found.items()
        if len(repeats) > 1
    )


def record_of_group(group: Group) -> dict[str, Any]:
    """Return a group as plain data."""
    intervals = {
        name: asdict(interval) if interval else None for name, interval in group.intervals.items()
    }
    return {
        "cell": group.cell,
        "models": group.models,
        **group.level.fields,
        "planned": group.planned,
        "used": group.used,
        "suspect": group.suspect,
        "intervals": intervals,
    }


def interval_of(values: Sequence[float]) -> Interval:
    """Return the median of values and its interval.

    From six values on it is the narrowest symmetric pair of order statistics with a coverage of
    95 % or more. Fewer cannot have that: it is their range then, with the coverage of that.

    Args:
        values: At least one, in any order.
    """
    ordered = sorted(values)
    rank = _rank(len(ordered))
    return Interval(
        round(median(ordered), 4), ordered[rank - 1], ordered[-rank], coverage(len(ordered), rank)
    )


def coverage(number: int, rank: int = 1) -> float:
    """Return how often [x_(rank), x_(number + 1 − rank)] of so many values holds the median."""
    fewer = sum(comb(number, below) for below in range(rank))
    return 1 - float(Fraction(2 * fewer, 2**number))


def _rank(number: int) -> int:
    """Return the rank k of the lower end; that of the upper end is n + 1 − k."""
    rank = 1
    while coverage(number, rank + 1) >= LEVEL:
        rank += 1
    return rank


def _group(cell: Cell, repeats: Sequence[Row]) -> Group:
    used = [row for row in repeats if row.verdict in _USED and row.p50_ms is not None]
    return Group(
        cell=cell.key,
        models=cell.models,
        level=cell.level,
        planned=len(repeats),
        used=len(used),
        suspect=sum(row.verdict == Verdict.SUSPECT for row in used),
        intervals={name: _over(used, name) for name in COLUMNS},
    )


def _over(used: Sequence[Row], name: str) -> Interval | None:
    values = [value for row in used if (value := getattr(row, name)) is not None]
    return interval_of(values) if values else None
