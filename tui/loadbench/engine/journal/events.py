"""All event types of a journal, and the values in their fields."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import Field

from loadbench.engine.hardware.revision import Revision
from loadbench.engine.journal.cells import RecordedCell
from loadbench.engine.journal.label import Label
from loadbench.engine.journal.search import Bracket, StopReason
from loadbench.engine.profile.target import Target

MAX_VALUE = 10**15
"""Maximum of a recorded number. Sums and products of such numbers are finite."""

Count = Annotated[int, Field(ge=0, le=MAX_VALUE)]
Integer = Annotated[int, Field(ge=-MAX_VALUE, le=MAX_VALUE)]
Number = Annotated[float, Field(ge=-MAX_VALUE, le=MAX_VALUE)]
"""Type of a number in an event. A line with a number outside its limits is damaged."""
ProcessId = Annotated[int, Field(ge=1, lt=2**31)]
"""Other numbers would address several processes, see kill(2)."""

Buckets = tuple[tuple[Number, Count], ...]
"""Sparse histogram: (ms, count) pairs in ascending order. Values have at least three significant
digits."""


class Phase(StrEnum):
    """Phase of a cell, in this order."""

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
    """Verdict on whether a cell's results can be used."""

    VALID = "valid"
    SUSPECT = "suspect"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages:
    """Times in ms, summed over the successful requests with a `Server-Timing` response header."""

    count: Count = 0
    """Number of these requests."""
    latency_ms: Number = 0.0
    total_ms: Number = 0.0
    queue_ms: Number = 0.0
    decode_ms: Number = 0.0
    infer_ms: Number = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """Requests with the same method and name, as latency histograms of successes and failures."""

    method: str
    name: str
    successes: Buckets = ()
    failures: Buckets = ()
    undelayed: Buckets = ()
    """Latencies of the successes in the measurement window without the delay by the load generator,
    as far as it is known. If empty, as in journals of earlier versions, it is not recorded."""
    untimed_successes: Count = 0
    """Number of successes without a latency, which are not in `successes`. If 0, as in journals of
    earlier versions, it is not recorded."""
    untimed_failures: Count = 0
    """Number of failures without a latency, likewise."""
    completed: Count | None = None
    """Number of successful responses within the measurement window, regardless of when the request
    started. None for single seconds, and in journals of earlier versions."""
    stages: Stages | None = None
    """Stages of these requests. None if none reported stages, as in journals of earlier versions.
    """
    custom_events: Count = 0
    """Number of events in the measurement window with neither a response nor a URL, which the
    locustfile or a client library fires itself. If 0, it is not recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """Values that events report beside requests, such as the time to the first token."""

    kind: str
    """Request type of the events, such as `METRIC`."""
    name: str
    unit: str = ""
    """Unit of the values, such as `ms`. Empty if unknown."""
    values: Buckets = ()
    """Histogram of the values, with three significant digits."""
    failures: Count = 0
    """Number of events with an exception or without a usable value. If 0, it is not recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientUse:
    """Resource usage of one load generator."""

    cpu_cores: Number
    """CPU usage in cores."""
    lag_ms: Number | None = None
    """Maximum event-loop lag in ms. None if not recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """Current status and resource usage of a container, or of a process of the local driver."""

    name: str
    service: str
    state: str
    """`running`, `exited`, or any other state that the engine reports."""
    exit_code: Integer | None = None
    """Exit code, or the negative signal number if killed by a signal. None if still running."""
    cpu_cores: Number | None = None
    """CPU usage over the last second in cores. None if not known yet."""
    memory_bytes: Count | None = None
    """Memory usage in bytes. None if not known yet."""
    vram_bytes: Count | None = None
    """VRAM usage in bytes, summed over all GPUs. None if none is used, or if unknown."""
    health: str | None = None
    """Result of the container's health check: `starting`, `healthy` or `unhealthy`. None if
    it has no health check."""
    oom_killed: bool = False
    """Whether the kernel's OOM killer killed one of its processes."""
    restarts: Count = 0
    """Number of restarts by the engine."""
    image: str | None = None
    """Digest of its image. None if it has no image."""
    throttled: Number | None = None
    """Share of scheduling periods in the last second in which its CPU limit throttled it, 0 to 1.
    None if it has no CPU limit, or if unknown."""
    received_bytes: Count | None = None
    """Bytes received over the network since it started. None if unknown, if it shares its network
    interfaces, and in journals of earlier versions."""
    received_error_bytes: Count = 0
    """Maximum rounding error of `received_bytes`. 0 if exact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """Counters of one worker since it started, from the service's metrics."""

    id: str
    images: Count
    """Number of images classified."""
    infer_s: Number
    """Seconds spent in inference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceMetrics:
    """Metrics of the service at one moment. Metrics that are not exposed are None."""

    queue_length: Number | None = None
    """Number of jobs waiting for a worker."""
    workers: Count | None = None
    """Number of ready workers."""
    totals: tuple[Worker, ...] = ()
    """Counters of each worker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Resource usage of the whole machine in one second, or averaged over a window."""

    cores: Count
    """Number of CPU cores."""
    cpu_cores: Number
    """CPU usage of all processes in cores."""
    others_cpu_cores: Number | None
    """CPU usage in cores of processes other than the service, Locust and the runner. None if
    unknown because the driver does not run the service."""
    stolen_cpu_cores: Number
    """CPU steal in cores: time that the hypervisor gave to other virtual machines."""
    swapped_bytes: Integer
    """Bytes read from and written to swap, summed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """The Compose project that a run scales, and its Docker engine."""

    name: str
    context: str
    """Name of the Docker context."""
    engine: str
    """Address of the engine, such as `unix:///var/run/docker.sock`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorCount:
    """An error message and its number of occurrences."""

    error: str
    count: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A rule that applied to the results of a cell."""

    rule: str
    """Id of the rule, or `UNRECORDED`."""
    text: str
    """The finding as text."""
    value: Number | None = None
    """Value checked by the rule, in the rule's unit. None if there is no
    single value, or if it was not recorded."""
    limit: Number | None = None
    """Upper or lower limit for that value. None if there is no limit, or if it was not recorded."""


