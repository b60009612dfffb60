"""Collect the evidence for the verdict on a cell."""

from collections.abc import Sequence
from statistics import fmean

from loadbench.engine.journal.events import (
    CellFinished,
    Conditions,
    ContainerUse,
    Machine,
    Sample,
    ServiceUse,
    WorkerUse,
)
from loadbench.engine.measure import limits
from loadbench.engine.measure.buckets import (
    count,
    min_samples,
    num_failures,
    num_requests,
    num_successes,
    percentile,
    successes,
)
from loadbench.engine.measure.client_delay import added_by_percentile
from loadbench.engine.measure.conditions import (
    WindowUse,
    busiest_cpu_cores,
    max_lag_ms,
)
from loadbench.engine.measure.main_request import results_of_name
from loadbench.engine.profile.plan import Cell
from loadbench.engine.report.evidence.figures import (
    Bound,
    ContainerEvidence,
    Evidence,
    Figure,
    FigureName,
    Unit,
    WorkerEvidence,
)

RECENT_S = 60
"""Number of seconds at the end of a running attempt that provide its evidence."""


def window_evidence(cell: Cell, finished: CellFinished, main: str | None = None) -> Evidence:
    """Return the evidence of a finished cell's measurement window.

    Args:
        cell: The cell.
        finished: Its results.
        main: Name of the main requests, whose figures are shown. None: all requests.
    """
    results, conditions = results_of_name(finished, main), finished.circumstances
    figures = _of_requests(cell, results)
    if conditions is None:
        return Evidence(
            is_measured=True,
            seconds=finished.measured_s,
            has_conditions=False,
            figures=tuple(figures),
        )
    return _evidence(
        [*figures, *_of_conditions(cell, results, conditions)],
        is_measured=True,
        seconds=finished.measured_s,
        machine=conditions.machine,
        service=conditions.service,
        containers=conditions.containers,
    )


def recent_evidence(cell: Cell, samples: Sequence[Sample]) -> Evidence | None:
    """Return the evidence of the last `RECENT_S` seconds, or None if there are no samples."""
    recent = samples[-RECENT_S:]
    if not recent:
        return None
    use = WindowUse(range(recent[0].second, recent[-1].second + 1))
    for sample in recent:
        use.add(sample)
    return _evidence(
        _of_samples(cell, recent),
        is_measured=False,
        seconds=len(recent),
        machine=use.machine(),
        service=use.service(),
        containers=use.containers(),
    )


def _evidence(
    figures: Sequence[Figure],
    *,
    is_measured: bool,
    seconds: float,
    machine: Machine | None,
    service: ServiceUse | None,
    containers: Sequence[ContainerUse],
) -> Evidence:
    return Evidence(
        is_measured=is_measured,
        seconds=seconds,
        has_conditions=True,
        machine_cores=machine.cores if machine else None,
        figures=(*figures, *_of_machine(machine), *_of_service(service)),
        containers=tuple(_of_container(use) for use in containers),
        workers=tuple(_of_worker(use) for use in service.workers) if service else (),
    )


def _of_requests(cell: Cell, finished: CellFinished) -> list[Figure]:
    requests, users = finished.requests, cell.level.users
    total, failed = num_requests(requests), num_failures(requests)
    return [
        Figure(
            name=FigureName.FEWEST_USERS,
            value=finished.fewest_users,
            limit=users,
            bound=None if users is None else Bound.AT_LEAST,
        ),
        *_samples(num_successes(requests), count(successes(requests))),
        Figure(
            name=FigureName.FAILURE_RATIO,
            value=failed / total if total else 0.0,
            unit=Unit.RATIO,
            limit=limits.MAX_FAILURE_RATIO,
            bound=Bound.BELOW,
        ),
        _at_most(FigureName.ABORTED_REQUESTS, finished.aborted, 0),
        _client_cpu(busiest_cpu_cores(finished.clients)),
    ]


def _samples(succeeded: int, samples: int) -> list[Figure]:
    """Return the number of successes, and of those with a latency if it differs."""
    needed = min_samples(limits.REQUIRED_PERCENTILE)
    if samples == succeeded:
        return [_at_least(FigureName.SUCCESSES, succeeded, needed)]
    return [
        Figure(name=FigureName.SUCCESSES, value=succeeded),
        _at_least(FigureName.SAMPLES, samples, needed),
    ]


def _of_conditions(cell: Cell, finished: CellFinished, conditions: Conditions) -> list[Figure]:
    accounted = conditions.in_flight + conditions.thinking
    stall_ms = conditions.gaps[-1][0] if conditions.gaps else 0.0
    max_stall_ms = limits.max_gap_ms(conditions.gaps)
    jump_ms, max_jump_ms = conditions.clock_jump_ms, limits.MAX_CLOCK_JUMP_MS
    return [
        Figure(name=FigureName.USERS_WAITING, value=conditions.in_flight),
        Figure(name=FigureName.USERS_PAUSING, value=conditions.thinking),
        *_accounted(cell, accounted),
        *_added(finished),
        _max_lag(percentile(conditions.lag, 1.0) or 0.0),
        _at_most(FigureName.LONGEST_STALL, stall_ms, max_stall_ms, Unit.MILLISECONDS),
        _at_most(FigureName.CLOCK_JUMP, jump_ms, max_jump_ms, Unit.MILLISECONDS),
    ]


