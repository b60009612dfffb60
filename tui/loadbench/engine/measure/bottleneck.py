"""Find the bottleneck of a cell: its kind, a description and the figures of that description.

The checks run in the order given in docs/measurement.md. Causes that distort all other figures come
first.
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
from loadbench.engine.measure.main_request import results_of_name
from loadbench.engine.measure.peers import Peers
from loadbench.engine.measure.stages import stage_means
from loadbench.engine.numbers import number
from loadbench.engine.profile.plan import Cell

MIN_SLOW_FACTOR = 1.5
"""Ratio between the inference times per image of the slowest and the fastest worker, above which
the slowest worker is the bottleneck."""
MIN_IMAGES = 5
"""Minimum number of images that a worker must have processed to be compared."""

MIN_WORKER_SECONDS = 4
"""Minimum number of seconds that a worker's counters must span to report its utilisation."""

MIN_BUSY_API_CORES = 0.6
"""CPU usage in cores at which the API is considered busy rather than waiting."""
MAX_IDLE_SHARE = 0.3
"""Utilisation below which the model is considered idle."""

TIME_TOLERANCE = 0.15
"""Maximum relative difference between two times or rates that count as equal."""


class BottleneckKind(StrEnum):
    """Component or resource that limits a cell."""

    CLIENT = "client"
    CPU_LIMIT = "cpu_limit"
    SLOW_WORKER = "slow_worker"
    QUEUE = "queue"
    """Queue before busy models."""
    WAIT_BEFORE_MODEL = "wait_before_model"
    """Waiting time although the models are idle."""
    MODEL = "model"
    API = "api"
    CONSTANT_WAIT_IN_API = "constant_wait_in_api"
    NETWORK = "network"
    CONSTANT_WAIT = "constant_wait"
    """Constant wait in a service that does not report stages."""
    SERVICE = "service"
    """Saturation of a service that does not report stages."""


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """The bottleneck of a cell as text and figures."""

    kind: BottleneckKind
    text: str
    """Noun phrase in lower case, such as `the queue before the model: 144 of 163 ms`."""
    figures: Mapping[str, float] = field(default_factory=dict)
    """Figures of the text by name. Names include the unit, as in `stage_ms` and `busy_share`."""


def find_bottleneck(
    cell: Cell, finished: CellFinished, peers: Peers, main: str | None = None
) -> Bottleneck | None:
    """Return the bottleneck of a cell, or None if the results do not show one.

    Args:
        cell: The cell.
        finished: Its results.
        peers: All cells with the same number of models. May include the cell itself.
        main: Name of the main requests, whose bottleneck is found. None: all requests.
    """
    return bottleneck_alone(cell, finished, main) or bottleneck_among(
        cell, results_of_name(finished, main), peers
    )


def bottleneck_alone(
    cell: Cell, finished: CellFinished, main: str | None = None
) -> Bottleneck | None:
    """Return the bottleneck that the results of a cell show without a comparison, or None.

    Takes most of the time of `find_bottleneck`, and depends on no other cell.

    Args:
        cell: The cell.
        finished: Its results.
        main: Name of the main requests. None: all requests.
    """
    if cause := client_cause(cell, finished, main):
        figures = {"value": cause.value, "limit": cause.limit}
        return Bottleneck(BottleneckKind.CLIENT, f"the load generator: {cause.text}", figures)
    if limited := _cpu_limit(finished):
        return limited
    finished = results_of_name(finished, main)
    if not stage_means(finished.stages):
        return None
    if slow := _slow_worker(finished):
        return slow
    match _largest_stage(finished):
        case "queue", stage:
            return _queue(finished, stage)
        case "model", stage:
            busy = _busy_share(finished)
            text = f"the model: decoding and inference take {stage}{_busy_text(busy)}"
            return Bottleneck(BottleneckKind.MODEL, text, stage.figures(busy_share=busy))
    return None


def bottleneck_among(cell: Cell, finished: CellFinished, peers: Peers) -> Bottleneck | None:
    """Return the bottleneck that the comparison with other cells shows, or None.

    Args:
        cell: The cell, for which `bottleneck_alone` returns None.
        finished: Its results for the main requests.
        peers: All cells with the same number of models. May include the cell itself.
    """
    if not stage_means(finished.stages):
        return _without_stages(cell, finished, peers)
    name, stage = _largest_stage(finished)
    if name == "api":
        return _api(cell, finished, peers, stage)
    same = _same_at_other_load(cell, peers, finished, "network_ms")
    text = f"the network: {stage} between Locust and the service{same}"
    return Bottleneck(BottleneckKind.NETWORK, text, stage.figures())


def _cpu_limit(finished: CellFinished) -> Bottleneck | None:
    use = max(_containers(finished), key=lambda use: use.throttled or 0.0, default=None)
    if use is None or (use.throttled or 0.0) <= MAX_THROTTLED:
        return None
    throttled = use.throttled or 0.0
    return Bottleneck(
        BottleneckKind.CPU_LIMIT,
        f"CPU limit of {use.name}: {number(use.cpu_cores)} cores, throttled in "
        f"{100 * throttled:.0f} % of scheduling periods",
        {"cpu_cores": use.cpu_cores or 0.0, "throttled_share": throttled},
    )


def _slow_worker(finished: CellFinished) -> Bottleneck | None:
    service = _service(finished)
    workers = [use for use in service.workers if use.images >= MIN_IMAGES] if service else []
    if len(workers) < 2:
        return None
    fastest, slowest = min(workers, key=_image_ms), max(workers, key=_image_ms)
    if _image_ms(slowest) <= MIN_SLOW_FACTOR * _image_ms(fastest):
        return None
    return Bottleneck(
        BottleneckKind.SLOW_WORKER,
        f"slow worker {slowest.id}: {number(_image_ms(slowest))} ms per image, compared with "
        f"{number(_image_ms(fastest))} ms for {fastest.id}",
        {"slowest_ms": _image_ms(slowest), "fastest_ms": _image_ms(fastest)},
    )