UNRECORDED = "unrecorded"
"""Rule id of a finding whose rule was not recorded and could not be derived."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaRequests:
    """Requests to one replica in the measurement window."""

    name: str = ""
    """Name of its container. Empty for an address that is no replica."""
    host: str
    """Its base URL. Empty for all further addresses."""
    successes: Buckets = ()
    failures: Buckets = ()
    untimed_successes: Count = 0
    """This field and the next are those of `Requests`."""
    untimed_failures: Count = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyFailures:
    """Requests with the same method and name that started before the measurement window.

    At least one of them failed.
    """

    method: str
    name: str
    successes: Count
    failures: Count
    errors: tuple[ErrorCount, ...]
    """Errors of the failures, most frequent first."""
    is_in_window: bool
    """Whether requests with this name also started within the window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventNote:
    """An observation about the request events of a measurement window, without a verdict."""

    kind: str
    """A `NoteKind`."""
    method: str = ""
    name: str = ""
    """Method and name of the events. Both are empty for all further names."""
    count: Count
    """Number of events, or for `names` of further names, at most `MAX_COUNTED_NAMES`."""
    example: str = ""
    """The first such value or name, as text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """A run started. Contains the complete description of the run."""

    type: ClassVar = "run_started"
    v: Count
    """Major version of the journal format."""
    pid: ProcessId
    """Process id of the runner."""
    run: str
    """Id of the run, which is the name of its folder."""
    workspace: str
    """Folder with the stack, the locustfile and the images."""
    profile_name: str
    profile_file: str
    profile: dict[str, Any]
    """The resolved profile, with every key."""
    overrides: tuple[str, ...]
    """Overrides of the profile, as `KEY=VALUE`."""
    cells: tuple[RecordedCell, ...]
    """The planned cells, in order."""
    driver: str
    driver_reason: str
    """Reason why this driver was selected."""
    hardware: dict[str, Any]
    versions: dict[str, str]
    """Version of each relevant package."""
    project: Project | None = None
    """The Compose project. None if the driver starts no containers."""
    label: Label = ""
    """Label of the run at its start. If empty, it is not recorded."""
    masked: tuple[str, ...] = ()
    """Keys of the profile whose values are secret and therefore masked. If empty, it is not
    recorded."""
    target: Target | None = None
    """What the run measures. If None, as in journals of earlier versions, it is not recorded."""
    window_s: dict[str, Number] = field(default_factory=dict)
    """Expected length of the measurement window in seconds, by cell, if the run time is automatic
    and the length can be estimated. If empty, it is not recorded."""
    revisions: tuple[Revision, ...] = ()
    """Git revisions of the workspace, the compose files and the locustfiles. If empty, it is not
    recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLabelled:
    """The label of the run was changed, possibly after the end of the run."""

    type: ClassVar = "run_labelled"
    label: Label
    """The new label. Empty if it was removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResumed:
    """A run was resumed after it had ended or been interrupted."""

    type: ClassVar = "run_resumed"
    pid: ProcessId
    """Process id of the new runner."""
    retry: tuple[str, ...]
    """Keys of the cells to measure again."""
    hardware: dict[str, Any]
    versions: dict[str, str]
    """Version of each relevant package."""
    added: tuple[RecordedCell, ...] = ()
    """Cells added to the plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellsPlanned:
    """A search for the capacity chose the next cells to measure."""

    type: ClassVar = "cells_planned"
    cells: tuple[RecordedCell, ...]
    """The cells, which are added to the plan."""
    why: str
    """A `ProbeReason`."""
    bracket: Bracket
    """What was known when they were chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchEnded:
    """A search for the capacity ended. The run may measure further cells on request."""

    type: ClassVar = "search_ended"
    reason: str
    """A `StopReason`: `budget_used`, or `edge_found` if all numbers of models were searched."""
    brackets: tuple[Bracket, ...]
    """The result for each number of models of the profile, in its order."""
    grid: Count
    """Number of cells of the whole grid."""

    @property
    def is_final(self) -> bool:
        """Whether a resume does not continue the search. It does after the end of the budget."""
        return self.reason != StopReason.BUDGET_USED


@dataclass(frozen=True, slots=True, kw_only=True)
class StackProgress:
    """Progress while the stack is built, pulled or started."""

    WAITING: ClassVar = "wait_for_run"
    """Step of a run that waits until another run has ended."""

    type: ClassVar = "stack_progress"
    step: str
    line: str
    """Latest output line of the step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackPrepared:
    """All images of the stack are available."""

    type: ClassVar = "stack_prepared"
    images: dict[str, str]
    """Image digest of each service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellStarted:
    """An attempt at a cell started."""

    type: ClassVar = "cell_started"
    cell: str
    """Key of the cell."""
    attempt: Count
    """Number of the attempt, from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellPhase:
    """The current cell entered a phase."""

    type: ClassVar = "cell_phase"
    cell: str
    phase: Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One second of the current cell."""

    type: ClassVar = "sample"
    cell: str
    attempt: Count
    second: Count
    """Whole seconds since the start of the cell's ramp."""
    users: Count
    """Number of running users."""
    requests: tuple[Requests, ...]
    """Requests completed in this second."""
    stages: Stages
    containers: tuple[Container, ...]
    clients: tuple[ClientUse, ...]
    """Resource usage of each load generator in this second."""
    service: ServiceMetrics | None = None
    """Metrics of the service. None if it exposes none, or if reading them timed out."""
    machine: Machine | None = None
    """Resource usage of the machine. None if not read in this second."""
    errors: tuple[ErrorCount, ...] = ()
    """Errors of the requests that failed in this second."""
    measurements: tuple[Measurement, ...] = ()
    """Measurements reported in this second. If empty, it is not recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Containers:
    """A container appeared, disappeared or changed its state, at any time during the run."""

    type: ClassVar = "containers"
    containers: tuple[Container, ...]
    """All current containers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerUse:
    """Resource usage of one container over the measurement window."""

    name: str
    service: str
    cpu_cores: Number | None
    """Mean CPU usage in cores. None if unknown."""
    memory_bytes: Count | None
    """Maximum memory usage in bytes. None if unknown."""
    throttled: Number | None
    """Share of scheduling periods in which its CPU limit throttled it, 0 to 1.
    None if it has no CPU limit."""
    restarts: Count
    """Number of restarts in the window."""
    missing_s: Count
    """Number of seconds at the end of which it was not running."""
    received_bytes: Count | None = None
    """Bytes received over the network in the window. None if unknown, as in journals of earlier
    versions."""
    received_error_bytes: Count = 0
    """Maximum error of `received_bytes` from rounding. 0 if exact."""
    unloaded_cpu_cores: Number | None = None
    """CPU usage in cores before the first user started. None if unknown, as in journals of earlier
    versions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerUse:
    """Work of one worker in the measurement window, from its counters."""

    id: str
    seconds: Count
    """Seconds between the first and the last change of the counters, which increase in steps."""
    images: Count
    """Number of images classified."""
    infer_s: Number
    """Seconds spent in inference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceUse:
    """Metrics of the service over the measurement window. Metrics that are not exposed are None."""

    queue_length: Number | None
    """Mean number of jobs waiting for a worker."""
    fewest_workers: Count | None
    """Minimum number of ready workers."""
    most_workers: Count | None
    """Maximum number of ready workers."""
    workers: tuple[WorkerUse, ...] = ()
    images: dict[str, Count] = field(default_factory=dict)
    """Number of images that each worker classified between the first and the last reading of its
    counters, also if that is 0. Empty in journals of earlier versions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Conditions during the measurement window: the evidence for the verdict."""

    begin_s: Number
    """Start of the window, in seconds since the start of the ramp, as in `Sample.second`."""
    in_flight: Number
    """Mean number of users waiting for a response."""
    thinking: Number
    """Mean number of users in their wait time between requests."""
    gaps: Buckets
    """Histogram of the time between successive responses in ms, from the start to the end of the
    window."""
    lag: Buckets
    """Histogram of Locust's event-loop lag in ms, from a kernel timer with ten ticks a second, or
    50 while the delay of requests is unknown."""
    clock_jump_ms: Number
    """Largest jump of the wall clock relative to the monotonic clock, in ms."""
    containers: tuple[ContainerUse, ...] = ()
    service: ServiceUse | None = None
    """Metrics of the service. None if it exposes none."""
    machine: Machine | None = None
    """Mean resource usage of the machine. None if not recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserClass:
    """A user class of the locustfile."""

    name: str
    users: Count
    """Number of its users when all users of the cell had been started."""
    fixed: Count = 0
    """Its `fixed_count`: the number of users that it should always have. 0 if it has a weight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellFinished:
    """A cell was measured. Contains all data needed to report on it."""

    type: ClassVar = "cell_finished"
    cell: str
    attempt: Count
    verdict: Verdict
    measured_s: Annotated[Number, Field(gt=0.001)]
    """Length of the measurement window in seconds."""
    completed: Count
    """Number of successful responses within the window, regardless of when the request started."""
    requests: tuple[Requests, ...]
    """Requests that started within the window, including those that completed after it."""
    aborted: Count
    """Number of requests that started within the window and never completed, even after their
    timeout."""
    errors: tuple[ErrorCount, ...]
    """Errors of the failed requests."""
    stages: Stages
    settled: bool | None
    """Whether throughput and latency settled before the window. None if settling is
    disabled."""
    fewest_users: Count
    """Minimum number of users in any second of the window."""
    clients: tuple[ClientUse, ...]
    """Resource usage of each load generator over the window: mean CPU and maximum lag."""
    unsettled: str = ""
    """Description of what did not settle. Empty if all settled, or if settling is disabled."""
    exceptions: tuple[ErrorCount, ...] = ()
    """Exceptions raised in the locustfile, which do not count as failed requests."""
    circumstances: Conditions | None = None
    """Conditions during the window. None in journals written by earlier versions."""
    findings: tuple[Finding, ...] = ()
    """The rules that applied. Empty if the verdict is valid."""
    host: str = ""
    """Base URL to which requests were sent; with replicas, that of the first. If empty, as in
    journals of earlier versions, it is not recorded."""
    replicas: tuple[ReplicaRequests, ...] = ()
    """Requests by replica. If empty, because users were not distributed among replicas, it is not
    recorded."""
    user_classes: tuple[UserClass, ...] = ()
    """The user classes, without those of weight 0. Empty in journals of earlier versions."""
    early_failures: tuple[EarlyFailures, ...] = ()
    """Requests that failed before the window, by name. If empty, it is not recorded."""
    notes: tuple[EventNote, ...] = ()
    """Observations about request events. If empty, it is not recorded."""
    measurements: tuple[Measurement, ...] = ()
    """Measurements reported within the window, apart from the requests. If empty, it is not
    recorded."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """Texts of the findings, which are also written to the journal for earlier versions."""
        return tuple(finding.text for finding in self.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class CellFailed:
    """An attempt at a cell failed."""

    type: ClassVar = "cell_failed"
    cell: str
    attempt: Count
    reason: str
    container: str | None = None
    """Name of the container or process that failed. None if none did."""
    exit_code: Integer | None = None
    """Exit code, or the negative signal number if killed by a signal. None if it did not exit."""
    log_lines: tuple[str, ...] = ()
    """Last log lines of that container."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellSkipped:
    """A cell was skipped on request."""

    type: ClassVar = "cell_skipped"
    cell: str
    attempt: Count
    """Number of the latest attempt. 0 if never started."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandAnswered:
    """The answer to a command, exactly one per command id."""

    type: ClassVar = "command"
    id: str
    command: str
    accepted: bool
    message: str
    """Effect of the command, or the reason for its rejection."""
    cell: str | None = None
    """Key of the affected cell. None if no cell is affected."""
    added: tuple[RecordedCell, ...] = ()
    """Cells that the command added to the plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A message for the user, such as a warning."""

    type: ClassVar = "note"
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    """A run ended and was cleaned up."""

    type: ClassVar = "run_finished"
    result: Result
    reason: str
    left: str | None = None
    """Description of what the clean-up could not remove. None if everything was removed."""


CellEnd = CellFinished | CellFailed | CellSkipped
"""Events that end an attempt at a cell."""

Event = (
    RunStarted
    | RunLabelled
    | RunResumed
    | CellsPlanned
    | SearchEnded
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
