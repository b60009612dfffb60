"""What bounds a cell, in one sentence with its figure. Pure.

The rules are in the order of docs/measurement.md: what disturbs all other figures comes first.
"""

from collections.abc import Sequence

from loadbench.engine.journal.events import CellFinished, ContainerUse, ServiceUse, WorkerUse
from loadbench.engine.measure.buckets import percentile, successes
from loadbench.engine.measure.stages import stage_means
from loadbench.engine.measure.verdict import CLIENT_BOUND, MOST_THROTTLED
from loadbench.engine.numbers import number
from loadbench.engine.profile.plan import Cell

Peer = tuple[Cell, CellFinished]

SLOW_FACTOR = 1.5
"""A worker that takes so many times as long for a picture as the fastest is worth a word."""
FEWEST_IMAGES = 5
"""Of a worker, to tell how long it takes for one."""

FEWEST_SECONDS = 4
"""Between the first and the last step of a worker's counters, to tell how busy it is."""

BUSY = 0.6
"""From this share of a core on, a process works more than it waits."""
IDLE = 0.3
"""Below this share of the time, the model has too little to do for a queue before it."""

APART = 1.5
"""Two loads are compared if one has so many times the users of the other."""
SAME = 0.15
"""Times that differ by less do not change with load."""


def explain(cell: Cell, finished: CellFinished, peers: Sequence[Peer]) -> str | None:
    """Return what bounds a cell.

    Args:
        cell: The cell.
        finished: Its numbers.
        peers: All cells with as many models, this one among them or not.

    Returns:
        A sentence; None: nothing tells.
    """
    for reason in finished.reasons:
        if reason.startswith(CLIENT_BOUND):
            return f"the client: {reason.removeprefix(CLIENT_BOUND).partition(', so ')[0]}"
    if not stage_means(finished.stages):
        return _from_outside(cell, finished, peers)
    return _limit(finished) or _slow_worker(finished) or _largest(cell, finished, peers)


def _limit(finished: CellFinished) -> str | None:
    held = max(_containers(finished), key=lambda it: it.throttled or 0.0, default=None)
    if held is None or (held.throttled or 0.0) <= MOST_THROTTLED:
        return None
    return (
        f"the CPU limit of {held.name}: it got {number(held.cpu_cores)} cores and was held back "
        f"in {100 * (held.throttled or 0.0):.0f} % of the scheduling periods"
    )


def _slow_worker(finished: CellFinished) -> str | None:
    service = _service(finished)
    told = [it for it in service.workers if it.images >= FEWEST_IMAGES] if service else []
    if len(told) < 2:
        return None
    fastest, slowest = min(told, key=_image_ms), max(told, key=_image_ms)
    if _image_ms(slowest) <= SLOW_FACTOR * _image_ms(fastest):
        return None
    return (
        f"the model, one slow worker: {slowest.id} takes {number(_image_ms(slowest))} ms for a "
        f"picture, {fastest.id} {number(_image_ms(fastest))} ms"
    )


def _largest(cell: Cell, finished: CellFinished, peers: Sequence[Peer]) -> str:
    """Return a sentence about the stage that most of the time goes to."""
    means = stage_means(finished.stages)
    model_ms = means["decode_ms"] + means["infer_ms"]
    shares = {
        "queue": means["queue_ms"],
        "model": model_ms,
        "api": means["api_ms"],
        "network": means["network_ms"],
    }
    largest = max(shares, key=lambda name: shares[name])
    of = f"{number(shares[largest])} of {number(sum(means.values()))} ms"
    match largest:
        case "queue":
            return _queue(finished, of)
        case "model":
            busy = _busy(finished)
            told = "" if busy is None else f", workers busy about {100 * busy:.0f} % of the time"
            return f"the model: {of} are decoding and inference{told}"
        case "api":
            return _api(cell, finished, peers, of)
        case _:
            same = _same_at(cell, peers, finished, "network_ms")
            return f"the network: {of} pass between Locust and the service{same}"


