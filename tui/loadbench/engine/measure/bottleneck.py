"""What bounds a cell: its kind, a sentence, and the figures in it. Pure.

The rules are in the order of docs/measurement.md: what disturbs all other figures comes first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from loadbench.engine.journal.events import (
    CellFinished,
    ContainerUse,
    ServiceUse,
    WorkerUse,
)
from loadbench.engine.measure.buckets import percentile, successes
from loadbench.engine.measure.client_bound import client_cause
from loadbench.engine.measure.limits import MAX_THROTTLED
from loadbench.engine.measure.stages import stage_means
from loadbench.engine.numbers import number
from loadbench.engine.profile.plan import Cell

Peer = tuple[Cell, CellFinished]

SLOW_FACTOR = 1.5
"""A worker that takes so many times as long for a picture as the fastest is worth a word."""
MIN_IMAGES = 5
"""Of a worker, to tell how long it takes for one."""

MIN_SECONDS = 4
"""Between the first and the last step of a worker's counters, to tell how busy it is."""

BUSY = 0.6
"""From this share of a core on, a process works more than it waits."""
IDLE = 0.3
"""Below this share of the time, the model has too little to do for a queue before it."""

APART = 1.5
"""Two loads are compared if one has so many times the users of the other."""
SAME = 0.15
"""Times that differ by less do not change with load."""


class BottleneckKind(StrEnum):
    """What may bound a cell."""

    CLIENT = "client"
    CPU_LIMIT = "cpu_limit"
    SLOW_WORKER = "slow_worker"
    QUEUE = "queue"
    """Before models that are busy."""
    WAIT_BEFORE_MODEL = "wait_before_model"
    """Before models that are idle."""
    MODEL = "model"
    API = "api"
    CONSTANT_WAIT_IN_API = "constant_wait_in_api"
    NETWORK = "network"
    CONSTANT_WAIT = "constant_wait"
    """Somewhere in a service that does not report its stages."""
    SERVICE = "service"
    """All of a service that does not report its stages."""


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """What bounds a cell."""

    kind: BottleneckKind
    text: str
    """A sentence for people, without a verb: `the queue before the model: 144 of 163 ms`."""
    figures: Mapping[str, float] = field(default_factory=dict)
    """The numbers of the sentence, by name and unit: `stage_ms`, `busy_share`."""


def find_bottleneck(cell: Cell, finished: CellFinished, peers: Sequence[Peer]) -> Bottleneck | None:
    """Return what bounds a cell.

    Args:
        cell: The cell.
        finished: Its numbers.
        peers: All cells with as many models, this one among them or not.

    Returns:
        None: nothing shows it.
    """
    if cause := client_cause(cell, finished):
        figures = {"value": cause.value, "limit": cause.limit}
        return Bottleneck(BottleneckKind.CLIENT, f"the client: {cause.text}", figures)
    if not stage_means(finished.stages):
        return _from_outside(cell, finished, peers)
    return _limit(finished) or _slow_worker(finished) or _largest(cell, finished, peers)


def _limit(finished: CellFinished) -> Bottleneck | None:
    held = max(_containers(finished), key=lambda it: it.throttled or 0.0, default=None)
    if held is None or (held.throttled or 0.0) <= MAX_THROTTLED:
        return None
    throttled = held.throttled or 0.0
    return Bottleneck(
        BottleneckKind.CPU_LIMIT,
        f"the CPU limit of {held.name}: it got {number(held.cpu_cores)} cores and was held back "
        f"in {100 * throttled:.0f} % of the scheduling periods",
        {"cpu_cores": held.cpu_cores or 0.0, "throttled_share": throttled},
    )


def _slow_worker(finished: CellFinished) -> Bottleneck | None:
    service = _service(finished)
    told = [it for it in service.workers if it.images >= MIN_IMAGES] if service else []
    if len(told) < 2:
        return None
    fastest, slowest = min(told, key=_image_ms), max(told, key=_image_ms)
    if _image_ms(slowest) <= SLOW_FACTOR * _image_ms(fastest):
        return None
    return Bottleneck(
        BottleneckKind.SLOW_WORKER,
        f"the model, one slow worker: {slowest.id} takes {number(_image_ms(slowest))} ms for a "
        f"picture, {fastest.id} {number(_image_ms(fastest))} ms",
        {"slowest_ms": _image_ms(slowest), "fastest_ms": _image_ms(fastest)},
    )


