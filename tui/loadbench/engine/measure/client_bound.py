"""Whether Locust itself was the bottleneck of a cell, and by what. Pure."""

from dataclasses import dataclass

from loadbench.engine.journal.events import Buckets, CellFinished
from loadbench.engine.measure.buckets import percentile, plus, successes
from loadbench.engine.measure.conditions import busiest_cpu_cores
from loadbench.engine.measure.limits import (
    MAX_CLIENT_CPU_CORES,
    MAX_LAG_MS,
    MIN_BUSY_CORES,
    MIN_USERS_SHARE,
    SHARED_FACTOR,
)
from loadbench.engine.numbers import number
from loadbench.engine.profile.plan import Cell

_ITS_OWN = ", so part of the latency is its own"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCause:
    """Why Locust itself was the bottleneck."""

    text: str
    consequence: str
    """What follows from it for the numbers, as the end of the sentence."""
    value: float
    """Cores, users, or milliseconds added to a percentile."""
    limit: float
    """In the same unit: at the most, for users at least."""


def client_cause(cell: Cell, finished: CellFinished) -> ClientCause | None:
    """Return why Locust was the bottleneck of a cell; None: it was not, as far as can be told.

    Args:
        cell: The cell.
        finished: Its numbers and the conditions of its window.
    """
    cores = busiest_cpu_cores(finished.clients)
    if cores > MAX_CLIENT_CPU_CORES:
        return ClientCause(
            text=f"Locust used {cores:.2f} of a core",
            consequence=_ITS_OWN,
            value=cores,
            limit=MAX_CLIENT_CPU_CORES,
        )
    return _users_elsewhere(cell, finished) or _lateness(finished)


def _users_elsewhere(cell: Cell, finished: CellFinished) -> ClientCause | None:
    """Return where users were that neither waited for an answer nor paused, if many were not."""
    around, users = finished.circumstances, cell.level.users
    if around is None or users is None or finished.fewest_users < users:
        return None
    accounted, least = around.in_flight + around.thinking, MIN_USERS_SHARE * users
    if accounted >= least:
        return None
    told = f"of {users} users only {accounted:.3g} were waiting for an answer or pausing"
    if busiest_cpu_cores(finished.clients) > MIN_BUSY_CORES:
        text, consequence = f"{told}, the others for Locust", _ITS_OWN
    else:
        # Waiting needs no CPU: they may wait for greenlets of their own, of which nobody knows.
        text = f"{told}, the others were in their own code"
        consequence = f", so they asked for less than {users} would"
    return ClientCause(text=text, consequence=consequence, value=accounted, limit=least)


def _lateness(finished: CellFinished) -> ClientCause | None:
    """Return what the lateness of Locust adds to a percentile, if that is much.

    The latency has it in it already; what it adds is what it would add once more.
    """
    around = finished.circumstances
    if around is None:
        return None
    beside = around.machine is not None and around.machine.others_cpu_cores is not None
    factor = SHARED_FACTOR if beside else 1.0
    latency = successes(finished.requests)
    later: Buckets = plus(latency, around.lag)
    for fraction, (share, least_ms) in MAX_LAG_MS.items():
        was_ms, is_ms = percentile(latency, fraction), percentile(later, fraction)
        if was_ms is None or is_ms is None:
            continue
        added_ms, most_ms = is_ms - was_ms, factor * max(share * was_ms, least_ms)
        if added_ms > most_ms:
            told = f"Locust was late, which adds {number(added_ms, 2)} ms to p{100 * fraction:g}"
            return ClientCause(text=told, consequence=_ITS_OWN, value=added_ms, limit=most_ms)
    return None
