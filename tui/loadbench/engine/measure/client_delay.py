"""What the load generator itself adds to the percentiles of a cell.

For each success, Locust's process records the latency without its own delay (`Requests.undelayed`).
What is added to a percentile is the percentile of the latencies minus the percentile of these:
because each of them is smaller than its latency, so is each of their percentiles. If the delays of
some requests are unknown, as with TLS, event-loop lag gives an estimate instead.
"""

from dataclasses import dataclass

from loadbench.engine.journal.events import Buckets, CellFinished
from loadbench.engine.measure.buckets import (
    convolve,
    count,
    fine_bucket_width_ms,
    has_enough_samples,
    merge,
    percentile,
    successes,
)
from loadbench.engine.measure.limits import (
    MAX_ADDED,
    MIN_KNOWN_DELAYS,
    SAMPLED_PERCENTILE,
    SHARED_MACHINE_FACTOR,
    WAY_MS,
)
from loadbench.engine.measure.main_request import results_of_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What the load generator adds to one percentile."""

    fraction: float
    ms: float
    limit_ms: float
    """Limit above which the cell is client-bound."""
    is_estimate: bool
    """Whether `ms` is estimated from event-loop lag, because delays are unknown."""

    @property
    def is_too_much(self) -> bool:
        """Whether it exceeds the limit."""
        return self.ms > self.limit_ms


def added_ms(finished: CellFinished, fraction: float, main: str | None = None) -> float | None:
    """Return what the load generator adds to a percentile, in ms.

    Args:
        finished: Results of the cell.
        fraction: In (0, 1], such as 0.95.
        main: Name of the main requests, whose percentile counts. None: all requests.

    Returns:
        Milliseconds. None if there are no latencies, or neither delays nor event-loop lag.
    """
    results = results_of_name(finished, main)
    reference = _undelayed(results) or _delayed(results)
    return _difference(successes(results.requests), reference, fraction)


def added_by_percentile(finished: CellFinished, main: str | None = None) -> tuple[Added, ...]:
    """Return what the load generator adds to each percentile that has a limit.

    Args:
        finished: Results of the cell.
        main: Name of the main requests, whose percentiles count. None: all requests.
    """
    results = results_of_name(finished, main)
    latency, undelayed = successes(results.requests), _undelayed(results)
    reference = undelayed or _delayed(results)
    factor = 1.0 if undelayed else _factor(finished)
    found = []
    for fraction, (max_share, max_ms) in MAX_ADDED.items():
        if fraction >= SAMPLED_PERCENTILE and not has_enough_samples(count(latency), fraction):
            continue
        ms = _difference(latency, reference, fraction)
        if ms is None:
            continue
        true_ms = percentile(undelayed or latency, fraction) or 0.0
        limit_ms = factor * max(max_share * true_ms, max_ms)
        if undelayed:
            # What is not known must not hide that the limit is exceeded.
            limit_ms -= fine_bucket_width_ms(true_ms) / 2 + WAY_MS
        found.append(
            Added(fraction=fraction, ms=ms, limit_ms=round(limit_ms, 3), is_estimate=not undelayed)
        )
    return tuple(found)


def _undelayed(results: CellFinished) -> Buckets:
    """Return the latencies without the delay, or an empty histogram if too few are known."""
    known = merge(one.undelayed for one in results.requests)
    is_complete = count(known) >= MIN_KNOWN_DELAYS * count(successes(results.requests))
    return known if is_complete else ()


def _delayed(results: CellFinished) -> Buckets:
    """Return the latencies with event-loop lag added once more, to estimate its effect."""
    conditions = results.circumstances
    return convolve(successes(results.requests), conditions.lag) if conditions else ()


def _difference(latency: Buckets, reference: Buckets, fraction: float) -> float | None:
    one, other = percentile(latency, fraction), percentile(reference, fraction)
    return None if one is None or other is None else round(abs(one - other), 3)


def _factor(finished: CellFinished) -> float:
    """Return the factor for limits of estimates, which are too high on a shared machine."""
    machine = finished.circumstances.machine if finished.circumstances else None
    is_shared = machine is not None and machine.others_cpu_cores is not None
    return SHARED_MACHINE_FACTOR if is_shared else 1.0
