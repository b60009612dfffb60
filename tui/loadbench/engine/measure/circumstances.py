"""From the samples of a measured window to what the window was like. Pure."""

import math
from collections.abc import Iterable, Sequence
from statistics import fmean

from loadbench.engine.events import (
    Container,
    ContainerUse,
    Machine,
    Sample,
    ServiceUse,
    Worker,
)


def within(samples: Sequence[Sample], begin_s: float, seconds: float) -> list[Sample]:
    """Return the samples of seconds that lie wholly in a window.

    Args:
        samples: Of one attempt.
        begin_s: When the window begins, counted as samples are.
        seconds: How long it is.
    """
    first, end = math.ceil(begin_s), math.floor(begin_s + seconds)
    return [it for it in samples if first <= it.second < end]


def container_uses(samples: Sequence[Sample]) -> tuple[ContainerUse, ...]:
    """Return what each container used on average, and whether it was there all the time."""
    names = dict.fromkeys(it.name for sample in samples for it in sample.containers)
    return tuple(_container_use(name, samples) for name in names)


def service_use(samples: Sequence[Sample]) -> ServiceUse | None:
    """Return what the metrics of the service came to; None: it told none."""
    told = [(it.second, it.service) for it in samples if it.service]
    if not told:
        return None
    (first_s, first), (last_s, last) = told[0], told[-1]
    before = {it.id: it for it in first.totals}
    workers = [it.workers for _, it in told if it.workers is not None]
    return ServiceUse(
        seconds=last_s - first_s,
        queue_length=_mean(it.queue_length for _, it in told),
        fewest_workers=min(workers, default=None),
        most_workers=max(workers, default=None),
        workers=tuple(
            Worker(
                id=now.id,
                images=now.images - before[now.id].images,
                infer_s=round(now.infer_s - before[now.id].infer_s, 4),
            )
            for now in last.totals
            if now.id in before
        ),
    )


def machine_use(samples: Sequence[Sample]) -> Machine | None:
    """Return what the machine did on average; None: nobody looked."""
    told = [it.machine for it in samples if it.machine]
    if not told:
        return None
    return Machine(
        cores=told[0].cores,
        cpu_cores=round(fmean(it.cpu_cores for it in told), 3),
        others_cpu_cores=_mean(it.others_cpu_cores for it in told),
        stolen_cpu_cores=round(fmean(it.stolen_cpu_cores for it in told), 3),
        swapped_bytes=sum(it.swapped_bytes for it in told),
    )


def _container_use(name: str, samples: Sequence[Sample]) -> ContainerUse:
    looks = [_find(name, sample) for sample in samples]
    there = [it for it in looks if it]
    # One that never ran is a job that was done before.
    ran = any(it.state == "running" for it in there)
    return ContainerUse(
        name=name,
        service=there[0].service,
        cpu_cores=_mean(it.cpu_cores for it in there),
        memory_bytes=max((it.memory_bytes for it in there if it.memory_bytes), default=None),
        throttled=_mean(it.throttled for it in there),
        restarts=max(it.restarts for it in there) - min(it.restarts for it in there),
        missing_s=sum(ran and (it is None or it.state != "running") for it in looks),
    )


def _find(name: str, sample: Sample) -> Container | None:
    return next((it for it in sample.containers if it.name == name), None)


def _mean(values: Iterable[float | None]) -> float | None:
    known = [it for it in values if it is not None]
    return round(fmean(known), 3) if known else None
