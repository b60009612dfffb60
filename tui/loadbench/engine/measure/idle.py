"""Detect replicas that got hardly any work although there was enough for all."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from loadbench.engine.journal.events import CellFinished, ContainerUse, Verdict
from loadbench.engine.measure.buckets import num_requests
from loadbench.engine.measure.limits import (
    MAX_IDLE_CPU_SHARE,
    MAX_IDLE_SHARE,
    MAX_ROUNDING_SHARE,
    MIN_BYTES_OF_WORK,
    MIN_BYTES_PER_REQUEST,
    MIN_IN_FLIGHT_FACTOR,
    MIN_REQUESTS_PER_REPLICA,
    MIN_WORKING_CORES,
)
from loadbench.engine.profile.plan import Cell

MAX_NAMES = 5
"""Maximum number of idle replicas that a finding names."""

_MIN_SHOWN_PERCENT = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaledService:
    """What a run scales, as far as the rule depends on it."""

    name: str = ""
    """Name of the scaled service. Empty if none is scaled, or if it is unknown, as in journals of
    earlier versions."""
    batch_size: int = 1
    """Maximum number of requests that a replica processes at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleReplicas:
    """The replicas of a cell that got hardly any work."""

    names: tuple[str, ...]
    text: str
    """A noun phrase with the evidence and its limit, and what to do."""
    verdict: Verdict
    """Suspect if the only evidence is CPU usage, otherwise invalid."""


@dataclass(frozen=True, slots=True)
class _Found:
    names: tuple[str, ...]
    share: float
    """The largest share among them, relative to the median of the working replicas, 0 to 1."""


def idle_replicas(cell: Cell, finished: CellFinished, scaled: ScaledService) -> IdleReplicas | None:
    """Return the idle replicas of a cell, or None if there are none, or if it is unknown.

    The first evidence that is known decides: requests counted by Locust, received bytes, images
    counted by the workers, or CPU usage.

    Args:
        cell: The cell.
        finished: Its results, including the conditions of the measurement window.
        scaled: What the run scales.
    """
    conditions, named = finished.circumstances, [one for one in finished.replicas if one.name]
    replicas = len(named) or cell.models
    sent = num_requests(finished.requests)
    if conditions is None or replicas < 2 or sent < MIN_REQUESTS_PER_REPLICA * replicas:
        return None
    is_enough = conditions.in_flight >= MIN_IN_FLIGHT_FACTOR * replicas * scaled.batch_size
    if named:
        verdict = Verdict.INVALID if is_enough else Verdict.SUSPECT
        return _without_requests(cell, finished, verdict)
    if not scaled.name:
        return None
    uses = [use for use in conditions.containers if use.service == scaled.name]
    if not is_enough or len(uses) != replicas:
        return None
    images = conditions.service.images if conditions.service else {}
    verdict = Verdict.INVALID
    if received := _received(uses, sent):
        # A few large requests may dominate the bytes of all others.
        found = _below(received, limit=MIN_BYTES_OF_WORK * sent / replicas)
        evidence = "received {} of a working replica's bytes"
    elif len(images) == replicas and sum(images.values()) >= MIN_REQUESTS_PER_REPLICA * replicas:
        by_replica = {_replica_of(worker, uses): number for worker, number in images.items()}
        found, evidence = _below(by_replica), "classified {} of a working replica's images"
    else:
        found, verdict = _below_by_cpu(uses), Verdict.SUSPECT
        evidence = "used {} of a working replica's CPU time above the level before the load"
    if found is None:
        return None
    work = evidence.format(_share(found))
    limit = f"limit {100 * MAX_IDLE_SHARE:g} %"
    # Workers with counters take their jobs from a queue, so there is no front.
    advice = f"read the log of {found.names[0]}" if images else _advice(scaled.name)
    text = f"{_amount(found.names, replicas)} {work} ({limit}); {advice}"
    return IdleReplicas(names=found.names, text=text, verdict=verdict)


