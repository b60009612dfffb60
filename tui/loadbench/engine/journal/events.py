"""The vocabulary of a journal: everything that a run has to say, on one page."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from loadbench.engine.journal.cells import RecordedCell

Buckets = tuple[tuple[float, int], ...]
"""A sparse histogram: (milliseconds, count), ascending. Milliseconds to three digits."""


class Phase(StrEnum):
    """What a cell is doing, in this order."""

    SCALING = "scaling"
    RAMPING = "ramping"
    SETTLING = "settling"
    MEASURING = "measuring"
    DRAINING = "draining"


class Result(StrEnum):
    """How a run ended."""

    DONE = "done"
    STOPPED = "stopped"
    ABORTED = "aborted"


class Verdict(StrEnum):
    """What a cell's numbers are worth."""

    VALID = "valid"
    SUSPECT = "suspect"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """The requests of one name, as two histograms of their latency."""

    method: str
    name: str
    successes: Buckets = ()
    failures: Buckets = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages:
    """Sums over the successes that said where their time went, in ms. `count` of them did."""

    count: int = 0
    latency_ms: float = 0.0
    total_ms: float = 0.0
    queue_ms: float = 0.0
    decode_ms: float = 0.0
    infer_ms: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientUse:
    """What one load generator used of its machine."""

    cpu_cores: float
    lag_ms: float | None = None
    """The most by which its event loop was late to something. None: not recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """One container, or process of the local driver, as it is now."""

    name: str
    service: str
    state: str
    """`running` or `exited`; what else an engine may call it is shown as it is."""
    exit_code: int | None = None
    """Negative for a signal. None: it runs."""
    cpu_cores: float | None = None
    """Cores that it used in the last second. None: not known yet."""
    memory_bytes: int | None = None
    vram_bytes: int | None = None
    """On all GPUs together. None: it uses none, or nobody can tell."""
    health: str | None = None
    """`starting`, `healthy` or `unhealthy`, by the container's own check. None: it has none."""
    oom_killed: bool = False
    """The kernel killed a process of it for want of memory."""
    restarts: int = 0
    """How often the engine has started it again."""
    image: str | None = None
    """The digest that identifies its image. None: no image."""
    throttled: float | None = None
    """Share of the last second's scheduling periods in which its CPU limit held it back, 0 to 1.
    None: it has no such limit, or nobody can tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """What one worker has done since it started, as the service's metrics count it."""

    id: str
    images: int
    infer_s: float
    """Seconds in which its network ran."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceMetrics:
    """What the service's own metrics tell at a moment. None: they do not tell that."""

    queue_length: float | None = None
    """Jobs that no worker has taken."""
    workers: int | None = None
    """Workers that are ready."""
    totals: tuple[Worker, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What this whole machine did in a second, or on average over a window."""

    cores: int
    """How many it has."""
    cpu_cores: float
    """Those that were busy, whoever used them."""
    others_cpu_cores: float | None
    """Those that neither the service, nor Locust, nor the runner used. None: the service is not
    ours, so nobody can tell."""
    stolen_cpu_cores: float
    """Cores that the hypervisor gave to other machines while this one wanted them."""
    swapped_bytes: int
    """Read from and written to swap: the sum."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """The compose project that a run scales, and the engine that it is on."""

    name: str
    context: str
    """The Docker context that the engine was reached by."""
    engine: str
    """The engine's address, such as `unix:///var/run/docker.sock`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorCount:
    """One kind of failure and how often it was seen."""

    error: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A rule that applied to the numbers of a cell."""

    rule: str
    """Its id. `UNRECORDED`: the journal does not say, and today's rules do not either."""
    text: str
    """The reason, for people."""
    value: float | None = None
    """The figure that was looked at, in the rule's unit. None: not one figure, or not recorded."""
    limit: float | None = None
    """What that figure may be at the most, or must be at least."""


UNRECORDED = "unrecorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """A run begins. Everything that a reader must know of it is here."""

    type: ClassVar = "run_started"
    v: int
    """Major version of the format."""
    pid: int
    run: str
    workspace: str
    """The folder that the stack, the locustfile and the images were taken from."""
    profile_name: str
    profile_file: str
    profile: dict[str, Any]
    """Every key, as resolved."""
    overrides: tuple[str, ...]
    """The `KEY=VALUE` texts that were given with the file."""
    cells: tuple[RecordedCell, ...]
    driver: str
    driver_reason: str
    hardware: dict[str, Any]
    versions: dict[str, str]
    project: Project | None = None
    """None: the driver starts no containers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResumed:
    """A run goes on after it was interrupted."""

    type: ClassVar = "run_resumed"
    pid: int
    retry: tuple[str, ...]
    """Keys of failed cells that are measured again."""
    hardware: dict[str, Any]
    versions: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class StackProgress:
    """The stack is being built, pulled or started: the step and its last line."""

    type: ClassVar = "stack_progress"
    step: str
    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StackPrepared:
    """All images of the stack are there."""

    type: ClassVar = "stack_prepared"
    images: dict[str, str]
    """Their digests by service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellStarted:
    """A cell is attempted, from its start."""

    type: ClassVar = "cell_started"
    cell: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CellPhase:
    """The current cell enters a phase."""

    type: ClassVar = "cell_phase"
    cell: str
    phase: Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One second of the current cell: what completed in it."""

    type: ClassVar = "sample"
    cell: str
    attempt: int
    second: int
    """Whole seconds since the cell's first user was asked for."""
    users: int
    requests: tuple[Requests, ...]
    stages: Stages
    containers: tuple[Container, ...]
    clients: tuple[ClientUse, ...]
    """One for each load generator: what it used in this second."""
    service: ServiceMetrics | None = None
    """None: it has no metrics, or did not answer in time."""
    machine: Machine | None = None
    """None: not looked at."""
    errors: tuple[ErrorCount, ...] = ()
    """What the requests that failed in it said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Containers:
    """A container came, ended or changed its state, at whatever time of the run."""

    type: ClassVar = "containers"
    containers: tuple[Container, ...]
    """All that there are now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerUse:
    """What one container came to over the measured window."""

    name: str
    service: str
    cpu_cores: float | None
    """On average. None: not known."""
    memory_bytes: int | None
    """The most. None: not known."""
    throttled: float | None
    """Share of the scheduling periods in which its CPU limit held it back. None: no limit."""
    restarts: int
    """How often it was started again in the window."""
    missing_s: int
    """Seconds at whose end it did not run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerUse:
    """What one worker did in the measured window, as its counters told."""

    id: str
    seconds: int
    """From the first to the last second in which the counters moved: they are told in steps."""
    images: int
    infer_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceUse:
    """What the service's metrics came to over the measured window."""

    queue_length: float | None
    """On average."""
    fewest_workers: int | None
    most_workers: int | None
    workers: tuple[WorkerUse, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What the measured window was like, beside the answers: the evidence for its verdict."""

    begin_s: float
    """When the window was opened, counted as samples are."""
    in_flight: float
    """Users that were waiting for an answer, on average."""
    thinking: float
    """Users that were pausing as their own code asks for, on average."""
    gaps: Buckets
    """Between successive answers, from the window's begin to its end, in ms."""
    lag: Buckets
    """How late Locust's process got to a timer of the kernel, in ms, fifty times a second."""
    clock_jump_ms: float
    """The most by which the wall clock moved against the monotonic one, at once."""
    containers: tuple[ContainerUse, ...] = ()
    service: ServiceUse | None = None
    machine: Machine | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CellFinished:
    """A cell was measured. Nothing else is needed to report it."""

    type: ClassVar = "cell_finished"
    cell: str
    attempt: int
    verdict: Verdict
    measured_s: float
    completed: int
    """Successes whose answer came in the measured window, whenever they were started."""
    requests: tuple[Requests, ...]
    """Of requests started in the measured window, followed to their end."""
    aborted: int
    """Requests started in the window that had no end even after their timeout."""
    errors: tuple[ErrorCount, ...]
    stages: Stages
    settled: bool | None
    """None: the profile asks not to wait for that."""
    fewest_users: int
    """The lowest number of users in any second of the window."""
    clients: tuple[ClientUse, ...]
    """One for each load generator: what it used over the measured window, on average."""
    unsettled: str = ""
    """What did not settle, in words; empty: all did, or nobody asked."""
    exceptions: tuple[ErrorCount, ...] = ()
    """Raised by the user's own code; none of them is a failed request."""
    circumstances: Conditions | None = None
    """None: written before there was such a thing."""
    findings: tuple[Finding, ...] = ()
    """The rules that applied; none where the numbers are valid."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """The texts of the findings. Lines of a journal have them besides, for older readers."""
        return tuple(it.text for it in self.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class CellFailed:
    """A cell could not be measured."""

    type: ClassVar = "cell_failed"
    cell: str
    attempt: int
    reason: str
    container: str | None = None
    exit_code: int | None = None
    log_lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CellSkipped:
    """A cell was left out because somebody asked for it."""

    type: ClassVar = "cell_skipped"
    cell: str
    attempt: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandAnswered:
    """The answer to a command, exactly one for each id."""

    type: ClassVar = "command"
    id: str
    command: str
    accepted: bool
    message: str
    cell: str | None = None
    added: tuple[RecordedCell, ...] = ()
    """Cells that are to be measured too, and were not in the plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A remark for people."""

    type: ClassVar = "note"
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    """A run has ended, in order."""

    type: ClassVar = "run_finished"
    result: Result
    reason: str
    left: str | None = None
    """What could not be taken down, as a sentence. None: nothing is left."""


CellEnd = CellFinished | CellFailed | CellSkipped
"""What ends an attempt of a cell."""

Event = (
    RunStarted
    | RunResumed
    | StackProgress
    | StackPrepared
    | CellStarted
    | CellPhase
    | Sample
    | Containers
    | CellFinished
    | CellFailed
    | CellSkipped
    | CommandAnswered
    | Note
    | RunFinished
)
