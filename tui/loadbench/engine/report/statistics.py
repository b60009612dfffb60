"""Request statistics: numbers for each request name, live or of a finished cell. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from loadbench.engine.journal.events import Buckets, CellFinished, Requests
from loadbench.engine.measure.buckets import count, enough, merge, percentile
from loadbench.engine.report.rows import PERCENTILES
from loadbench.engine.report.running_totals import RunningTotals

ALL_REQUESTS = "all"
"""The name of the row that sums up all others."""


class StatisticsWindow(StrEnum):
    """Which part of an attempt statistics cover."""

    BEFORE_MEASURING = "before_measuring"
    MEASURED_SO_FAR = "measured_so_far"
    MEASURED = "measured"


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyPercentile:
    """One percentile of the latency of successes."""

    name: str
    """As in `rows.PERCENTILES`, such as `p99_ms`."""
    value_ms: float | None
    """None: there was no success."""
    has_enough_samples: bool
    """At least ten samples lie beyond it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestStatistics:
    """The requests of one name."""

    name: str
    """Method and name, such as `POST /predict`, or `ALL_REQUESTS`."""
    successes: int
    failures: int
    rps: float
    """Successes per second."""
    percentiles: tuple[LatencyPercentile, ...]
    """In the order of `rows.PERCENTILES`."""

    @property
    def requests(self) -> int:
        """Successes and failures."""
        return self.successes + self.failures


@dataclass(frozen=True, slots=True, kw_only=True)
class CellStatistics:
    """The requests of a cell by name."""

    window: StatisticsWindow
    seconds: float
    """How long that window is, or has been so far."""
    rows: tuple[RequestStatistics, ...]
    """Sorted by name, and the row of all requests last if there are several names."""


def live_statistics(totals: RunningTotals) -> CellStatistics:
    """Return the statistics of an attempt so far."""
    measured, before = StatisticsWindow.MEASURED_SO_FAR, StatisticsWindow.BEFORE_MEASURING
    return CellStatistics(
        window=measured if totals.is_measured else before,
        seconds=totals.seconds,
        rows=_rows(totals.requests, float(totals.seconds)),
    )


def cell_statistics(finished: CellFinished) -> CellStatistics:
    """Return the statistics of a finished cell."""
    rows = _rows(finished.requests, finished.measured_s)
    if rows:
        # Throughput counts what was completed in the window, whenever it was started. With
        # several names that is known of their sum alone.
        total = replace(rows[-1], rps=finished.completed / finished.measured_s)
        rows = (*rows[:-1], total)
    return CellStatistics(window=StatisticsWindow.MEASURED, seconds=finished.measured_s, rows=rows)


def latency_percentiles(successes: Buckets) -> tuple[LatencyPercentile, ...]:
    """Return every percentile that reports show of a latency histogram."""
    samples = count(successes)
    return tuple(
        LatencyPercentile(
            name=name,
            value_ms=percentile(successes, fraction),
            has_enough_samples=enough(samples, fraction),
        )
        for name, fraction in PERCENTILES.items()
    )


def _rows(requests: Iterable[Requests], seconds: float) -> tuple[RequestStatistics, ...]:
    by_name: dict[str, list[Requests]] = {}
    for it in requests:
        by_name.setdefault(f"{it.method} {it.name}", []).append(it)
    rows = [_row(name, group, seconds) for name, group in sorted(by_name.items())]
    if len(rows) > 1:
        everything = [it for group in by_name.values() for it in group]
        rows.append(_row(ALL_REQUESTS, everything, seconds))
    return tuple(rows)


def _row(name: str, requests: Sequence[Requests], seconds: float) -> RequestStatistics:
    successes = merge(it.successes for it in requests)
    return RequestStatistics(
        name=name,
        successes=count(successes),
        failures=sum(count(it.failures) for it in requests),
        rps=count(successes) / max(seconds, 1e-9),
        percentiles=latency_percentiles(successes),
    )