@dataclass(frozen=True, slots=True)
class _Stage:
    """Mean time in a stage, and mean latency of the whole request."""

    stage_ms: float
    total_ms: float

    def __str__(self) -> str:
        return f"{number(self.stage_ms)} of {number(self.total_ms)} ms"

    def figures(self, **more: float | None) -> dict[str, float]:
        """Return both times and all other figures that are not None."""
        known = {name: value for name, value in more.items() if value is not None}
        return {"stage_ms": self.stage_ms, "total_ms": self.total_ms, **known}


def _largest_stage(finished: CellFinished) -> tuple[str, _Stage]:
    """Return the name and the time of the stage with the largest share of the mean latency."""
    means = stage_means(finished.stages)
    shares = {
        "queue": means["queue_ms"],
        "model": means["decode_ms"] + means["infer_ms"],
        "api": means["api_ms"],
        "network": means["network_ms"],
    }
    largest = max(shares, key=lambda name: shares[name])
    return largest, _Stage(shares[largest], sum(means.values()))


def _queue(finished: CellFinished, stage: _Stage) -> Bottleneck:
    busy, service = _busy_share(finished), _service(finished)
    length = service.queue_length if service else None
    figures = stage.figures(queue_length=length, busy_share=busy)
    waiting = "" if length is None else f", {number(length)} jobs waiting"
    details = f"{waiting}{_busy_text(busy)}"
    if busy is not None and max(busy, _max_container_cores(finished)) < MAX_IDLE_SHARE:
        text = f"queueing while the model is mostly idle: {stage} in the queue{details}"
        return Bottleneck(BottleneckKind.WAIT_BEFORE_MODEL, text, figures)
    text = f"the queue before the model: {stage}{details}"
    return Bottleneck(BottleneckKind.QUEUE, text, figures)


def _api(cell: Cell, finished: CellFinished, peers: Peers, stage: _Stage) -> Bottleneck:
    cores = max(
        (use.cpu_cores or 0.0 for use in _containers(finished) if use.service == "api"),
        default=None,
    )
    figures = stage.figures(cpu_cores=cores)
    used = "" if cores is None else f", {number(cores, 2)} cores used"
    same = _same_at_other_load(cell, peers, finished, "api_ms")
    if cores is not None and cores >= MIN_BUSY_API_CORES:
        return Bottleneck(BottleneckKind.API, f"the API: {stage}{used}", figures)
    if same:
        text = f"constant wait in the API: {stage}{same}{used}"
        return Bottleneck(BottleneckKind.CONSTANT_WAIT_IN_API, text, figures)
    idle = ", mostly waiting" if used else ""
    return Bottleneck(BottleneckKind.API, f"the API: {stage}{used}{idle}", figures)


def _same_at_other_load(cell: Cell, peers: Peers, finished: CellFinished, stage: str) -> str:
    """Return text that names both loads if a stage takes equally long at another load, else ''."""
    mean_ms = stage_means(finished.stages)[stage]
    for other in peers.different_from(cell):
        means = other.means
        if means and abs(means[stage] - mean_ms) <= TIME_TOLERANCE * mean_ms:
            return f" with {cell.level.phrase}, {number(means[stage])} ms with {other.level.phrase}"
    return ""


def _without_stages(cell: Cell, finished: CellFinished, peers: Peers) -> Bottleneck | None:
    """Return the bottleneck of a service that sends no `Server-Timing` header."""
    p50_ms = percentile(successes(finished.requests), 0.5)
    rps = finished.completed / finished.measured_s
    for other in peers.different_from(cell):
        other_p50_ms = other.p50_ms
        if p50_ms is None or other_p50_ms is None:
            continue
        if abs(other_p50_ms - p50_ms) <= TIME_TOLERANCE * p50_ms:
            return Bottleneck(
                BottleneckKind.CONSTANT_WAIT,
                f"constant wait: median {number(p50_ms)} ms with {cell.level.phrase}, "
                f"{number(other_p50_ms)} ms with {other.level.phrase}, nothing saturated",
                {"p50_ms": p50_ms, "other_p50_ms": other_p50_ms},
            )
        is_less_load = other.level.amount < cell.level.amount
        if is_less_load and rps <= (1 + TIME_TOLERANCE) * other.rps:
            return Bottleneck(
                BottleneckKind.SERVICE,
                f"the service: {number(rps)} req/s with {cell.level.phrase}, {number(other.rps)} "
                f"req/s with {other.level.phrase}, stages unknown (no Server-Timing header)",
                {"rps": rps},
            )
    return None


def _busy_share(finished: CellFinished) -> float | None:
    """Return the mean share of time that workers spent on inference, or None if unknown."""
    service = _service(finished)
    known = [use for use in service.workers if use.seconds >= MIN_WORKER_SECONDS] if service else []
    if not known:
        return None
    return min(1.0, sum(use.infer_s / use.seconds for use in known) / len(known))


def _busy_text(busy: float | None) -> str:
    return "" if busy is None else f", workers busy {100 * busy:.0f} % of the time"


def _max_container_cores(finished: CellFinished) -> float:
    return max((use.cpu_cores or 0.0 for use in _containers(finished)), default=0.0)


def _image_ms(worker: WorkerUse) -> float:
    return 1000 * worker.infer_s / worker.images


def _containers(finished: CellFinished) -> Sequence[ContainerUse]:
    return finished.circumstances.containers if finished.circumstances else ()


def _service(finished: CellFinished) -> ServiceUse | None:
    return finished.circumstances.service if finished.circumstances else None
