"""Requests and latency of each replica, for cells whose users are distributed among replicas."""

from dataclasses import dataclass

from loadbench.engine.journal.events import CellFinished
from loadbench.engine.measure.buckets import count, num_failures, num_requests, percentile


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaRow:
    """The requests to one replica in the measurement window."""

    name: str
    """Name of its container, or `other addresses` for requests to no replica."""
    host: str
    """Its base URL. Empty for several other addresses."""
    requests: int
    failures: int
    samples: int
    """Number of successful requests with a latency."""
    share: float
    """Share of all requests of the cell, 0 to 1."""
    p50_ms: float | None
    """Percentiles of the successful requests. None if there are none."""
    p95_ms: float | None
    p99_ms: float | None


OTHER = "other addresses"


def replica_rows(finished: CellFinished) -> tuple[ReplicaRow, ...]:
    """Return one row per replica, in order. Empty if users were not distributed among replicas."""
    total = num_requests(finished.replicas)
    return tuple(
        ReplicaRow(
            name=one.name or OTHER,
            host=one.host,
            requests=num_requests([one]),
            failures=num_failures([one]),
            samples=count(one.successes),
            share=num_requests([one]) / total if total else 0.0,
            p50_ms=percentile(one.successes, 0.5),
            p95_ms=percentile(one.successes, 0.95),
            p99_ms=percentile(one.successes, 0.99),
        )
        for one in finished.replicas
    )
