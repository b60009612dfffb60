"""Detect whether the load generator (Locust) was the bottleneck of a cell."""

from dataclasses import dataclass

from loadbench.engine.journal.events import CellFinished
from loadbench.engine.measure.buckets import num_requests, num_untimed
from loadbench.engine.measure.client_delay import added_by_percentile
from loadbench.engine.measure.conditions import busiest_cpu_cores
from loadbench.engine.measure.limits import (
    MAX_CLIENT_CPU_CORES,
    MIN_BUSY_CORES,
    MIN_USERS_SHARE,
)
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
    return _delayed_users(cell, finished) or _own_delay(finished, main)


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


def _own_delay(finished: CellFinished, main: str | None) -> ClientCause | None:
    """Return a cause if the load generator adds too much to a percentile."""
    for added in added_by_percentile(finished, main):
        if added.is_too_much:
            ms, name = number(added.ms), f"p{100 * added.fraction:g}"
            limit = f"(limit {number(added.limit_ms)} ms)"
            if added.is_estimate:
                text = f"event-loop lag adds {ms} ms to {name} {limit}"
            else:
                text = f"{ms} ms added to {name} {limit}"
            return ClientCause(
                text=text, consequence=_OWN_DELAY, value=added.ms, limit=added.limit_ms
            )
    return None
