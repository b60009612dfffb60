"""What to try next: the table from bottlenecks to advice."""

from dataclasses import dataclass

from loadbench.engine.journal.events import CellFinished
from loadbench.engine.measure.bottleneck import Bottleneck, BottleneckKind
from loadbench.engine.measure.limits import MAX_BUSY_SHARE
from loadbench.engine.report.recommendation.subject import Subject

_MORE_CORES = "use more cores, a GPU or a larger batch size"


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """The facts that the advice depends on."""

    subject: Subject
    models: int
    """Largest number of models measured."""
    bottleneck: Bottleneck | None
    """Bottleneck of the limiting cell."""
    busy_cores: int | None
    """Number of cores of the machine if all of them were busy in the limiting cell."""
    is_worthwhile: bool
    """Whether the last added models were worthwhile, or only one number was measured."""


def busy_cores(finished: CellFinished | None) -> int | None:
    """Return the number of cores of the machine if all were busy in a cell, otherwise None."""
    machine = finished.circumstances.machine if finished and finished.circumstances else None
    if machine is None or machine.cpu_cores < MAX_BUSY_SHARE * machine.cores:
        return None
    return machine.cores


def advice(situation: Situation) -> str:
    """Return what to try next to raise the capacity, or '' if the bottleneck is unknown.

    The advice is an imperative clause without a full stop.
    """
    bottleneck, subject = situation.bottleneck, situation.subject
    match bottleneck.kind if bottleneck else None:
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
        case BottleneckKind.SERVICE if subject.is_scaled and situation.is_worthwhile:
            return _more_capacity(situation)
        case _:
            return "profile the service, which does not report its stages"


def _more_capacity(situation: Situation) -> str:
    if situation.busy_cores:
        return _MORE_CORES
    if situation.is_worthwhile and situation.subject.is_scaled:
        return f"measure more than {situation.subject.amount(situation.models)}"
    return "try a larger batch size or a faster device"
