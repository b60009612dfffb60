"""The only fold: from the entries of a journal to the state of its run. Pure."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

from loadbench.engine.journal.codec import Entry
from loadbench.engine.journal.events import (
    CellFailed,
    CellFinished,
    CellPhase,
    CellSkipped,
    CellStarted,
    CommandAnswered,
    Container,
    Containers,
    Note,
    Phase,
    RunFinished,
    RunResumed,
    RunStarted,
    Sample,
    StackPrepared,
    StackProgress,
)
from loadbench.engine.journal.samples import WHOLE_S, Part, Samples
from loadbench.engine.profile.model import SETTLE_WINDOWS, Profile
from loadbench.engine.profile.plan import Cell, with_added
from loadbench.engine.profile.recorded import read_recorded

MESSAGES_KEPT = 50


class CellStatus(StrEnum):
    """Where a cell stands."""

    PENDING = "pending"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    SKIPPED = "skipped"


OVER = (CellStatus.FINISHED, CellStatus.FAILED, CellStatus.SKIPPED)


@dataclass(frozen=True, slots=True, kw_only=True)
class CellState:
    """A cell and what its latest attempt came to."""

    cell: Cell
    status: CellStatus = CellStatus.PENDING
    attempt: int = 0
    """0: never begun."""
    began_at: str = ""
    """When that attempt began: UTC, ISO 8601. Empty: never."""
    ended_at: str = ""
    """When it ended, in whatever way. Empty: it did not, or nobody was there to say so."""
    finished: CellFinished | None = None
    finished_seq: int = 0
    """Number of the journal's entry that holds `finished`; 0: there is none."""
    failed: CellFailed | None = None
    skipped: CellSkipped | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """Something that was said to people."""

    at: str
    text: str


