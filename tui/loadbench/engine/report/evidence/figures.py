"""Figures with the limits that rules set for them. Pure: numbers, no text for people."""

from dataclasses import dataclass
from enum import StrEnum


class FigureName(StrEnum):
    """What a figure measures."""

    FEWEST_USERS = "fewest_users"
    SUCCESSES = "successes"
    FAILURE_RATIO = "failure_ratio"
    ABORTED_REQUESTS = "aborted_requests"
    CLIENT_CPU = "client_cpu"
    """CPU that Locust used."""
    USERS_WAITING = "users_waiting"
    """Users waiting for a response, on average."""
    USERS_PAUSING = "users_pausing"
    """Users between two requests, on average."""
    USERS_ACCOUNTED = "users_accounted"
    """Users waiting or pausing. The rest was delayed by Locust itself."""
    EVENT_LOOP_LAG_P99 = "event_loop_lag_p99"
    EVENT_LOOP_LAG_MAX = "event_loop_lag_max"
    LONGEST_STALL = "longest_stall"
    CLOCK_JUMP = "clock_jump"
    MACHINE_CPU = "machine_cpu"
    """CPU that all processes used."""
    OTHER_PROCESSES_CPU = "other_processes_cpu"
    STOLEN_CPU = "stolen_cpu"
    """CPU that the hypervisor gave to other machines."""
    SWAPPED = "swapped"
    QUEUE_LENGTH = "queue_length"
    READY_WORKERS = "ready_workers"
    """The fewest at once; all that there were at some time are expected."""
    THROTTLED = "throttled"
    """Share of scheduling periods in which a container reached its CPU limit."""
    RESTARTS = "restarts"
    MISSING = "missing"
    """Seconds at whose end a container did not run."""


class Unit(StrEnum):
    """The unit of a figure and of its limit."""

    COUNT = "count"
    RATIO = "ratio"
    """0 to 1."""
    SECONDS = "s"
    MILLISECONDS = "ms"
    CORES = "cores"
    BYTES = "bytes"
    JOBS = "jobs"


class Bound(StrEnum):
    """How a rule limits a figure."""

    AT_MOST = "at_most"
    AT_LEAST = "at_least"
    BELOW = "below"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number of the evidence, with its limit."""

    name: FigureName
    value: float | None
    """None: not known."""
    unit: Unit = Unit.COUNT
    limit: float | None = None
    """The limit of a rule. Without a bound it is the number that was asked for; None: neither."""
    bound: Bound | None = None
    """None: no rule limits this figure."""

    @property
    def is_beyond(self) -> bool:
        """Whether the value is beyond its limit."""
        if self.value is None or self.limit is None:
            return False
        match self.bound:
            case Bound.AT_MOST:
                return self.value > self.limit
            case Bound.AT_LEAST:
                return self.value < self.limit
            case Bound.BELOW:
                return self.value >= self.limit
            case None:
                return False


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerEvidence:
    """What one container used, and what happened to it."""

    name: str
    cpu_cores: float | None
    """On average. None: not known."""
    memory_bytes: int | None
    """The most. None: not known."""
    throttled: Figure
    """Its value is None without a CPU limit."""
    restarts: Figure
    missing: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerEvidence:
    """What one worker of the service did."""

    id: str
    images: int
    image_ms: float | None
    """Inference time per image. None: it had no image."""
    busy: float | None
    """Share of the time in which it ran inference, 0 to 1. None: not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What some seconds of a cell were like."""

    is_measured: bool
    """True: of a finished cell's measurement window. False: of the last seconds of an attempt."""
    seconds: float
    has_conditions: bool
    """False: the journal was written by a version that recorded few figures."""
    machine_cores: int | None = None
    """How many the machine has. None: not known."""
    figures: tuple[Figure, ...]
    containers: tuple[ContainerEvidence, ...] = ()
    workers: tuple[WorkerEvidence, ...] = ()
