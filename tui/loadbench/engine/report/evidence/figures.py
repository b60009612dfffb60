"""Figures with the limits of the rules. Pure data without display texts."""

from dataclasses import dataclass
from enum import StrEnum


class FigureName(StrEnum):
    """The metric of a figure."""

    FEWEST_USERS = "fewest_users"
    SUCCESSES = "successes"
    FAILURE_RATIO = "failure_ratio"
    ABORTED_REQUESTS = "aborted_requests"
    CLIENT_CPU = "client_cpu"
    """CPU used by Locust."""
    USERS_WAITING = "users_waiting"
    """Mean number of users waiting for a response."""
    USERS_PAUSING = "users_pausing"
    """Mean number of users between two requests."""
    USERS_ACCOUNTED = "users_accounted"
    """Users waiting or pausing. All others were delayed by Locust."""
    EVENT_LOOP_LAG_P99 = "event_loop_lag_p99"
    EVENT_LOOP_LAG_MAX = "event_loop_lag_max"
    LONGEST_STALL = "longest_stall"
    CLOCK_JUMP = "clock_jump"
    MACHINE_CPU = "machine_cpu"
    """CPU used by all processes."""
    OTHER_PROCESSES_CPU = "other_processes_cpu"
    STOLEN_CPU = "stolen_cpu"
    """CPU given to other virtual machines by the hypervisor."""
    SWAPPED = "swapped"
    QUEUE_LENGTH = "queue_length"
    READY_WORKERS = "ready_workers"
    """Lowest number of ready workers; the limit is the highest number in the window."""
    THROTTLED = "throttled"
    """Share of scheduling periods in which the CPU limit throttled a container."""
    RESTARTS = "restarts"
    MISSING = "missing"
    """Seconds in which a container was down, sampled once a second."""


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
    """The kind of limit."""

    AT_MOST = "at_most"
    AT_LEAST = "at_least"
    BELOW = "below"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number of the evidence with its limit."""

    name: FigureName
    value: float | None
    """None if unknown."""
    unit: Unit = Unit.COUNT
    limit: float | None = None
    """The limit of a rule or, without a bound, the requested number. None: neither."""
    bound: Bound | None = None
    """None if no rule limits the figure."""

    @property
    def is_beyond_limit(self) -> bool:
        """Whether the value violates its limit."""
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
    """Resource use, restarts and downtime of one container."""

    name: str
    cpu_cores: float | None
    """Mean. None if unknown."""
    memory_bytes: int | None
    """Maximum. None if unknown."""
    throttled: Figure
    """The value is None without a CPU limit."""
    restarts: Figure
    missing: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerEvidence:
    """Work done by one worker of the service."""

    id: str
    images: int
    image_ms: float | None
    """Inference time per image. None without an image."""
    busy: float | None
    """Share of time spent on inference, 0 to 1. None if unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The conditions during part of a cell."""

    is_measured: bool
    """True for the measurement window of a finished cell, False for the end of an attempt."""
    seconds: float
    has_conditions: bool
    """False for journals of older versions, which recorded fewer figures."""
    machine_cores: int | None = None
    """CPU cores of the machine. None if unknown."""
    figures: tuple[Figure, ...]
    containers: tuple[ContainerEvidence, ...] = ()
    workers: tuple[WorkerEvidence, ...] = ()
