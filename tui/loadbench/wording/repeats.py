"""Format repeated cells as a table of medians and intervals."""

from collections.abc import Sequence

from loadbench.engine.numbers import number
from loadbench.engine.report import repeats
from loadbench.wording.tables import table


def repeats_table(groups: Sequence[repeats.Group]) -> list[str]:
    """Return a table with one line per group of repeats, followed by its legend."""
    header = ("cell", "repeats", "req/s", "p50", "p95", "p99")
    columns = ("rps", "p50_ms", "p95_ms", "p99_ms")
    body = [
        (group.cell, repeats_used(group), *(span(group.intervals[name]) for name in columns))
        for group in groups
    ]
    return [*table(header, body), *interval_legend(groups)]


def repeats_used(group: repeats.Group) -> str:
    """Return the number of repeats included, such as `3` or `2 of 3, 1 suspect`."""
    is_partial = group.used < group.planned
    used = f"{group.used} of {group.planned}" if is_partial else str(group.used)
    return f"{used}, {group.suspect} suspect" if group.suspect else used


def span(interval: repeats.Interval | None) -> str:
    """Return a median and its interval as in `43.1 [41.0, 45.2]`, or only a single value."""
    if interval is None or not interval.coverage:
        return number(interval.median if interval else None)
    return f"{number(interval.median)} [{number(interval.low)}, {number(interval.high)}]"


def interval_legend(groups: Sequence[repeats.Group]) -> list[str]:
    """Return the legend of the groups' intervals, or no lines if no group has an interval."""
    sizes = sorted({group.used for group in groups if group.used > 1})
    small = [size for size in sizes if size < repeats.MIN_REPEATS]
    lines = []
    if len(small) < len(sizes):
        lines.append("[low, high]: 95 % confidence interval of the median (order statistics)")
    if small:
        scope = f" of fewer than {repeats.MIN_REPEATS} repeats" if lines else ""
        coverages = ", ".join(
            f"{100 * repeats.coverage(size):.3g} % with {size} repeats" for size in small
        )
        lines.append(
            f"[low, high]{scope}: range of all repeats, which contains the true median with a "
            f"probability of {coverages}; 95 % requires {repeats.MIN_REPEATS} repeats"
        )
    return lines
