"""Statistics by request name, for running and for finished cells."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from loadbench.engine.journal.events import Buckets, CellFinished, Requests
from loadbench.engine.measure.buckets import (
    count,
    has_enough_samples,
    num_failures,
    num_successes,
    percentile,
    successes,
)
from loadbench.engine.report.rows import PERCENTILES
from loadbench.engine.report.running_totals import RunningTotals

ALL_REQUESTS = "all"
"""Name of the row that aggregates all others."""


class StatisticsWindow(StrEnum):
    """The part of an attempt that statistics cover."""

    BEFORE_MEASURING = "before_measuring"
    MEASURED_SO_FAR = "measured_so_far"
    MEASURED = "measured"


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyPercentile:
    """A latency percentile of successful requests."""

    name: str
    """Name as in `rows.PERCENTILES`, such as `p99_ms`."""
    value_ms: float | None
    """None if no successful request has a latency."""
    has_enough_samples: bool
    """Whether at least ten samples lie beyond the percentile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestStatistics:
    """Statistics of the requests with one name."""

    name: str
    """Method and name, such as `POST /predict`, or `ALL_REQUESTS`."""
    successes: int
    failures: int
    rps: float
    """Successful requests per second."""
    percentiles: tuple[LatencyPercentile, ...]
    """In the order of `rows.PERCENTILES`."""

    @property
    def requests(self) -> int:
        """Number of requests, both successes and failures."""
        return self.successes + self.failures


@dataclass(frozen=True, slots=True, kw_only=True)
class CellStatistics:
    """Statistics of a cell by request name."""

    window: StatisticsWindow
    seconds: float
    """Length of the window, or the time elapsed in it so far."""
    rows: tuple[RequestStatistics, ...]
    """Sorted by name. With several names, the row of all requests comes last."""


def live_statistics(totals: RunningTotals) -> CellStatistics:
    """Return the statistics of a running attempt so far."""
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
        # Throughput counts requests completed in the window, even if they started before it. The
        # journal records this count only for all names together.
        total = replace(rows[-1], rps=finished.completed / finished.measured_s)
        rows = (*rows[:-1], total)
    return CellStatistics(window=StatisticsWindow.MEASURED, seconds=finished.measured_s, rows=rows)


def latency_percentiles(latencies: Buckets) -> tuple[LatencyPercentile, ...]:
    """Return those percentiles of a latency histogram that reports show."""
    samples = count(latencies)
    return tuple(
        LatencyPercentile(
            name=name,
            value_ms=percentile(latencies, fraction),
            has_enough_samples=has_enough_samples(samples, fraction),
        )
        for name, fraction in PERCENTILES.items()
    )


def _rows(requests: Iterable[Requests], seconds: float) -> tuple[RequestStatistics, ...]:
    by_name: dict[str, list[Requests]] = {}
    for entry in requests:
        by_name.setdefault(f"{entry.method} {entry.name}", []).append(entry)
    rows = [_row(name.lstrip(), group, seconds) for name, group in sorted(by_name.items())]
    if len(rows) > 1:
        everything = [entry for group in by_name.values() for entry in group]
        rows.append(_row(ALL_REQUESTS, everything, seconds))
    return tuple(rows)


def _row(name: str, requests: Sequence[Requests], seconds: float) -> RequestStatistics:
    succeeded = num_successes(requests)
    return RequestStatistics(
        name=name,
        successes=succeeded,
        failures=num_failures(requests),
        rps=succeeded / max(seconds, 1e-9),
        percentiles=latency_percentiles(successes(requests)),
    )
