"""Figures of the evidence with the limits of the rules, without display texts."""

from dataclasses import dataclass
from enum import StrEnum


class FigureName(StrEnum):
    """Metric that a figure shows."""

    FEWEST_USERS = "fewest_users"
    SUCCESSES = "successes"
    SAMPLES = "samples"
    """Successes with a latency. Shown if some have none."""
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
    ADDED_P50 = "added_p50"
    """What Locust adds to the percentile. Likewise below."""
    ADDED_P90 = "added_p90"
    ADDED_P95 = "added_p95"
    ADDED_P99 = "added_p99"
    ADDED_P999 = "added_p99.9"
    EVENT_LOOP_LAG_MAX = "event_loop_lag_max"
    LONGEST_STALL = "longest_stall"
    CLOCK_JUMP = "clock_jump"
    MACHINE_CPU = "machine_cpu"
    """CPU used by all processes."""
    OTHER_PROCESSES_CPU = "other_processes_cpu"
    STOLEN_CPU = "stolen_cpu"
    """CPU steal: CPU time that the hypervisor gave to other virtual machines."""
    SWAPPED = "swapped"
    QUEUE_LENGTH = "queue_length"
    READY_WORKERS = "ready_workers"
    """Lowest number of ready workers. The limit is the highest number in the window."""
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
    """Comparison between a value and its limit."""

    AT_MOST = "at_most"
    AT_LEAST = "at_least"
    BELOW = "below"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure of the evidence, with its limit if it has one."""

    name: FigureName
    value: float | None
    """None if unknown."""
    unit: Unit = Unit.COUNT
    limit: float | None = None
    """Limit of a rule or, if `bound` is None, the requested number. None if there is neither."""
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
    """Mean CPU usage in cores. None if unknown."""
    memory_bytes: int | None
    """Maximum memory usage in bytes. None if unknown."""
    received_bytes: int | None
    """Bytes received over the network. None if unknown."""
    throttled: Figure
    """The value is None if there is no CPU limit."""
    restarts: Figure
    missing: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerEvidence:
    """Work done by one worker of the service."""

    id: str
    images: int
    image_ms: float | None
    """Inference time per image in ms. None if it processed no images."""
    busy: float | None
    """Share of time spent on inference, 0 to 1. None if unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Evidence from part of a cell: figures, containers and workers."""

    is_measured: bool
    """True for a finished cell's measurement window, False for the end of a running attempt."""
    seconds: float
    """Length of that part in seconds."""
    has_conditions: bool
    """False for journals of older versions, which recorded fewer figures."""
    machine_cores: int | None = None
    """CPU cores of the machine. None if unknown."""
    figures: tuple[Figure, ...]
    containers: tuple[ContainerEvidence, ...] = ()
    workers: tuple[WorkerEvidence, ...] = ()
