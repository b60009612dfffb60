"""Sparse latency histograms with three or more significant digits, and nearest-rank percentiles."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    # Locust's process does not load the events.
    from loadbench.engine.journal.events import Buckets, ReplicaRequests, Requests


_FINE_BUCKETS = (
    (10, 100),
    (20, 50),
    (50, 20),
    (100, 10),
    (200, 5),
    (500, 2),
    (1_000, 1),
    (2_000, 0.5),
    (5_000, 0.2),
    (10_000, 0.1),
    (20_000, 0.05),
    (50_000, 0.02),
)
"""End of each range of latencies in ms, and its number of buckets per ms."""


def bucket_ms(latency_ms: float) -> float:
    """Return a latency rounded to three significant digits, but no finer than 0.01 ms.

    At 1 ms and above, the rounding error is at most 0.5 %. Stock Locust keeps two digits,
    with an error of up to 5 %.
    """
    # Called four times per request; round() would take twice as long.
    if latency_ms < 10:
        return int(latency_ms * 100 + 0.5) / 100
    if latency_ms < 100:
        return int(latency_ms * 10 + 0.5) / 10
    if latency_ms < 1_000:
        return float(int(latency_ms + 0.5))
    if latency_ms < 10_000:
        return float(round(latency_ms, -1))
    return float(round(latency_ms, -2))


def fine_bucket_ms(latency_ms: float) -> float:
    """Return a latency rounded by at most 0.13 % from 10 ms on, and to 0.01 ms below, for cells.

    The widths of buckets from 10 ms are 0.02 ms, 0.05 ms and 0.1 ms, ten times as much from 100 ms,
    and so on to 50 s.
    """
    for end_ms, per_ms in _FINE_BUCKETS:
        if latency_ms < end_ms:
            return int(latency_ms * per_ms + 0.5) / per_ms
    return bucket_ms(latency_ms)


def fine_bucket_width_ms(latency_ms: float) -> float:
    """Return the width of the bucket of a latency by `fine_bucket_ms`, in ms."""
    return next((1 / per_ms for end_ms, per_ms in _FINE_BUCKETS if latency_ms < end_ms), 100.0)


def to_buckets(counts: Mapping[float, int]) -> Buckets:
    """Convert counts to a histogram in the journal's format.

    Args:
        counts: Number of occurrences by latency in ms.
    """
    return tuple(sorted(counts.items()))


def merge(histograms: Iterable[Buckets]) -> Buckets:
    """Return the sum of several histograms."""
    total: dict[float, int] = {}
    for histogram in histograms:
        for latency_ms, count in histogram:
            total[latency_ms] = total.get(latency_ms, 0) + count
    return to_buckets(total)


def successes(requests: Iterable[Requests]) -> Buckets:
    """Return the latency histogram of the successful requests of all names."""
    return merge(entry.successes for entry in requests)


def failures(requests: Iterable[Requests]) -> Buckets:
    """Return the latency histogram of the failed requests of all names."""
    return merge(entry.failures for entry in requests)


def num_successes(requests: Iterable[Requests | ReplicaRequests]) -> int:
    """Return the number of successful requests, with and without a latency."""
    return sum(count(entry.successes) + entry.untimed_successes for entry in requests)


def num_failures(requests: Iterable[Requests | ReplicaRequests]) -> int:
    """Return the number of failed requests, with and without a latency."""
    return sum(count(entry.failures) + entry.untimed_failures for entry in requests)


def num_requests(requests: Sequence[Requests | ReplicaRequests]) -> int:
    """Return the number of requests, with and without a latency."""
    return num_successes(requests) + num_failures(requests)


def num_untimed(requests: Iterable[Requests | ReplicaRequests]) -> int:
    """Return the number of requests without a latency."""
    return sum(entry.untimed_successes + entry.untimed_failures for entry in requests)


def count(histogram: Buckets) -> int:
    """Return the number of latencies in a histogram."""
    return sum(number for _, number in histogram)


def percentile(histogram: Buckets, fraction: float) -> float | None:
    """Return the nearest-rank percentile: the ⌈fraction · n⌉-th smallest latency.

    Args:
        histogram: (latency in ms, count) pairs in ascending order.
        fraction: In (0, 1]: 0.95 is the 95th percentile, 1 the maximum.

    Returns:
        The latency in ms, or None if the histogram is empty.
    """
    # fraction * n may exceed a whole number by a rounding error, which must not raise the rank.
    rank = max(1, math.ceil(round(fraction * count(histogram), 6)))
    seen = 0
    for latency_ms, number in histogram:
        seen += number
        if seen >= rank:
            return latency_ms
    return None


def has_enough_samples(samples: int, fraction: float) -> bool:
    """Return whether there are enough samples for a reliable percentile."""
    return samples >= min_samples(fraction)


def min_samples(fraction: float) -> int:
    """Return the number of samples needed for ten of them to lie beyond a percentile."""
    return round(10 / (1 - fraction)) if fraction < 1 else 1


def time_weighted_median(gaps: Buckets) -> float | None:
    """Return the median length of gaps, weighted by their length.

    This is the median length of the gap that contains a random moment.

    Args:
        gaps: (length in ms, count) pairs in ascending order.

    Returns:
        The length in ms, or None if the histogram is empty.
    """
    half = sum(gap_ms * number for gap_ms, number in gaps) / 2
    seen = 0.0
    for gap_ms, number in gaps:
        seen += gap_ms * number
        if seen >= half:
            return gap_ms
    return None


def convolve(histogram: Buckets, other: Buckets) -> Buckets:
    """Return the histogram of the sum of two independent times, over all pairs of values."""
    total: dict[float, int] = {}
    for time_ms, number in histogram:
        for other_ms, other_number in other:
            bucket = fine_bucket_ms(time_ms + other_ms)
            total[bucket] = total.get(bucket, 0) + number * other_number
    return to_buckets(total)
