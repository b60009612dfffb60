"""What to try next: from gaps in the measurements, or else from the bottleneck by a table."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from loadbench.engine.bounds.texts import shortened
from loadbench.engine.journal.events import CellFailed, CellFinished
from loadbench.engine.measure.bottleneck import Bottleneck, BottleneckKind
from loadbench.engine.measure.buckets import min_samples
from loadbench.engine.measure.limits import MAX_BUSY_SHARE
from loadbench.engine.report.recommendation.capacity import (
    Configuration,
    misses_only_throughput,
)
from loadbench.engine.report.recommendation.goals import (
    Outcome,
    is_about_failures,
)
from loadbench.engine.report.recommendation.knee import are_equal, knee
from loadbench.engine.report.recommendation.loads import LoadOutcome
from loadbench.engine.report.recommendation.subject import Subject

MAX_ERROR_CHARACTERS = 60
"""Maximum length of the quoted error message of failed requests."""
_ROUND_S = 5
_MORE_CORES = "use more cores, a GPU or a larger batch size"


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """The facts that the advice depends on."""

    subject: Subject
    configurations: Sequence[Configuration]
    best: Configuration | None
    limit: Configuration | None
    """The configuration that explains why the answer is not larger."""
    load: LoadOutcome | None
    """The load at which that configuration failed, or else its largest load."""
    bottleneck: Bottleneck | None
    """Bottleneck at that load."""
    busy_cores: int | None
    """Number of cores of the machine if all of them were busy at that load."""
    stop_at: int | None
    """The number of models beyond which added ones are not worthwhile. None if unknown."""
    has_goals: bool
    is_run_time_auto: bool = False
    idle: str = ""
    """Key of a cell in which a replica got no work. Empty if there is none."""
    distributor: str = ""
    """What distributed the requests in that cell, such as `the locustfile`."""

    @property
    def is_worthwhile(self) -> bool:
        """Whether the last added models were worthwhile, or only one number was measured."""
        return self.stop_at is None or self.stop_at == self.configurations[-1].models

    @property
    def is_client_bound(self) -> bool:
        """Whether the load generator was the bottleneck."""
        return self.bottleneck is not None and self.bottleneck.kind is BottleneckKind.CLIENT


def busy_cores(finished: CellFinished | None) -> int | None:
    """Return the number of cores of the machine if all were busy in a cell, otherwise None."""
    machine = finished.circumstances.machine if finished and finished.circumstances else None
    # If the owner of CPU time is unknown, the service runs elsewhere: the machine is Locust's.
    if machine is None or machine.others_cpu_cores is None:
        return None
    if machine.cpu_cores < MAX_BUSY_SHARE * machine.cores:
        return None
    return machine.cores


def next_step(situation: Situation) -> str:
    """Return what to try next, as an imperative clause without a full stop.

    Returns:
        The clause, or '' if nothing follows from the results.
    """
    load = situation.load
    if load and (failure := load.failure or _failure_of_larger(situation)):
        culprit = failure.container or "the service"
        return f"read the log of {culprit}, which exited in cell {failure.cell}"
    if situation.idle:
        cause = f"because a replica got no work in cell {situation.idle}"
        return f"look at {situation.distributor}, {cause}"
    if load is None:
        return ""
    return (
        _measure_again(situation)
        or (bottleneck_advice(situation) if situation.is_client_bound else "")
        or (_close_gap(situation) if situation.has_goals else _more_load(situation))
        or bottleneck_advice(situation)
    )


def bottleneck_advice(situation: Situation) -> str:
    """Return how to widen the bottleneck, or '' if it is unknown."""
    match situation.bottleneck.kind if situation.bottleneck else None:
        case None:
            return ""
        case BottleneckKind.CLIENT:
            return "give Locust a machine of its own, because it limited this result"
        case BottleneckKind.CPU_LIMIT:
            return "raise the CPU limit of the throttled container"
        case BottleneckKind.SLOW_WORKER:
            return "find out why one replica is slower than the others"
        case BottleneckKind.QUEUE:
            return _more_capacity(situation)
        case BottleneckKind.MODEL:
            # Requests hardly wait, so more replicas would not make them faster.
            return _MORE_CORES if situation.busy_cores else "use a faster device"
        case BottleneckKind.WAIT_BEFORE_MODEL:
            return "look at the broker and at BATCH_WAIT_MS, because the models are idle"
        case BottleneckKind.API:
            return "give the API more CPU or more processes"
        case BottleneckKind.CONSTANT_WAIT_IN_API:
            return "look for a sleep, a timer or a remote call in the API"
        case BottleneckKind.NETWORK:
            return "check the network and the proxies between Locust and the service"
        case BottleneckKind.CONSTANT_WAIT:
            return "look for a sleep, a timer or a rate limit in the service"
        case BottleneckKind.SERVICE if situation.subject.is_scaled and situation.is_worthwhile:
            return _more_capacity(situation)
        case _:
            return "profile the service, which does not report its stages"


def _more_capacity(situation: Situation) -> str:
    if situation.busy_cores:
        return _MORE_CORES
    if situation.is_worthwhile and situation.subject.is_scaled:
        largest = situation.configurations[-1].models
        return f"measure more than {situation.subject.amount(largest)}"
    return "try a larger batch size or a faster device"


def _failure_of_larger(situation: Situation) -> CellFailed | None:
    """Return why replicas exited in a configuration larger than the best, or None."""
    smallest = situation.best.models if situation.best else 0
    larger = (one for one in situation.configurations if one.models > smallest)
    failed = (one.first_failed for one in larger)
    return next((load.failure for load in failed if load and load.failure), None)


def _measure_again(situation: Situation) -> str:
    """Return the load to measure because its outcome is implausible or missing, or ''."""
    candidates = (situation.best,) if situation.best else situation.configurations
    for one in candidates if situation.has_goals else ():
        with_models = f" with {situation.subject.amount(one.models)}"
        where = with_models if situation.subject.is_scaled else ""
        if one.passed_above and one.first_failed:
            return f"measure {one.first_failed.phrase}{where} again"
        if one.capacity and (missing := one.missing_above(one.capacity)):
            return f"measure {missing[0]}{where}"
    best = situation.best
    load = best.capacity if best else None
    for one in situation.configurations if best and load and situation.has_goals else ():
        if best and load and one.models < best.models and one.may_carry(load):
            return f"measure {load.phrase} with {situation.subject.amount(one.models)}"
    return ""


def _close_gap(situation: Situation) -> str:
    """Return what to measure to find the capacity more exactly, or ''."""
    best, load = situation.best, situation.load
    capacity = best.capacity if best else None
    above = best.next_load(capacity) if best and capacity else None
    if capacity and above is None:
        return f"measure more than {capacity.phrase} to find the limit"
    every = (one for found in situation.configurations for one in found.loads)
    for undecided in (above, load, *(() if best else every)):
        if undecided and undecided.outcome is Outcome.UNDECIDED:
            return _longer(undecided, is_auto=situation.is_run_time_auto)
    if load and load.check and is_about_failures(load.check):
        return f"find out why requests fail{_top_error(load)}"
    if best and capacity and best.first_failed and _is_tied_but_faster(situation):
        between = f"{capacity.amount:g} and {best.first_failed.phrase}"
        return f"measure loads between {between}, because throughput still grows"
    if load and misses_only_throughput(load):
        loads = situation.limit.loads if situation.limit else ()
        is_rising = loads and knee(loads) is None
        return f"measure more than {loads[-1].phrase} to raise throughput" if is_rising else ""
    if best is None:
        smallest = min((one.loads[0] for one in situation.configurations), key=_amount)
        fewer = f"measure fewer than {smallest.phrase}" if smallest.amount > 1 else ""
        return ", or ".join(filter(None, (fewer, bottleneck_advice(situation))))
    return ""


def _more_load(situation: Situation) -> str:
    """Return that more load is needed, if throughput without goals was still rising, or ''."""
    best = situation.best
    if best is None or best.peak is None or knee(best.loads):
        return ""
    return f"measure more than {best.peak.phrase} to find the highest throughput"


def _is_tied_but_faster(situation: Situation) -> bool:
    """Return whether more models carry the same load at a clearly higher throughput."""
    best, limit, stop_at = situation.best, situation.limit, situation.stop_at
    if best is None or limit is None or best is limit or not (best.capacity and limit.capacity):
        return False
    if stop_at is not None and limit.models > stop_at:
        return False
    pair = best.peak, limit.peak
    rates = [peak.rps or 0.0 for peak in pair if peak]
    is_tied = best.capacity.amount == limit.capacity.amount
    return is_tied and len(rates) == 2 and rates[1] > rates[0] and not are_equal(*rates)


def _longer(load: LoadOutcome, *, is_auto: bool) -> str:
    """Return by how much to increase the window to decide a load."""
    check, finished = load.check, load.worst.deciding.finished
    purpose = f"so that {load.phrase} can be decided"
    if check and check.goal.subject and not check.samples:
        return f"check the name {check.goal.subject} in the goals, {purpose}"
    key, other = "run_time", " or set run_time: auto,"
    if is_auto:
        key, other = "max_run_time", ""
    if check is None or finished is None or not check.samples or check.goal.tail is None:
        return f"increase {key},{other} {purpose}"
    needed_s = finished.measured_s * min_samples(check.goal.tail) / check.samples
    seconds = _ROUND_S * math.ceil(needed_s / _ROUND_S)
    return f"increase {key} to {seconds}s,{other} {purpose}"


def _top_error(load: LoadOutcome) -> str:
    """Return the most frequent error of a load, or '' if none was recorded."""
    finished = load.worst.deciding.finished
    top = max(finished.errors, key=lambda error: error.count, default=None) if finished else None
    if top is None:
        return ""
    text = " ".join(top.error.split())
    return f", mostly with: {shortened(text, MAX_ERROR_CHARACTERS)}"


def _amount(load: LoadOutcome) -> float:
    return load.amount
