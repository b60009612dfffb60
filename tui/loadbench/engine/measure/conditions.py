"""From the samples of a measured window to what the window was like. Pure."""

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import fmean

from loadbench.engine.journal.events import (
    ClientUse,
    Container,
    ContainerUse,
    Machine,
    Sample,
    ServiceUse,
    WorkerUse,
)


def cpu_cores(clients: Iterable[ClientUse]) -> float:
    """Return the cores that all load generators used together."""
    return sum(it.cpu_cores for it in clients)


def busiest_cpu_cores(clients: Iterable[ClientUse]) -> float:
    """Return the cores of the load generator that used most: any of them may be the bottleneck."""
    return max((it.cpu_cores for it in clients), default=0.0)


def most_lag_ms(clients: Iterable[ClientUse]) -> float:
    """Return the most by which any load generator was late."""
    return max((it.lag_ms or 0.0 for it in clients), default=0.0)


def within(samples: Sequence[Sample], begin_s: float, seconds: float) -> list[Sample]:
    """Return the samples of seconds that lie wholly in a window; of a short one, partly.

    Args:
        samples: Of one attempt.
        begin_s: When the window begins, counted as samples are.
        seconds: How long it is.
    """
    first, end = math.ceil(begin_s), math.floor(begin_s + seconds)
    if first >= end:
        first, end = math.floor(begin_s), math.ceil(begin_s + seconds)
    return [it for it in samples if first <= it.second < end]


def container_uses(
    samples: Sequence[Sample], before: Sample | None = None
) -> tuple[ContainerUse, ...]:
    """Return what each container used on average, and whether it was there all the time.

    Args:
        samples: Of the window.
        before: The last one before it, from which on restarts count.
    """
    names = dict.fromkeys(it.name for sample in samples for it in sample.containers)
    return tuple(_container_use(name, samples, before) for name in names)


def service_use(samples: Sequence[Sample]) -> ServiceUse | None:
    """Return what the metrics of the service came to; None: it told none."""
    told = [it.service for it in samples if it.service]
    if not told:
        return None
    workers = [it.workers for it in told if it.workers is not None]
    names = dict.fromkeys(total.id for it in told for total in it.totals)
    uses = (_worker_use(name, samples) for name in names)
    return ServiceUse(
        queue_length=_mean(it.queue_length for it in told),
        fewest_workers=min(workers, default=None),
        most_workers=max(workers, default=None),
        workers=tuple(it for it in uses if it),
    )


def _worker_use(name: str, samples: Sequence[Sample]) -> WorkerUse | None:
    """Return what a worker did; None: that is not known.

    It tells its counters in steps, which looks do not fall into alike: what counts is from one
    step to another.
    """
    looks = [
        (sample.second, total)
        for sample in samples
        for total in (sample.service.totals if sample.service else ())
        if total.id == name
    ]
    steps = [now for before, now in pairwise(looks) if now[1] != before[1]]
    if len(steps) < 2:
        return None
    (first_s, first), (last_s, last) = steps[0], steps[-1]
    if last.images < first.images:
        # It counts anew, so it was started anew.
        return None
    return WorkerUse(
        id=name,
        seconds=last_s - first_s,
        images=last.images - first.images,
        infer_s=round(last.infer_s - first.infer_s, 4),
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


def _container_use(name: str, samples: Sequence[Sample], before: Sample | None) -> ContainerUse:
    looks = [_find(name, sample) for sample in samples]
    there = [it for it in looks if it]
    # One that never ran is a job that was done before.
    ran = any(it.state == "running" for it in there)
    restarts = [it.restarts for it in there]
    if before and (earlier := _find(name, before)):
        restarts.append(earlier.restarts)
    limited = any(it.throttled is not None for it in there)
    return ContainerUse(
        name=name,
        service=there[0].service,
        cpu_cores=_mean(it.cpu_cores for it in there),
        memory_bytes=max((it.memory_bytes for it in there if it.memory_bytes), default=None),
        # A second with nothing to do has no scheduling period, and nothing was held back in it.
        throttled=_mean(it.throttled or 0.0 for it in there) if limited else None,
        restarts=max(restarts) - min(restarts),
        missing_s=sum(ran and (it is None or it.state != "running") for it in looks),
    )


def _find(name: str, sample: Sample) -> Container | None:
    return next((it for it in sample.containers if it.name == name), None)


def _mean(values: Iterable[float | None]) -> float | None:
    known = [it for it in values if it is not None]
    return round(fmean(known), 3) if known else None
