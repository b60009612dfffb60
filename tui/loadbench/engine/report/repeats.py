"""Repeated cells: the median over the repeats and its confidence interval.

The interval comes from order statistics and assumes no distribution: for n independent measurements
x_(1) ≤ … ≤ x_(n), the median lies outside [x_(k), x_(n+1−k)] only if fewer than k of them are on
one side of it, which has a probability of 2·P(Binomial(n, ½) < k).
Sources: Le Boudec, Performance Evaluation of Computer and Communication Systems, EPFL Press 2010,
§2.2; David and Nagaraja, Order Statistics, 3rd edition, Wiley 2003, §7.1.

Repeats of one run share the machine and the time of day, so they are less independent than the
theory assumes. The interval describes the repeats of this run, not those of another day.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import comb
from statistics import median
from typing import Any

from loadbench.engine.journal.events import Verdict
from loadbench.engine.profile.levels import Level
from loadbench.engine.profile.plan import Cell
from loadbench.engine.report.rows import Row

COLUMNS = ("rps", "p50_ms", "p90_ms", "p95_ms", "p99_ms", "p999_ms")
"""The columns of a row that are aggregated over its repeats."""

MIN_COVERAGE = 0.95
"""Minimum coverage of an interval with at least `MIN_REPEATS` repeats."""

MIN_REPEATS = 6
"""Number of repeats required for this coverage. Five reach at most 1 − 2·(½)^5 = 93.75 %."""

_USED = (Verdict.VALID, Verdict.SUSPECT)


@dataclass(frozen=True, slots=True)
class Interval:
    """A median and its confidence interval."""

    median: float
    low: float
    high: float
    coverage: float
    """Probability that the interval contains the true median, 0 to 1; 0 for a single value."""

    @property
    def record(self) -> dict[str, float]:
        """The fields as plain data. `asdict` would take six times as long."""
        return {
            "median": self.median,
            "low": self.low,
            "high": self.high,
            "coverage": self.coverage,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Aggregated results of the repeats of a cell."""

    cell: str
    """Key of the first repeat."""
    models: int
    level: Level
    planned: int
    """Number of repeats in the plan."""
    used: int
    """Number of repeats included in the intervals: those with valid or suspect results."""
    suspect: int
    """Number of suspect repeats among those included."""
    intervals: dict[str, Interval | None]
    """Intervals by column name. None if no repeat has a value."""


def groups(rows: Iterable[Row]) -> tuple[Group, ...]:
    """Return the repeated cells of a run in the order of the plan. The recheck is not a repeat.

    Args:
        rows: The rows of all cells of the run.
    """
    found: dict[Cell, list[Row]] = {}
    for row in rows:
        if not row.is_recheck:
            found.setdefault(Cell(models=row.models, level=row.level), []).append(row)
    return tuple(_group(cell, repeats) for cell, repeats in found.items() if len(repeats) > 1)


def record_of_group(group: Group) -> dict[str, Any]:
    """Return a group as plain data for `summary.json`."""
    intervals = {
        name: interval.record if interval else None for name, interval in group.intervals.items()
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
    """Return the median of values and its confidence interval.

    For six or more values, the interval is the narrowest symmetric pair of order statistics with a
    coverage of at least 95 %. For fewer values, it is their range, with a lower coverage.

    Args:
        values: At least one value, in any order.
    """
    ordered = sorted(values)
    rank = _rank(len(ordered))
    return Interval(
        round(median(ordered), 4), ordered[rank - 1], ordered[-rank], coverage(len(ordered), rank)
    )


@cache
def coverage(number: int, rank: int = 1) -> float:
    """Return the probability that [x_(rank), x_(number + 1 − rank)] contains the median.

    Args:
        number: Number of values.
        rank: Rank of the lower end of the interval, from 1.
    """
    fewer = sum(comb(number, below) for below in range(rank))
    return 1 - float(Fraction(2 * fewer, 2**number))


def _rank(number: int) -> int:
    """Return the rank k of the lower end. The upper end has rank n + 1 − k."""
    rank = 1
    while coverage(number, rank + 1) >= MIN_COVERAGE:
        rank += 1
    return rank


def _group(cell: Cell, repeats: Sequence[Row]) -> Group:
    used = [row for row in repeats if row.verdict in _USED and row.rps]
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