def _added(finished: CellFinished) -> list[Figure]:
    return [
        _at_most(
            FigureName(f"added_p{100 * added.fraction:g}"),
            added.ms,
            added.limit_ms,
            Unit.MILLISECONDS,
        )
        for added in added_by_percentile(finished)
    ]


def _of_samples(cell: Cell, samples: Sequence[Sample]) -> list[Figure]:
    return [
        Figure(
            name=FigureName.FEWEST_USERS,
            value=min(sample.users for sample in samples),
            limit=cell.level.users,
        ),
        _client_cpu(fmean(busiest_cpu_cores(sample.clients) for sample in samples)),
        _max_lag(max(max_lag_ms(sample.clients) for sample in samples)),
    ]


def _accounted(cell: Cell, accounted: float) -> list[Figure]:
    users = cell.level.users
    if users is None:
        return []
    min_accounted = limits.MIN_USERS_SHARE * users
    return [_at_least(FigureName.USERS_ACCOUNTED, accounted, min_accounted)]


def _of_machine(machine: Machine | None) -> list[Figure]:
    if machine is None:
        return []
    cores, others = machine.cores, machine.others_cpu_cores
    # If the CPU usage of other processes is unknown, the rule limits that of the whole machine.
    max_busy = limits.MAX_BUSY_SHARE * cores if others is None else None
    figures = [_at_most(FigureName.MACHINE_CPU, machine.cpu_cores, max_busy, Unit.CORES)]
    if others is not None:
        limit = limits.max_others_cores(cores)
        figures.append(_at_most(FigureName.OTHER_PROCESSES_CPU, others, limit, Unit.CORES))
    stolen, max_stolen = machine.stolen_cpu_cores, limits.MAX_STOLEN_SHARE * cores
    swapped, max_swapped = machine.swapped_bytes, limits.MAX_SWAPPED_BYTES
    return [
        *figures,
        _at_most(FigureName.STOLEN_CPU, stolen, max_stolen, Unit.CORES),
        _at_most(FigureName.SWAPPED, swapped, max_swapped, Unit.BYTES),
    ]


def _of_service(service: ServiceUse | None) -> list[Figure]:
    figures: list[Figure] = []
    if service is None:
        return figures
    if service.queue_length is not None:
        queue = Figure(name=FigureName.QUEUE_LENGTH, value=service.queue_length, unit=Unit.JOBS)
        figures.append(queue)
    lowest, highest = service.fewest_workers, service.most_workers
    if lowest is not None and highest is not None:
        figures.append(_at_least(FigureName.READY_WORKERS, lowest, highest))
    return figures


def _of_container(use: ContainerUse) -> ContainerEvidence:
    max_throttled = limits.MAX_THROTTLED
    return ContainerEvidence(
        name=use.name,
        cpu_cores=use.cpu_cores,
        memory_bytes=use.memory_bytes,
        received_bytes=use.received_bytes,
        throttled=_at_most(FigureName.THROTTLED, use.throttled, max_throttled, Unit.RATIO),
        restarts=_at_most(FigureName.RESTARTS, use.restarts, 0),
        missing=_at_most(FigureName.MISSING, use.missing_s, 0, Unit.SECONDS),
    )


def _of_worker(use: WorkerUse) -> WorkerEvidence:
    return WorkerEvidence(
        id=use.id,
        images=use.images,
        image_ms=1000 * use.infer_s / use.images if use.images else None,
        busy=use.infer_s / use.seconds if use.seconds else None,
    )


def _client_cpu(cores: float) -> Figure:
    return _at_most(FigureName.CLIENT_CPU, cores, limits.MAX_CLIENT_CPU_CORES, Unit.CORES)


def _max_lag(lag_ms: float) -> Figure:
    limit = limits.MAX_CLIENT_STALL_MS
    return _at_most(FigureName.EVENT_LOOP_LAG_MAX, lag_ms, limit, Unit.MILLISECONDS)


def _at_most(
    name: FigureName, value: float | None, limit: float | None, unit: Unit = Unit.COUNT
) -> Figure:
    """Return a figure with an upper limit, or without a bound if the limit is None."""
    bound = None if limit is None else Bound.AT_MOST
    return Figure(name=name, value=value, unit=unit, limit=limit, bound=bound)


def _at_least(name: FigureName, value: float, limit: float) -> Figure:
    return Figure(name=name, value=value, limit=limit, bound=Bound.AT_LEAST)
