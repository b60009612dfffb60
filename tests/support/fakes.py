"""Fake implementations of the stack and load protocols, without processes and waiting."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from loadbench.engine.drivers.protocol import ProgressCallback, Replica
from loadbench.engine.journal.events import ClientUse, Container, ReplicaRequests, Stages
from loadbench.engine.load.protocol import LoadSecond, LoadState, Measured
from loadbench.engine.measure.sampling.backed import NameSamples
from loadbench.engine.profile.plan import Cell
from loadbench.errors import EngineError, StackError
from tests.support.builders import circumstances, requests

Calls = list[str]
"""Recorded calls, in order."""

Trap = Callable[[], object]
"""A callback that runs during a recorded call. It may raise, or act as another process."""


@dataclass
class Recorder:
    """Record every call. If a trap is set for a call, run it once."""

    calls: Calls
    traps: dict[str, Trap] = field(default_factory=dict)
    """Traps, by the call that triggers them."""

    def note(self, call: str) -> None:
        self.calls.append(call)
        if trap := self.traps.pop(call, None):
            trap()


@dataclass
class FakeStack(Recorder):
    """A stack that is ready as soon as it is scaled."""

    models: int = 0
    unstartable: dict[int, str] = field(default_factory=dict)
    """Why starts with a number of models fail. `#` becomes the number of the call."""
    broken: StackError | EngineError | None = None
    host: str = "http://127.0.0.1:1"
    images: Mapping[str, str] = field(default_factory=dict)
    show: Callable[[], tuple[Container, ...]] | None = None
    """Returns the containers, instead of the default ones."""
    left: str | None = None
    """Return value of `close`, which names the parts that could not be stopped."""

    replicas: tuple[Replica, ...] = ()

    def prepare(self, on_progress: ProgressCallback) -> Mapping[str, str]:
        on_progress("build", "done")
        self.note("prepare")
        return self.images

    def shrink(self, models: int, on_progress: ProgressCallback) -> None:
        if models < self.models:
            on_progress("stop", f"{self.models - models} surplus models")
            self.note(f"shrink {models}")

    def scale(self, models: int, on_progress: ProgressCallback) -> None:
        self.broken = None
        self.models = models
        on_progress("start", f"{models} models")
        self.note(f"scale {models}")
        if text := self.unstartable.get(models):
            number = str(len(self.calls))
            raise StackError(text.replace("#", number), container="model-1", exit_code=3)

    def missing(self, models: int) -> str | None:
        return None if models == self.models else f"{self.models} of {models}"

    def fault(self) -> StackError | EngineError | None:
        return self.broken

    def containers(self) -> tuple[Container, ...]:
        if self.show:
            return self.show()
        names = [f"model-{number}" for number in range(1, self.models + 1)]
        return tuple(Container(name=name, service="model", state="running") for name in names)

    def local_cpu_cores(self) -> float | None:
        return None

    def close(self) -> str | None:
        self.note("close stack")
        return self.left


@dataclass
class FakeLoad(Recorder):
    """A load whose clock advances by one second with every poll."""

    window: int = 3
    """Number of polls in a measurement window."""
    tag: str = ""
    second: int = 0
    rate: float = 40.0
    """Requests per second that `samples` counts."""
    left: int | None = None
    begin_s: float = 0.0
    hosts: tuple[str, ...] = ()
    """The replicas of the last cell."""
    replicas: tuple[ReplicaRequests, ...] = ()
    """The requests by replica in each window."""
    pending: list[list[str]] = field(default_factory=list)
    """The notes that each call of `notes` returns."""

    def start(self) -> None:
        self.note("start load")

    def awaited(self) -> str:
        return "Locust to start, at most 30 s"

    def notes(self) -> list[str]:
        return self.pending.pop(0) if self.pending else []

    def swarm(self, cell: Cell, host: str, tag: str, replicas: Sequence[str] = ()) -> None:
        self.tag, self.second, self.left, self.hosts = tag, 0, None, tuple(replicas)
        self.note(f"swarm {cell.key}")

    def state(self, since: int) -> LoadState:
        self.second += 1
        if self.left:
            self.left -= 1
            self.note("look")
        return LoadState(
            cell=self.tag,
            spawned=self.second > 1,
            remaining_s=self.left,
            seconds=tuple(make_second(number) for number in range(since, self.second)),
        )

    def measure(self, seconds: float) -> float:
        self.left, self.begin_s = self.window, float(self.second)
        self.note("measure")
        return self.begin_s

    def samples(self) -> tuple[NameSamples, ...]:
        number = round(self.rate * (self.second - self.begin_s))
        return (NameSamples(kind="POST", name="/predict", samples=number),)

    def end_window(self) -> float:
        self.left = 0
        self.note("end window")
        return self.second - self.begin_s

    def stop(self) -> None:
        self.note("stop users")

    def measured(self) -> Measured:
        self.note("measured")
        return Measured(
            measured_s=1.0,
            circumstances=circumstances(begin_s=self.begin_s),
            completed=40,
            aborted=0,
            fewest_users=2,
            clients=(ClientUse(cpu_cores=0.1),),
            errors=(),
            requests=requests(((10.0, 400),)),
            stages=Stages(),
            replicas=self.replicas,
        )

    def report(self) -> bytes:
        self.note("report")
        return b"<html>"

    def close(self) -> None:
        self.note("close load")


def make_second(number: int) -> LoadSecond:
    """Return one second of load with 40 successful requests."""
    return LoadSecond(
        second=number,
        users=2,
        requests=requests(),
        stages=Stages(),
        clients=(ClientUse(cpu_cores=0.1),),
    )