def _largest(cell: Cell, finished: CellFinished, peers: Sequence[Peer]) -> Bottleneck:
    """Return the stage that most of the time goes to."""
    means = stage_means(finished.stages)
    shares = {
        "queue": means["queue_ms"],
        "model": means["decode_ms"] + means["infer_ms"],
        "api": means["api_ms"],
        "network": means["network_ms"],
    }
    largest = max(shares, key=lambda name: shares[name])
    stage = _Stage(shares[largest], sum(means.values()))
    match largest:
        case "queue":
            return _queue(finished, stage)
        case "model":
            busy = _busy(finished)
            told = "" if busy is None else f", workers busy about {100 * busy:.0f} % of the time"
            text = f"the model: {stage} are decoding and inference{told}"
            return Bottleneck(BottleneckKind.MODEL, text, stage.figures(busy_share=busy))
        case "api":
            return _api(cell, finished, peers, stage)
        case _:
            same = _same_at(cell, peers, finished, "network_ms")
            text = f"the network: {stage} pass between Locust and the service{same}"
            return Bottleneck(BottleneckKind.NETWORK, text, stage.figures())


@dataclass(frozen=True, slots=True)
class _Stage:
    """How much of the time a stage takes."""

    stage_ms: float
    total_ms: float

    def __str__(self) -> str:
        return f"{number(self.stage_ms)} of {number(self.total_ms)} ms"

    def figures(self, **more: float | None) -> dict[str, float]:
        """Return both times, and those of the other figures that are known."""
        known = {name: value for name, value in more.items() if value is not None}
        return {"stage_ms": self.stage_ms, "total_ms": self.total_ms, **known}


def _queue(finished: CellFinished, stage: _Stage) -> Bottleneck:
    busy, service = _busy(finished), _service(finished)
    length = service.queue_length if service else None
    figures = stage.figures(queue_length=length, busy_share=busy)
    told = "" if length is None else f", {number(length)} jobs wait"
    if busy is not None:
        told += f", workers busy about {100 * busy:.0f} % of the time"
        if max(busy, _most_cores(finished)) < IDLE:
            text = f"a wait before the model, which is idle: {stage} in the queue{told}"
            return Bottleneck(BottleneckKind.WAIT_BEFORE_MODEL, text, figures)
    return Bottleneck(BottleneckKind.QUEUE, f"the queue before the model: {stage}{told}", figures)


def _api(cell: Cell, finished: CellFinished, peers: Sequence[Peer], stage: _Stage) -> Bottleneck:
    cores = max(
        (it.cpu_cores or 0.0 for it in _containers(finished) if it.service == "api"), default=None
    )
    figures = stage.figures(cpu_cores=cores)
    used = "" if cores is None else f"; the API uses {number(cores, 2)} of a core"
    same = _same_at(cell, peers, finished, "api_ms")
    if cores is not None and cores >= BUSY:
        return Bottleneck(BottleneckKind.API, f"the API: {stage}{used}", figures)
    if same:
        text = f"a constant wait in the API: {stage}{same}{used}"
        return Bottleneck(BottleneckKind.CONSTANT_WAIT_IN_API, text, figures)
    idle = ", so it waits more than it works" if used else ""
    return Bottleneck(BottleneckKind.API, f"the API: {stage}{used}{idle}", figures)


def _same_at(cell: Cell, peers: Sequence[Peer], finished: CellFinished, stage: str) -> str:
    """Return at which other load a stage takes as long; empty: at none, or there is no other."""
    here = stage_means(finished.stages)[stage]
    for other, its in _by_distance(cell, peers):
        means = stage_means(its.stages)
        if means and abs(means[stage] - here) <= SAME * here:
            return f", and {number(means[stage])} ms with {_load(other, cell)}"
    return ""


def _from_outside(cell: Cell, finished: CellFinished, peers: Sequence[Peer]) -> Bottleneck | None:
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
            return Bottleneck(
                BottleneckKind.CONSTANT_WAIT,
                f"a constant wait: the median is {number(here)} ms, and {number(there)} ms with "
                f"{_load(other, cell)}, so nothing is saturated",
                {"p50_ms": here, "other_p50_ms": there},
            )
        is_less = other.level.amount < cell.level.amount
        if is_less and rate <= (1 + SAME) * its.completed / its.measured_s:
            return Bottleneck(
                BottleneckKind.SERVICE,
                f"the service: {number(rate)} req/s, as with {other.level.phrase}; its answers "
                "do not say where (no Server-Timing header)",
                {"rps": rate},
            )
    return None


def _load(other: Cell, cell: Cell) -> str:
    return f"{other.level.phrase} instead of {cell.level.label}"


def _by_distance(cell: Cell, peers: Sequence[Peer]) -> list[Peer]:
    """Return the peers at a load that is clearly another one, the most different first."""

    def factor(peer: Peer) -> float:
        here, there = cell.level.amount, peer[0].level.amount
        return max(here, there) / min(here, there)

    return sorted((it for it in peers if factor(it) >= APART), key=factor, reverse=True)


def _busy(finished: CellFinished) -> float | None:
    """Return the share of the time that the networks of all workers ran; None: nobody tells."""
    service = _service(finished)
    told = [it for it in service.workers if it.seconds >= MIN_SECONDS] if service else []
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