def _queue(finished: CellFinished, of: str) -> str:
    busy, service = _busy(finished), _service(finished)
    length = service.queue_length if service else None
    told = "" if length is None else f", {number(length)} jobs wait"
    if busy is None:
        return f"the queue before the model: {of}{told}"
    told += f", workers busy about {100 * busy:.0f} % of the time"
    if max(busy, _most_cores(finished)) < IDLE:
        return f"a wait before the model, which is idle: {of} in the queue{told}"
    return f"the queue before the model: {of}{told}"


def _api(cell: Cell, finished: CellFinished, peers: Sequence[Peer], of: str) -> str:
    cores = max(
        (it.cpu_cores or 0.0 for it in _containers(finished) if it.service == "api"), default=None
    )
    used = "" if cores is None else f"; the API uses {number(cores, 2)} of a core"
    same = _same_at(cell, peers, finished, "api_ms")
    if cores is not None and cores >= BUSY:
        return f"the API: {of}{used}"
    if same:
        return f"a constant wait in the API: {of}{same}{used}"
    idle = ", so it waits more than it works" if used else ""
    return f"the API: {of}{used}{idle}"


def _same_at(cell: Cell, peers: Sequence[Peer], finished: CellFinished, stage: str) -> str:
    """Return at which other load a stage takes as long; empty: at none, or there is no other."""
    here = stage_means(finished.stages)[stage]
    for other, its in _by_distance(cell, peers):
        means = stage_means(its.stages)
        if means and abs(means[stage] - here) <= SAME * here:
            return f", and {number(means[stage])} ms with {_load(other, cell)}"
    return ""


def _from_outside(cell: Cell, finished: CellFinished, peers: Sequence[Peer]) -> str | None:
    """Return what can be said where answers do not tell their stages."""
    if limited := _limit(finished):
        return limited
    here = percentile(successes(finished.requests), 0.5)
    rate = finished.completed / finished.measured_s
    for other, its in _by_distance(cell, peers):
        there = percentile(successes(its.requests), 0.5)
        if here is None or there is None:
            continue
        if abs(there - here) <= SAME * here:
            return (
                f"a constant wait: the median is {number(here)} ms, and {number(there)} ms with "
                f"{_load(other, cell)}, so nothing is saturated"
            )
        if other.users < cell.users and rate <= (1 + SAME) * its.completed / its.measured_s:
            return (
                f"the service: {number(rate)} req/s, as with {_users(other)}; its answers do "
                "not say where (no Server-Timing header)"
            )
    return None


def _load(other: Cell, cell: Cell) -> str:
    return f"{_users(other)} instead of {cell.users}"


def _users(cell: Cell) -> str:
    return "1 user" if cell.users == 1 else f"{cell.users} users"


def _by_distance(cell: Cell, peers: Sequence[Peer]) -> list[Peer]:
    """Return the peers at a load that is clearly another one, the most different first."""

    def factor(peer: Peer) -> float:
        users = peer[0].users
        return max(users, cell.users) / min(users, cell.users)

    return sorted((it for it in peers if factor(it) >= APART), key=factor, reverse=True)


def _busy(finished: CellFinished) -> float | None:
    """Return the share of the time that the networks of all workers ran; None: nobody tells."""
    service = _service(finished)
    told = [it for it in service.workers if it.seconds >= FEWEST_SECONDS] if service else []
    if not told:
        return None
    return min(1.0, sum(it.infer_s / it.seconds for it in told) / len(told))


def _most_cores(finished: CellFinished) -> float:
    return max((it.cpu_cores or 0.0 for it in _containers(finished)), default=0.0)


def _image_ms(worker: WorkerUse) -> float:
    return 1000 * worker.infer_s / worker.images


def _containers(finished: CellFinished) -> Sequence[ContainerUse]:
    return finished.circumstances.containers if finished.circumstances else ()


def _service(finished: CellFinished) -> ServiceUse | None:
    return finished.circumstances.service if finished.circumstances else None
