"""Adds successes to Locust's own statistics about once a second, instead of one by one.

Locust updates two entries for each request, its own and that of all requests, which costs more than
all other counting. Nothing reads its statistics more often than once a second.
"""

import time
from dataclasses import dataclass, field
from typing import Any

from locust.stats import StatsEntry

from loadbench.in_locust.names import Name


@dataclass(slots=True)
class _Pending:
    """Successes that Locust has not counted yet."""

    requests: int = 0
    untimed: int = 0
    total_ms: float = 0.0
    min_ms: float = float("inf")
    max_ms: float = 0.0
    response_bytes: float = 0
    last_s: float = 0.0
    """Time of the last one, in seconds since the epoch."""
    histogram: dict[float, int] = field(default_factory=dict)
    per_second: dict[int, int] = field(default_factory=dict)


class DeferredStats:
    """Successes by name that are to be added to Locust's statistics.

    Args:
        stats: Locust's `RequestStats`.
    """

    def __init__(self, stats: Any) -> None:
        self._stats = stats
        self._pending: dict[Name, _Pending] = {}

    def add(
        self, key: Name, latency_ms: float | None, bucket: float | None, response_bytes: float
    ) -> None:
        """Count a success, in the bucket of its latency."""
        pending = self._pending.get(key)
        if pending is None:
            pending = self._pending[key] = _Pending()
        pending.requests += 1
        pending.last_s = now = time.time()
        second = int(now)
        per_second = pending.per_second
        per_second[second] = per_second.get(second, 0) + 1
        pending.response_bytes += response_bytes
        if latency_ms is None or bucket is None:
            pending.untimed += 1
            return
        pending.total_ms += latency_ms
        if latency_ms < pending.min_ms:
            pending.min_ms = latency_ms
        if latency_ms > pending.max_ms:
            pending.max_ms = latency_ms
        histogram = pending.histogram
        histogram[bucket] = histogram.get(bucket, 0) + 1

    def flush(self) -> None:
        """Add all counts to Locust's statistics, like the report of one of its workers."""
        pending, self._pending = self._pending, {}
        for (method, name), one in pending.items():
            # Locust declares whole numbers, but computes with any.
            entry: Any = StatsEntry(self._stats, name, method)
            entry.num_requests, entry.num_none_requests = one.requests, one.untimed
            entry.total_response_time = one.total_ms
            entry.min_response_time = one.min_ms if one.histogram else None
            entry.max_response_time = one.max_ms
            entry.total_content_length = one.response_bytes
            entry.response_times.update(one.histogram)
            entry.num_reqs_per_sec.update(one.per_second)
            entry.last_request_timestamp = one.last_s
            self._stats.total.extend(entry)
            self._stats.entries[(name, method)].extend(entry)
