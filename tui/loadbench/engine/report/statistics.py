"""Statistics by request name and of measurements, for running and for finished cells."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from loadbench.engine.journal.events import Buckets, CellFinished, Requests
from loadbench.engine.measure.buckets import (
    count,
    has_enough_samples,
    num_failures,
    num_successes,
    percentile,
    successes,
)
from loadbench.engine.measure.main_request import num_completed, of_name
from loadbench.engine.report.measurements.statistics import (
    MeasurementStatistics,
    cell_measurements,
    measurement_statistics,
)
from loadbench.engine.report.rows import PERCENTILE_NAMES, PERCENTILES
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
    is_main: bool = False
    """Whether the profile's `load.main` is the name of these requests."""

    @property
    def requests(self) -> int:
        """Number of requests, both successes and failures."""
        return self.successes + self.failures


@dataclass(frozen=True, slots=True, kw_only=True)
class CellStatistics:
    """Statistics of a cell by request name, and of its measurements."""

    window: StatisticsWindow
    seconds: float
    """Length of the window, or the time elapsed in it so far."""
    rows: tuple[RequestStatistics, ...]
    """Sorted by name. With several names, the row of all requests comes last."""
    main: RequestStatistics | None
    """The requests that results speak of: the main requests of the profile, otherwise all requests.
    None if there are no requests at all."""
    measurements: tuple[MeasurementStatistics, ...] = ()
    """Sorted by name."""


def live_statistics(totals: RunningTotals, main: str | None = None) -> CellStatistics:
    """Return the statistics of a running attempt so far.

    Args:
        totals: The totals of the attempt.
        main: Name of the main requests; see `of_name`. None: all requests.
    """
    measured, before = StatisticsWindow.MEASURED_SO_FAR, StatisticsWindow.BEFORE_MEASURING
    seconds = float(totals.seconds)
    rows = _rows(totals.requests, seconds, main)
    return CellStatistics(
        window=measured if totals.is_measured else before,
        seconds=totals.seconds,
        rows=rows,
        main=_main(rows, totals.requests, seconds, main),
        measurements=measurement_statistics(totals.measurements, seconds),
    )


def cell_statistics(finished: CellFinished, main: str | None = None) -> CellStatistics:
    """Return the statistics of a finished cell.

    Args:
        finished: The results of the cell.
        main: As for `live_statistics`.
    """
    rows = _rows(finished.requests, finished.measured_s, main)
    if rows:
        # Earlier versions recorded the completed requests only for all names together.
        total = replace(rows[-1], rps=finished.completed / finished.measured_s)
        rows = (*rows[:-1], total)
    return CellStatistics(
        window=StatisticsWindow.MEASURED,
        seconds=finished.measured_s,
        rows=rows,
        main=_main(rows, finished.requests, finished.measured_s, main),
        measurements=cell_measurements(finished),
    )


def name_records(statistics: CellStatistics) -> list[dict[str, Any]]:
    """Return the statistics of each request name as plain data, without the row of all requests."""
    rows = statistics.rows[:-1] if len(statistics.rows) > 1 else statistics.rows
    return [
        {
            "name": row.name,
            "is_main": row.is_main,
            "requests": row.requests,
            "failures": row.failures,
            "rps": round(row.rps, 3),
            **{one.name: one.value_ms for one in row.percentiles},
            "few_samples": " ".join(
                PERCENTILE_NAMES[one.name] for one in row.percentiles if not one.has_enough_samples
            ),
        }
        for row in rows
    ]


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


def _main(
    rows: Sequence[RequestStatistics],
    requests: Sequence[Requests],
    seconds: float,
    main: str | None,
) -> RequestStatistics | None:
    if main is None or not rows:
        return rows[-1] if rows else None
    return _row(main, of_name(requests, main), seconds, main)


def _rows(
    requests: Iterable[Requests], seconds: float, main: str | None
) -> tuple[RequestStatistics, ...]:
    by_name: dict[str, list[Requests]] = {}
    for entry in requests:
        by_name.setdefault(f"{entry.method} {entry.name}", []).append(entry)
    rows = [_row(name.lstrip(), group, seconds, main) for name, group in sorted(by_name.items())]
    if len(rows) > 1:
        everything = [entry for group in by_name.values() for entry in group]
        rows.append(_row(ALL_REQUESTS, everything, seconds, None))
    return tuple(rows)


def _row(
    name: str, requests: Sequence[Requests], seconds: float, main: str | None
) -> RequestStatistics:
    return RequestStatistics(
        name=name,
        successes=num_successes(requests),
        failures=num_failures(requests),
        # Requests completed in the window count, even if they started before it.
        rps=num_completed(requests) / max(seconds, 1e-9),
        percentiles=latency_percentiles(successes(requests)),
        is_main=main is not None and bool(of_name(requests, main)),
    )
