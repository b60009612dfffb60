"""Merge the samples of an attempt into slices for charts over time."""

from collections import Counter
from dataclasses import dataclass

from loadbench.engine.journal.samples import Samples
from loadbench.engine.journal.time_bucket import (
    ContainerRange,
    MeasurementTotals,
    TimeBucket,
    merge_ranges,
)
from loadbench.engine.measure.buckets import (
    num_failures,
    num_successes,
    percentile,
    successes,
    to_buckets,
)
from loadbench.engine.measure.main_request import of_name
from loadbench.engine.report.measurements.statistics import (
    MeasurementStatistics,
    measurement_statistics,
)

MAX_SLICES = 120
"""Maximum number of slices per chart. A chart cannot resolve more."""
_WIDTHS_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)
"""Widths of 10 s or more are multiples of the ten-second buckets that hold older samples."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Merged samples of successive seconds."""

    start_s: int
    seconds: int
    """Number of samples in the slice."""
    successes: int
    p50_ms: float | None
    """This field and the next three cover successful requests with a latency. They are None if
    there are none."""
    p90_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    failures: int
    users: int
    """Highest number of users in the slice."""
    containers: tuple[ContainerRange, ...] = ()
    """Usage of each container."""
    measurements: tuple[MeasurementStatistics, ...] = ()
    """Statistics of each measurement with a value in the slice."""

    @property
    def rps(self) -> float:
        """Successful requests per second."""
        return self.successes / self.seconds

    @property
    def failures_per_s(self) -> float:
        """Failed requests per second."""
        return self.failures / self.seconds


class Slices:
    """Divide the samples of one attempt into slices, computing each complete slice once.

    Slices begin at multiples of their width, so only the last slice of a growing attempt changes.
    """

    def __init__(self) -> None:
        self._source: tuple[object, ...] = ()
        self._width_s = 1
        self._complete: list[Slice] = []

    def of(self, samples: Samples, main: str | None = None) -> list[Slice]:
        """Return the slices of an attempt.

        Args:
            samples: Samples that extend those of the last call or belong to another attempt.
            main: Name of the requests that the slices cover; see `of_name`. None: all requests.
        """
        width_s = slice_width_s(len(samples))
        first = samples.first
        source = (first.cell, first.attempt, first.second, main) if first else ()
        if source != self._source or width_s != self._width_s:
            self._source, self._width_s, self._complete = source, width_s, []
        complete = len(samples) // width_s
        for number in range(len(self._complete), complete):
            begin = number * width_s
            self._complete.append(_slice(samples, begin, begin + width_s, main))
        begin, end = complete * width_s, len(samples)
        last = [_slice(samples, begin, end, main)] if begin < end else []
        return [*self._complete[:complete], *last]


def slice_width_s(seconds: int) -> int:
    """Return the slice width in seconds for an attempt of the given length."""
    return next((s for s in _WIDTHS_S if seconds <= s * MAX_SLICES), _WIDTHS_S[-1])


def _slice(samples: Samples, begin: int, end: int, main: str | None) -> Slice:
    parts = list(samples.parts(begin, end))
    counts: Counter[float] = Counter()
    containers: tuple[ContainerRange, ...] = ()
    measured = MeasurementTotals()
    succeeded, failed = 0, 0
    for part in parts:
        # Unpack one part at a time: half an hour of unpacked parts would take megabytes.
        contents = part.unpacked() if isinstance(part, TimeBucket) else part
        requests = of_name(contents.requests, main)
        succeeded += num_successes(requests)
        failed += num_failures(requests)
        for latency_ms, number in successes(requests):
            counts[latency_ms] += number
        measured.add(contents.measurements)
        containers = merge_ranges(containers, contents.containers)
    latency = to_buckets(counts)
    return Slice(
        start_s=parts[0].second,
        seconds=end - begin,
        successes=succeeded,
        p50_ms=percentile(latency, 0.5),
        p90_ms=percentile(latency, 0.9),
        p95_ms=percentile(latency, 0.95),
        p99_ms=percentile(latency, 0.99),
        failures=failed,
        users=max(part.users for part in parts),
        containers=containers,
        measurements=measurement_statistics(measured.measurements, end - begin),
    )
