"""Derive the conditions of a measurement window from its samples, one sample at a time."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from loadbench.engine.journal.events import (
    ClientUse,
    Container,
    ContainerUse,
    Machine,
    Sample,
    ServiceMetrics,
    ServiceUse,
    Worker,
    WorkerUse,
)

MAX_PARTS = 64
"""Maximum number of values kept before they are condensed. High enough to make condensing rare."""


def cpu_cores(clients: Iterable[ClientUse]) -> float:
    """Return the CPU cores used by all load generators together."""
    return sum(client.cpu_cores for client in clients)


def busiest_cpu_cores(clients: Iterable[ClientUse]) -> float:
    """Return the CPU cores used by the busiest load generator, which may be a bottleneck."""
    return max((client.cpu_cores for client in clients), default=0.0)


def max_lag_ms(clients: Iterable[ClientUse]) -> float:
    """Return the longest event-loop lag of any load generator, in ms."""
    return max((client.lag_ms or 0.0 for client in clients), default=0.0)


def whole_seconds(begin_s: float, seconds: float) -> range:
    """Return the seconds entirely within a window or, if there are none, those partly within it.

    Args:
        begin_s: Start of the window in seconds, as in `Sample.second`.
        seconds: Length of the window in seconds.
    """
    first, end = math.ceil(begin_s), math.floor(begin_s + seconds)
    if first >= end:
        first, end = math.floor(begin_s), math.ceil(begin_s + seconds)
    return range(first, end)


class WindowUse:
    """Resource use in a window, accumulated sample by sample without keeping the samples.

    The results are identical to those computed from all samples at once.

    Args:
        window: The seconds of the window.
        before: The last sample before the window. It is the baseline for counting restarts and
            received bytes.
        unloaded: The containers before the first user started.
    """

    def __init__(
        self, window: range, before: Sample | None = None, *, unloaded: Iterable[Container] = ()
    ) -> None:
        self._window = window
        self._before = before
        self._unloaded_cpu_cores = {one.name: one.cpu_cores for one in unloaded}
        self._seconds = 0
        self._containers: dict[str, _ContainerTotals] = {}
        self._service: _ServiceTotals | None = None
        self._machine: _MachineTotals | None = None

    def end(self, window: range) -> None:
        """Set the seconds of a window that has ended early, after all of its samples so far."""
        self._window = window

    def add(self, sample: Sample) -> None:
        """Add a sample. Samples outside the window do not count."""
        if sample.second < self._window.start:
            self._before = sample
        if sample.second not in self._window:
            return
        self._seconds += 1
        for container in sample.containers:
            if container.name not in self._containers:
                self._containers[container.name] = _ContainerTotals(container.service)
            self._containers[container.name].add(container)
        if sample.service:
            self._service = self._service or _ServiceTotals()
            self._service.add(sample.second, sample.service)
        if sample.machine:
            self._machine = self._machine or _MachineTotals(sample.machine.cores)
            self._machine.add(sample.machine)

    def containers(self) -> tuple[ContainerUse, ...]:
        """Return the resource use, received bytes, restarts and downtime of each container."""
        before = {seen.name: seen for seen in self._before.containers} if self._before else {}
        return tuple(
            replace(
                totals.use(name, self._seconds, before.get(name)),
                unloaded_cpu_cores=self._unloaded_cpu_cores.get(name),
            )
            for name, totals in self._containers.items()
        )

    def service(self) -> ServiceUse | None:
        """Return the use reported by the service's metrics, or None if there are no metrics."""
        return self._service.use() if self._service else None

    def machine(self) -> Machine | None:
        """Return the mean resource use of the machine, or None if it was not recorded."""
        return self._machine.use() if self._machine else None


class _Mean:
    """Mean of the known values, as exact as `math.fsum` but without keeping all values."""

    __slots__ = ("_count", "_parts")

    def __init__(self) -> None:
        self._parts: list[float] = []
        self._count = 0

    def add(self, value: float | None) -> None:
        if value is None:
            return
        self._parts.append(value)
        self._count += 1
        if len(self._parts) > MAX_PARTS:
            self._parts = _condensed(self._parts)

    def rounded(self) -> float | None:
        """Return the mean rounded to three decimal places, or None if no value is known."""
        return round(math.fsum(self._parts) / self._count, 3) if self._count else None


def _condensed(values: Sequence[float]) -> list[float]:
    """Return a few floats with the same exact sum: the rounded sum and its rounding errors."""
    parts: list[float] = []
    while part := math.fsum([*values, *(-part for part in parts)]):
        parts.append(part)
    return parts


@dataclass(slots=True)
class _ContainerTotals:
    service: str
    cpu_cores: _Mean = field(default_factory=_Mean)
    throttled: _Mean = field(default_factory=_Mean)
    is_limited: bool = False
    memory_bytes: int | None = None
    restarts: set[int] = field(default_factory=set)
    """The lowest and the highest value of the restart counter."""
    running: int = 0
    received: "_Received" = field(default_factory=lambda: _Received())

    def add(self, now: Container) -> None:
        self.received.add(now)
        self.cpu_cores.add(now.cpu_cores)
        # An idle second has no scheduling periods, so nothing was throttled.
        self.throttled.add(now.throttled or 0.0)
        self.is_limited |= now.throttled is not None
        if now.memory_bytes:
            self.memory_bytes = max(now.memory_bytes, self.memory_bytes or 0)
        self.restarts.add(now.restarts)
        self.restarts = {min(self.restarts), max(self.restarts)}
        self.running += now.state == "running"

    def use(self, name: str, seconds: int, before: Container | None) -> ContainerUse:
        restarts = self.restarts | ({before.restarts} if before else set())
        received_bytes, error_bytes = self.received.use(before)
        return ContainerUse(
            name=name,
            service=self.service,
            cpu_cores=self.cpu_cores.rounded(),
            memory_bytes=self.memory_bytes,
            throttled=self.throttled.rounded() if self.is_limited else None,
            restarts=max(restarts) - min(restarts),
            # A container that never ran is a job that completed before the window.
            missing_s=seconds - self.running if self.running else 0,
            received_bytes=received_bytes,
            received_error_bytes=error_bytes,
        )