@dataclass(frozen=True, slots=True)
class PhaseStart:
    """When a phase of the current attempt began."""

    phase: Phase
    second: int
    """As samples count them: the first that may belong to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """Everything a viewer shows and a runner decides by."""

    started: RunStarted | None = None
    profile: Profile | None = None
    """What the run was started with. None: nothing was started, or see `profile_problem`."""
    profile_problem: str = ""
    """Why this version cannot read that profile, in a sentence."""
    profile_unknown: tuple[str, ...] = ()
    """Keys of that profile that this version does not have: ignored, except to resume."""
    started_at: str = ""
    pid: int | None = None
    """Of the runner, live or not. None: nothing was started."""
    finished: RunFinished | None = None
    """None: the run is live or was interrupted, which only its journal's lock can tell."""
    cells: Mapping[str, CellState] = field(default_factory=lambda: MappingProxyType({}))
    """By key, in the order of the plan."""
    current: str | None = None
    cell_since_s: float = 0.0
    """`elapsed_s` when the current attempt began."""
    phase: Phase | None = None
    phase_since_s: float = 0.0
    """`elapsed_s` when the phase began."""
    phases: tuple[PhaseStart, ...] = ()
    """Of the current attempt, in order."""
    elapsed_s: float = 0.0
    samples: Samples = field(default_factory=Samples)
    """Of the current cell's current attempt."""
    containers: tuple[Container, ...] = ()
    """As they were when they were last looked at."""
    progress: StackProgress | None = None
    images: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Digests by service, as the stack was last prepared; empty where there are none."""
    messages: tuple[Message, ...] = ()
    answered: frozenset[str] = frozenset()
    """Ids of the commands that were answered."""
    paused: bool = False
    stopping: bool = False
    """A stop was accepted, and everything is being taken down."""

    def apply(self, entry: Entry) -> "RunState":  # noqa: C901  # one case for each type of event
        """Return the state after one more entry."""
        state = replace(self, elapsed_s=entry.elapsed_s)
        match entry.event:
            case RunStarted() as event:
                return state._begin(event, entry.at)
            case RunResumed() as event:
                return state._resume(event, entry.at)
            case StackProgress() as event:
                return replace(state, progress=event)
            case StackPrepared(images=images):
                return replace(state, images=MappingProxyType(images))
            case CellStarted(cell=key, attempt=attempt):
                state = state._with(
                    key, status=CellStatus.RUNNING, attempt=attempt, began_at=entry.at, ended_at=""
                )
                return replace(
                    state,
                    current=key if key in self.cells else None,
                    cell_since_s=entry.elapsed_s,
                    phase=None,
                    phases=(),
                    samples=Samples(whole_s=_whole_s(self.profile)),
                    progress=None,
                )
            case CellPhase(phase=phase):
                begun = PhaseStart(phase, self.samples[-1].second + 1 if self.samples else 0)
                return replace(
                    state,
                    phase=phase,
                    phase_since_s=entry.elapsed_s,
                    phases=(*self.phases, begun),
                )
            case Sample() as event:
                samples = self.samples.plus(event, [it.second for it in self.phases])
                return replace(state, samples=samples, containers=event.containers)
            case Containers(containers=containers):
                return replace(state, containers=containers)
            case CellFinished() as event:
                return state._over(
                    event.cell,
                    CellStatus.FINISHED,
                    entry.at,
                    finished=event,
                    finished_seq=entry.seq,
                )
            case CellFailed() as event:
                return state._over(event.cell, CellStatus.FAILED, entry.at, failed=event)
            case CellSkipped() as event:
                return state._over(event.cell, CellStatus.SKIPPED, entry.at, skipped=event)
            case CommandAnswered() as event:
                return state._answer(event, entry.at)
            case Note(text=text):
                return state._say(entry.at, text)
            case RunFinished() as event:
                return replace(
                    state, finished=event, current=None, phase=None, paused=False, stopping=False
                )

    def indices_in(self, phase: Phase) -> range:
        """Return which of the samples are of a phase; none if it has not begun."""
        starts = [it.phase for it in self.phases]
        first, length = self.samples.first, len(self.samples)
        if phase not in starts or first is None:
            return range(0)
        seconds = [it.second - first.second for it in self.phases[starts.index(phase) :]]
        begin, end, *_ = (min(max(0, it), length) for it in (*seconds, length))
        return range(begin, end)

    def samples_in(self, phase: Phase) -> Sequence[Part]:
        """Return the samples of a phase of the current attempt, older ones as buckets."""
        found = self.indices_in(phase)
        return tuple(self.samples.parts(found.start, found.stop))

    @property
    def outstanding(self) -> tuple[CellState, ...]:
        """The cells whose latest attempt is not over, in the order of the plan."""
        return tuple(cell for cell in self.cells.values() if cell.status not in OVER)

    @property
    def current_cell(self) -> CellState | None:
        """The cell that is being attempted."""
        return self.cells.get(self.current) if self.current else None

    def count(self, *statuses: CellStatus) -> int:
        """Return how many cells have one of these statuses."""
        return sum(cell.status in statuses for cell in self.cells.values())

    def with_cells(self, added: Collection[Cell]) -> "RunState":
        """Return the state with more cells to measure; those that it has stay as they are."""
        new = {cell.key: CellState(cell=cell) for cell in added if cell.key not in self.cells}
        order = with_added(
            [it.cell for it in self.cells.values()],
            [it.cell for it in new.values()],
            {it.cell for it in self.outstanding},
        )
        known = {**self.cells, **new}
        cells = {cell.key: known[cell.key] for cell in order}
        return replace(self, cells=MappingProxyType(cells))

    def _begin(self, event: RunStarted, at: str) -> "RunState":
        cells = {cell.key: CellState(cell=cell) for cell in event.cells}
        recorded = read_recorded(event.profile)
        keys = (*recorded.invalid, *recorded.unknown)
        problem = "" if recorded.profile else unreadable_profile(event.run, keys)
        return replace(
            self,
            started=event,
            profile=recorded.profile,
            profile_problem=problem,
            profile_unknown=recorded.unknown,
            started_at=at,
            pid=event.pid,
            cells=MappingProxyType(cells),
        )

    def _resume(self, event: RunResumed, at: str) -> "RunState":
        state = replace(
            self,
            pid=event.pid,
            finished=None,
            current=None,
            phase=None,
            phases=(),
            samples=Samples(),
            paused=False,
            stopping=False,
        )
        for key, cell in self.cells.items():
            if cell.status is CellStatus.RUNNING or key in event.retry:
                ended_at = cell.ended_at or at if cell.attempt else ""
                state = state._with(key, status=CellStatus.PENDING, ended_at=ended_at)
        return state

    def _answer(self, event: CommandAnswered, at: str) -> "RunState":
        state = replace(self, answered=self.answered | {event.id})._say(at, event.message)
        if not event.accepted:
            return state
        match event.command:
            case "pause":
                return replace(state, paused=True)
            case "resume":
                return replace(state, paused=False)
            case "stop":
                return replace(state, stopping=True)
            case "again" if event.cell:
                return state._with(event.cell, status=CellStatus.PENDING)
            case "add":
                return state.with_cells(event.added)
        return state

    def _over(
        self,
        key: str,
        status: CellStatus,
        at: str,
        *,
        finished: CellFinished | None = None,
        finished_seq: int = 0,
        failed: CellFailed | None = None,
        skipped: CellSkipped | None = None,
    ) -> "RunState":
        before = self.cells.get(key)
        waited = before is not None and before.status is not CellStatus.RUNNING
        state = self._with(
            key,
            status=status,
            ended_at=before.ended_at if before and waited else at,
            finished=finished,
            finished_seq=finished_seq,
            failed=failed,
            skipped=skipped,
        )
        if key != self.current:
            return state
        return replace(state, current=None, phase=None, phases=(), samples=Samples())

    def _say(self, at: str, text: str) -> "RunState":
        return replace(self, messages=(*self.messages, Message(at, text))[-MESSAGES_KEPT:])

    def _with(self, key: str, **changes: object) -> "RunState":
        if key not in self.cells:
            return self
        cells = {**self.cells, key: replace(self.cells[key], **changes)}  # type: ignore[arg-type]  # names are CellState's own
        return replace(self, cells=MappingProxyType(cells))


def unreadable_profile(run: str, keys: Iterable[str]) -> str:
    """Return that this version cannot read the profile of a run, because of some of its keys."""
    return (
        f"the run {run} has a profile that this version cannot read ({', '.join(keys)}); "
        "use the loadbench-tui that wrote it, or a newer one"
    )


def _whole_s(profile: Profile | None) -> int:
    """Return how many seconds are kept whole: the runner decides by them what has settled."""
    needed_s = SETTLE_WINDOWS * math.ceil(profile.settle.window) if profile else 0
    return max(WHOLE_S, needed_s)


EMPTY = RunState()


def fold(entries: Iterable[Entry], state: RunState = EMPTY) -> RunState:
    """Return the state after all entries."""
    for entry in entries:
        state = state.apply(entry)
    return state
