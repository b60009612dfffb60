"""Detect whether the load generator (Locust) was the bottleneck of a cell."""

from dataclasses import dataclass

from loadbench.engine.journal.events import Buckets, CellFinished
from loadbench.engine.measure.buckets import (
    convolve,
    num_requests,
    num_untimed,
    percentile,
    successes,
)
from loadbench.engine.measure.conditions import busiest_cpu_cores
from loadbench.engine.measure.limits import (
    MAX_ADDED_LAG,
    MAX_CLIENT_CPU_CORES,
    MIN_BUSY_CORES,
    MIN_USERS_SHARE,
    SHARED_MACHINE_FACTOR,
)
from loadbench.engine.measure.main_request import results_of_name
from loadbench.engine.numbers import number
from loadbench.engine.profile.plan import Cell

_OWN_DELAY = "latency includes its own delay"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCause:
    """The reason why the load generator was the bottleneck."""

    text: str
    """A noun phrase with the figure and its limit."""
    consequence: str
    """The effect on the results, as a clause that follows "so"."""
    value: float
    """CPU cores, number of users, or milliseconds added to a percentile."""
    limit: float
    """Limit in the unit of the value: a minimum for users, otherwise a maximum."""


def client_cause(cell: Cell, finished: CellFinished, main: str | None = None) -> ClientCause | None:
    """Return the reason why the load generator was the bottleneck, or None if it was not.

    Args:
        cell: The cell.
        finished: Its results, including the conditions of the measurement window.
        main: Name of the main requests, whose percentiles count. None: all requests.
    """
    cores = busiest_cpu_cores(finished.clients)
    if cores > MAX_CLIENT_CPU_CORES:
        return ClientCause(
            text=f"Locust used {cores:.3g} CPU cores (limit {MAX_CLIENT_CPU_CORES:g})",
            consequence=_OWN_DELAY,
            value=cores,
            limit=MAX_CLIENT_CPU_CORES,
        )
    return _delayed_users(cell, finished) or _event_loop_lag(results_of_name(finished, main))


def _delayed_users(cell: Cell, finished: CellFinished) -> ClientCause | None:
    """Return a cause if too many users were neither in a request nor in a pause."""
    conditions, users = finished.circumstances, cell.level.users
    if conditions is None or users is None or finished.fewest_users < users:
        return None
    if finished.measurements and not finished.requests:
        # The time that users spent on measurements is unknown.
        return None
    accounted = conditions.in_flight + conditions.thinking
    min_accounted = MIN_USERS_SHARE * users
    if accounted >= min_accounted:
        return None
    text = (
        f"{number(accounted)} of {users} users in a request or pause "
        f"(minimum {number(min_accounted)})"
    )
    if busiest_cpu_cores(finished.clients) > MIN_BUSY_CORES:
        text, consequence = f"{text}, others delayed by Locust", _OWN_DELAY
    elif num_untimed(finished.requests) > (1 - MIN_USERS_SHARE) * num_requests(finished.requests):
        # Users may wait for messages without a latency, and for how long is unknown.
        return None
    else:
        # Locust is idle, so users wait in code outside Locust, such as greenlets of the locustfile.
        text = f"{text}, others in the locustfile's own code"
        consequence = f"the load is below that of {users} users"
    return ClientCause(text=text, consequence=consequence, value=accounted, limit=min_accounted)


def _event_loop_lag(finished: CellFinished) -> ClientCause | None:
    """Return a cause if event-loop lag adds too much to a percentile.

    The measured latency already includes the lag. Adding it a second time estimates its effect.
    """
    conditions = finished.circumstances
    if conditions is None:
        return None
    machine = conditions.machine
    is_shared = machine is not None and machine.others_cpu_cores is not None
    factor = SHARED_MACHINE_FACTOR if is_shared else 1.0
    latency = successes(finished.requests)
    delayed: Buckets = convolve(latency, conditions.lag)
    for fraction, (max_share, max_ms) in MAX_ADDED_LAG.items():
        measured_ms, delayed_ms = percentile(latency, fraction), percentile(delayed, fraction)
        if measured_ms is None or delayed_ms is None:
            continue
        added_ms, limit_ms = delayed_ms - measured_ms, factor * max(max_share * measured_ms, max_ms)
        if added_ms > limit_ms:
            text = (
                f"event-loop lag adds {number(added_ms)} ms to p{100 * fraction:g} "
                f"(limit {number(limit_ms)} ms)"
            )
            return ClientCause(text=text, consequence=_OWN_DELAY, value=added_ms, limit=limit_ms)
    return None