_Reading = tuple[int, int]
"""Bytes received, and the maximum rounding error."""


@dataclass(slots=True)
class _Received:
    """The first and the last reading of a container's counter of received bytes."""

    first: _Reading | None = None
    last: _Reading | None = None
    is_known: bool = True
    """False after a reading without a value, or after a reset of the counter."""

    def add(self, now: Container) -> None:
        reading = _reading(now)
        if reading is None or (self.last and reading < self.last):
            self.is_known = False
        self.first = self.first or reading
        self.last = reading

    def use(self, before: Container | None) -> tuple[int | None, int]:
        """Return the bytes received since the window began and their maximum error in bytes.

        The first is None, and the second 0, if they are unknown.
        """
        first = (_reading(before) if before else None) or self.first
        if not self.is_known or not first or not self.first or not self.last or first > self.first:
            return None, 0
        return self.last[0] - first[0], self.last[1] + first[1]


def _reading(container: Container) -> _Reading | None:
    if container.received_bytes is None:
        return None
    return container.received_bytes, container.received_error_bytes


@dataclass(slots=True)
class _ServiceTotals:
    queue_length: _Mean = field(default_factory=_Mean)
    fewest_workers: int | None = None
    most_workers: int | None = None
    workers: dict[str, "_WorkerSteps"] = field(default_factory=dict)
    listed: frozenset[str] = frozenset()
    """Ids of the workers in the last reading with workers. Others have stopped."""

    def add(self, second: int, now: ServiceMetrics) -> None:
        self.queue_length.add(now.queue_length)
        if now.workers is not None:
            known = [n for n in (self.fewest_workers, self.most_workers) if n is not None]
            self.fewest_workers = min([now.workers, *known])
            self.most_workers = max([now.workers, *known])
        if now.totals:
            self.listed = frozenset(total.id for total in now.totals)
        for total in now.totals:
            if total.id in self.workers:
                self.workers[total.id].add(second, total)
            else:
                self.workers[total.id] = _WorkerSteps(total, total)

    def use(self) -> ServiceUse:
        uses = (steps.use() for steps in self.workers.values())
        return ServiceUse(
            queue_length=self.queue_length.rounded(),
            fewest_workers=self.fewest_workers,
            most_workers=self.most_workers,
            workers=tuple(use for use in uses if use),
            images={
                name: steps.images
                for name, steps in self.workers.items()
                if name in self.listed and steps.images >= 0
            },
        )


@dataclass(slots=True)
class _WorkerSteps:
    """The first and the last step of a worker's counters.

    Counters increase in steps that are not aligned with the samples, so use is measured from step
    to step.
    """

    oldest: Worker
    newest: Worker
    first: tuple[int, Worker] | None = None
    last: tuple[int, Worker] | None = None
    """None until the second step."""

    @property
    def images(self) -> int:
        """Images between the first and the last reading. Negative if the worker restarted."""
        return self.newest.images - self.oldest.images

    def add(self, second: int, now: Worker) -> None:
        if now != self.newest and self.first:
            self.last = (second, now)
        elif now != self.newest:
            self.first = (second, now)
        self.newest = now

    def use(self) -> WorkerUse | None:
        """Return the worker's work between the first and the last step of its counters, or None if
        unknown.
        """
        if self.first is None or self.last is None:
            return None
        (first_s, first), (last_s, last) = self.first, self.last
        if last.images < first.images:
            # The counter was reset: the worker restarted.
            return None
        return WorkerUse(
            id=last.id,
            seconds=last_s - first_s,
            images=last.images - first.images,
            infer_s=round(last.infer_s - first.infer_s, 4),
        )


@dataclass(slots=True)
class _MachineTotals:
    cores: int
    cpu_cores: _Mean = field(default_factory=_Mean)
    others_cpu_cores: _Mean = field(default_factory=_Mean)
    stolen_cpu_cores: _Mean = field(default_factory=_Mean)
    swapped_bytes: int = 0

    def add(self, now: Machine) -> None:
        self.cpu_cores.add(now.cpu_cores)
        self.others_cpu_cores.add(now.others_cpu_cores)
        self.stolen_cpu_cores.add(now.stolen_cpu_cores)
        self.swapped_bytes += now.swapped_bytes

    def use(self) -> Machine:
        return Machine(
            cores=self.cores,
            cpu_cores=self.cpu_cores.rounded() or 0.0,
            others_cpu_cores=self.others_cpu_cores.rounded(),
            stolen_cpu_cores=self.stolen_cpu_cores.rounded() or 0.0,
            swapped_bytes=self.swapped_bytes,
        )