def _without_requests(cell: Cell, finished: CellFinished, verdict: Verdict) -> IdleReplicas | None:
    replicas = [one for one in finished.replicas if one.name]
    users = cell.level.users
    if users is not None and users < len(replicas):
        # Some replicas have no user, and it is known beforehand.
        return None
    idle = [one.name for one in replicas if not num_requests([one])]
    if not idle:
        return None
    is_elsewhere = any(num_requests([one]) for one in finished.replicas if not one.name)
    advice = (
        "use self.client with relative URLs in the locustfile"
        if is_elsewhere
        else "check which users of the locustfile send requests"
    )
    return IdleReplicas(
        names=tuple(idle),
        text=f"{_amount(idle, len(replicas))} got no requests from Locust; {advice}",
        verdict=verdict,
    )


def _received(uses: Sequence[ContainerUse], sent: int) -> Mapping[str, float] | None:
    """Return the bytes received by each replica, or None if they are no evidence.

    Args:
        uses: The resource usage of all replicas.
        sent: Number of requests.
    """
    received = {use.name: use.received_bytes for use in uses if use.received_bytes is not None}
    error = max(use.received_error_bytes for use in uses)
    if len(received) < len(uses) or error > MAX_ROUNDING_SHARE * max(received.values()):
        return None
    # With less, the requests do not arrive over the network, but through a socket file or memory.
    return received if sum(received.values()) >= MIN_BYTES_PER_REQUEST * sent else None


def _below(work: Mapping[str, float], *, limit: float = math.inf) -> _Found | None:
    """Return the replicas whose work is a small share of the median of the working replicas.

    The median of all replicas would itself be idle if most of them are.

    Args:
        work: The work of each replica, in any unit.
        limit: Work from which on a replica is not idle, however much the others did.
    """
    busiest = max(work.values())
    if busiest <= 0:
        return None
    reference = median(one for one in work.values() if one >= MAX_IDLE_SHARE * busiest)
    idle = [name for name, one in work.items() if one < min(MAX_IDLE_SHARE * reference, limit)]
    if not idle:
        return None
    return _Found(tuple(idle), max(work[name] for name in idle) / reference)


def _below_by_cpu(uses: Sequence[ContainerUse]) -> _Found | None:
    total = {use.name: use.cpu_cores for use in uses if use.cpu_cores is not None}
    if len(total) < len(uses) or all(use.unloaded_cpu_cores is None for use in uses):
        return None
    levels = {use.name: use.unloaded_cpu_cores or 0.0 for use in uses}
    # A higher level is that of a start-up.
    above = {
        name: cores - (levels[name] if levels[name] <= cores else 0.0)
        for name, cores in total.items()
    }
    found = _below(above)
    if found is None:
        return None
    working = [name for name in above if name not in found.names]
    if median(above[name] for name in working) < MIN_WORKING_CORES:
        return None
    # The level may include the end of a start-up, so compare the total usage too.
    limit = MAX_IDLE_CPU_SHARE * median(total[name] for name in working)
    return found if all(total[name] < limit for name in found.names) else None


def _share(found: _Found) -> str:
    percent = 100 * found.share
    if percent < _MIN_SHOWN_PERCENT:
        return f"under {_MIN_SHOWN_PERCENT:g} %"
    return f"{'at most ' if len(found.names) > 1 else ''}{percent:.2g} %"


def _amount(idle: Sequence[str], replicas: int) -> str:
    names = ", ".join(idle[:MAX_NAMES])
    more = f" and {len(idle) - MAX_NAMES} more" if len(idle) > MAX_NAMES else ""
    return f"{len(idle)} of {replicas} replicas idle: {names}{more}"


def _advice(service: str) -> str:
    return (
        f"in the front, resolve {service} for each request and close idle connections, "
        f"or bypass it with stack.port: {service}:PORT"
    )


def _replica_of(worker: str, uses: Sequence[ContainerUse]) -> str:
    """Return the replica of a worker, or the worker's id if it does not contain the name."""
    name = worker.rpartition(".")[0]
    return name if any(use.name == name for use in uses) else worker
