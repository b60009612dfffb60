"""The samples of an attempt in slices of some seconds each: what charts over time show. Pure."""

from collections import Counter
from dataclasses import dataclass

from loadbench.engine.journal.samples import Samples
from loadbench.engine.measure.buckets import count, failures, percentile, successes, to_buckets

MAX_SLICES = 120
"""More than a chart can resolve would only cost time."""
_WIDTHS_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)
"""Older seconds are kept in buckets of ten: from there on whole multiples of that."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Some seconds of a cell, merged."""

    start_s: int
    seconds: int
    """How many samples it is made of."""
    successes: int
    p50_ms: float | None
    """Of the successes, as the next two. None: there were none."""
    p90_ms: float | None
    p99_ms: float | None
    failures: int
    users: int
    """The most at once."""

    @property
    def rps(self) -> float:
        """Successes per second."""
        return self.successes / self.seconds

    @property
    def failures_per_s(self) -> float:
        """Failed requests per second."""
        return self.failures / self.seconds


class Slices:
    """Slices the samples of one attempt and computes each complete slice once.

    Slices begin at whole multiples of their width, so that only the last slice of a growing cell
    changes.
    """

    def __init__(self) -> None:
        self._source: tuple[str, int, int] | None = None
        self._width_s = 1
        self._complete: list[Slice] = []

    def of(self, samples: Samples) -> list[Slice]:
        """Return the slices of an attempt.

        Args:
            samples: Those of the last call and later ones, or those of another attempt.
        """
        width_s = slice_width_s(len(samples))
        first = samples.first
        source = (first.cell, first.attempt, first.second) if first else None
        if source != self._source or width_s != self._width_s:
            self._source, self._width_s, self._complete = source, width_s, []
        complete = len(samples) // width_s
        for number in range(len(self._complete), complete):
            self._complete.append(_slice(samples, number * width_s, (number + 1) * width_s))
        begin, end = complete * width_s, len(samples)
        last = [_slice(samples, begin, end)] if begin < end else []
        return [*self._complete[:complete], *last]


def slice_width_s(seconds: int) -> int:
    """Return the width of the slices of an attempt with so many seconds."""
    return next((s for s in _WIDTHS_S if seconds <= s * MAX_SLICES), _WIDTHS_S[-1])


def _slice(samples: Samples, begin: int, end: int) -> Slice:
    parts = list(samples.parts(begin, end))
    counts: Counter[float] = Counter()
    failed = 0
    for part in parts:
        # Unpacked one by one: those of half an hour would take megabytes together.
        requests = part.requests
        failed += count(failures(requests))
        for latency_ms, number in successes(requests):
            counts[latency_ms] += number
    latency = to_buckets(counts)
    return Slice(
        start_s=parts[0].second,
        seconds=end - begin,
        successes=count(latency),
        p50_ms=percentile(latency, 0.5),
        p90_ms=percentile(latency, 0.9),
        p99_ms=percentile(latency, 0.99),
        failures=failed,
        users=max(it.users for it in parts),
    )
