"""Rules about the containers and the machine."""

from loadbench.engine.measure.limits import (
    MAX_BUSY_SHARE,
    MAX_CLOCK_JUMP_MS,
    MAX_DRIFT,
    MAX_STOLEN_SHARE,
    MAX_SWAPPED_BYTES,
    MAX_THROTTLED,
    max_others_cores,
)
from loadbench.engine.measure.rules.case import Case, Violation, times
from loadbench.engine.numbers import number


def containers(case: Case) -> Violation | None:
    """Containers and workers must run throughout the window."""
    incidents = []
    for use in case.conditions.containers:
        if use.restarts:
            incidents.append(f"{use.name} restarted {times(use.restarts)}")
        elif use.missing_s:
            incidents.append(f"{use.name} down for {use.missing_s} s")
    service = case.conditions.service
    fewest, most = (service.fewest_workers, service.most_workers) if service else (None, None)
    if fewest is not None and most is not None and fewest < most:
        incidents.append(f"at times only {fewest} of {most} workers ready")
    return Violation(", ".join(incidents), len(incidents), 0) if incidents else None


def throttled(case: Case) -> Violation | None:
    """No CPU limit may throttle a container often."""
    containers = case.conditions.containers
    throttled = [use for use in containers if (use.throttled or 0.0) > MAX_THROTTLED]
    if not throttled:
        return None
    shares = ", ".join(
        f"{use.name} throttled in {100 * (use.throttled or 0.0):.0f} %" for use in throttled
    )
    text = f"CPU limit: {shares} of scheduling periods (limit {100 * MAX_THROTTLED:g} %)"
    return Violation(text, max(use.throttled or 0.0 for use in throttled), MAX_THROTTLED)


def swap(case: Case) -> Violation | None:
    """The machine must not swap."""
    machine = case.conditions.machine
    if machine is None or machine.swapped_bytes <= MAX_SWAPPED_BYTES:
        return None
    swapped = machine.swapped_bytes
    text = f"{number(swapped / 1e6)} MB swapped (limit {MAX_SWAPPED_BYTES / 1e6:g} MB)"
    return Violation(text, swapped, MAX_SWAPPED_BYTES)


def clock(case: Case) -> Violation | None:
    """The clock must not jump."""
    jump_ms = case.conditions.clock_jump_ms
    if jump_ms <= MAX_CLOCK_JUMP_MS:
        return None
    text = (
        f"clock jump of {number(jump_ms / 1000)} s (limit {MAX_CLOCK_JUMP_MS / 1000:g} s): "
        "clock set or machine suspended"
    )
    return Violation(text, jump_ms, MAX_CLOCK_JUMP_MS)


def stolen(case: Case) -> Violation | None:
    """Other virtual machines must leave the CPU to this one."""
    machine = case.conditions.machine
    if machine is None or machine.stolen_cpu_cores <= MAX_STOLEN_SHARE * machine.cores:
        return None
    stolen, limit = machine.stolen_cpu_cores, MAX_STOLEN_SHARE * machine.cores
    text = f"CPU steal: {stolen:.3g} cores used by other virtual machines (limit {limit:.3g})"
    return Violation(text, stolen, limit)


def neighbours(case: Case) -> Violation | None:
    """Other processes must leave the CPU to the service."""
    machine = case.conditions.machine
    if machine is None:
        return None
    others = machine.others_cpu_cores
    if others is None:
        limit = MAX_BUSY_SHARE * machine.cores
        if machine.cpu_cores <= limit:
            return None
        text = (
            f"machine saturated: {machine.cpu_cores:.3g} of {machine.cores} cores busy "
            f"(limit {limit:.3g}), share of other processes unknown"
        )
        return Violation(text, machine.cpu_cores, limit)
    limit = max_others_cores(machine.cores)
    if others <= limit:
        return None
    text = f"other processes used {others:.3g} of {machine.cores} cores (limit {limit:.3g})"
    return Violation(text, others, limit)


def drift_text(drift: float) -> str:
    """Return the finding for a relative change that exceeds `MAX_DRIFT`."""
    return (
        f"drift of {100 * drift:.4g} % in throughput or median (limit {100 * MAX_DRIFT:g} %): "
        "early and late cells are not comparable"
    )


def drifted(case: Case) -> Violation | None:
    """The first cell must have the same results at the end of the run."""
    if case.drift is None or case.drift <= MAX_DRIFT:
        return None
    return Violation(drift_text(case.drift), case.drift, MAX_DRIFT)
