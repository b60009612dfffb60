"""Fold the entries of a journal into the state of its run. This is the only fold."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from loadbench.engine.block_map import BlockMap
from loadbench.engine.journal.codec import Entry
from loadbench.engine.journal.events import (
    CellFailed,
    CellFinished,
    CellPhase,
    CellSkipped,
    CellsPlanned,
    CellStarted,
    CommandAnswered,
    Container,
    Containers,
    Note,
    Phase,
    RunFinished,
    RunLabelled,
    RunResumed,
    RunStarted,
    Sample,
    SearchEnded,
    StackPrepared,
    StackProgress,
)
from loadbench.engine.journal.phases import PhaseStart, indices_of, phase_lengths
from loadbench.engine.journal.samples import Part, Samples, whole_seconds
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.plan import Cell, insert_by_load, insert_cells
from loadbench.engine.profile.recorded import read_recorded, unreadable_profile

MAX_MESSAGES = 50


class CellStatus(StrEnum):
    """Status of a cell in its run."""

    PENDING = "pending"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    SKIPPED = "skipped"


ENDED_STATUSES = (CellStatus.FINISHED, CellStatus.FAILED, CellStatus.SKIPPED)
"""Statuses of a cell whose latest attempt has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellState:
    """A cell and the result of its latest attempt."""

    cell: Cell
    status: CellStatus = CellStatus.PENDING
    attempt: int = 0
    """Number of the latest attempt. 0 if never started."""
    began_at: str = ""
    """Start of the latest attempt: UTC, ISO 8601. Empty if never started."""
    ended_at: str = ""
    """End of the latest attempt: UTC, ISO 8601. Empty if it has not ended or is not recorded."""
    phase_s: Mapping[Phase, float] = field(default_factory=lambda: MappingProxyType({}))
    """Length in seconds of each phase of the attempt that led to the result. Empty if no attempt
    has ended, or if the cell was skipped while pending."""
    finished: CellFinished | None = None
    finished_seq: int = 0
    """Number of the journal entry that contains `finished`. 0 if there is no such entry."""
    failed: CellFailed | None = None
    skipped: CellSkipped | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A message for the user."""

    at: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """State of a run: the basis of all views and of the runner's decisions."""

    started: RunStarted | None = None
    label: str = ""
    """Current label of the run. Empty if it has none."""
    profile: Profile | None = None
    """Profile of the run. None if it has not started, or is unreadable (see `profile_problem`)."""
    profile_problem: str = ""
    """Reason why this version cannot read the profile. Empty if it can."""
    profile_unknown: tuple[str, ...] = ()
    """Keys of the profile that this version does not know. Ignored, except when resuming."""
    started_at: str = ""
    """Start of the run: UTC, ISO 8601."""
    pid: int | None = None
    """Process id of the latest runner, which may have exited. None if not started."""
    finished: RunFinished | None = None
    """End of the run. None if live or interrupted, depending on the journal's lock."""
    cells: BlockMap[CellState] = field(default_factory=lambda: BlockMap.of({}))
    """Cells by key, in plan order."""
    current: str | None = None
    """Key of the cell in progress. None if there is none."""
    cell_since_s: float = 0.0
    """`elapsed_s` at the start of the current attempt."""
    phase: Phase | None = None
    phase_since_s: float = 0.0
    """`elapsed_s` at the start of the phase."""
    phases: tuple[PhaseStart, ...] = ()
    """Phases of the current attempt, in order."""
    elapsed_s: float = 0.0
    """Seconds from the start or resumption of the run to its newest entry."""
    waited_s: float = 0.0
    """`elapsed_s` at the end of waiting for another run."""
    samples: Samples = field(default_factory=Samples)
    """Samples of the current attempt."""
    containers: tuple[Container, ...] = ()
    """Containers as of the newest entry that lists them."""
    progress: StackProgress | None = None
    resumed_hardware: tuple[Mapping[str, Any], ...] = ()
    """Hardware at each resumption of the run."""
    images: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Image digest of each service when the stack was last prepared. Empty without images."""
    messages: tuple[Message, ...] = ()
    """Newest messages, oldest first."""
    answered: frozenset[str] = frozenset()
    """Ids of the answered commands."""
    planned: CellsPlanned | None = None
    """What a search for the capacity chose last. None if it has not chosen any cell."""
    search_ended: SearchEnded | None = None
    """The end of the search. None if there is none, or if it continues."""
    paused: bool = False
    stopping: bool = False
    """Whether a stop command was accepted and the clean-up is in progress."""
    damaged_lines: int = 0
    """Number of damaged lines of the journal, which were skipped. Set by `RunReader`."""

    def apply(self, entry: Entry) -> "RunState":  # noqa: C901  # one case per event type
        """Return the state after applying one more entry."""
        state = replace(self, elapsed_s=entry.elapsed_s)
        match entry.event:
            case RunStarted() if self.started:
                return self  # a copy of the first line must not discard the results
            case RunStarted() as event:
                return state._begin(event, entry.at)
            case RunLabelled(label=label):
                return replace(self, label=label)  # at any time, so `elapsed_s` has no meaning
            case RunResumed() as event:
                return state._resume(event, entry.at)
            case CellsPlanned() as event:
                return replace(state.with_cells(event.cells, by_load=True), planned=event)
            case SearchEnded() as event:
                return replace(state, search_ended=event)
            case StackProgress() as event:
                was_waiting = self.progress and self.progress.step == event.WAITING
                waited_s = entry.elapsed_s if was_waiting else self.waited_s
                return replace(state, progress=event, waited_s=waited_s)
            case StackPrepared(images=images):
                return replace(state, images=MappingProxyType(images))
            case CellStarted(cell=key, attempt=attempt):
                state = state._with(
                    key, status=CellStatus.RUNNING, attempt=attempt, began_at=entry.at, ended_at=""
                )
                return replace(
                    state,
                    current=key if key in self.cells else None,
                    search_ended=None,
                    cell_since_s=entry.elapsed_s,
                    phase=None,
                    phases=(),
                    samples=Samples(whole_s=whole_seconds(self.profile)),
                    progress=None,
                )
            case CellPhase(phase=phase):
                second = self.samples[-1].second + 1 if self.samples else 0
                start = PhaseStart(phase, second, entry.elapsed_s)
                return replace(
                    state,
                    phase=phase,
                    phase_since_s=entry.elapsed_s,
                    phases=(*self.phases, start),
                )
            case Sample() as event:
                samples = self.samples.plus(event, [start.second for start in self.phases])
                return replace(state, samples=samples, containers=event.containers)
            case Containers(containers=containers):
                return replace(state, containers=containers)
            case CellFinished() as event:
                return state._end_attempt(
                    event.cell,
                    CellStatus.FINISHED,
                    entry.at,
                    finished=event,
                    finished_seq=entry.seq,
                )
            case CellFailed() as event:
                return state._end_attempt(event.cell, CellStatus.FAILED, entry.at, failed=event)
            case CellSkipped() as event:
                return state._end_attempt(event.cell, CellStatus.SKIPPED, entry.at, skipped=event)
            case CommandAnswered() as event:
                return state._answer(event, entry.at)
            case Note(text=text):
                return state._add_message(entry.at, text)
            case RunFinished() as event:
                return replace(
                    state, finished=event, current=None, phase=None, paused=False, stopping=False
                )

    def indices_in(self, phase: Phase) -> range:
        """Return the indices of the samples of a phase; empty if it has not started."""
        first = self.samples.first
        seconds = range(first.second, first.second + len(self.samples)) if first else range(0)
        return indices_of(phase, self.phases, seconds)

    def samples_in(self, phase: Phase) -> Sequence[Part]:
        """Return the samples of a phase of the current attempt, with older ones in buckets."""
        indices = self.indices_in(phase)
        return tuple(self.samples.parts(indices.start, indices.stop))

    @property
    def outstanding(self) -> tuple[CellState, ...]:
        """The remaining planned cells, including the current one, in plan order."""
        return tuple(cell for cell in self.cells.values() if cell.status not in ENDED_STATUSES)

    @property
    def current_cell(self) -> CellState | None:
        """The cell in progress, or None if there is none."""
        return self.cells.get(self.current) if self.current else None

    def count(self, *statuses: CellStatus) -> int:
        """Return the number of cells with one of the given statuses."""
        return sum(cell.status in statuses for cell in self.cells.values())

    def with_cells(self, added: Collection[Cell], *, by_load: bool = False) -> "RunState":
        """Return the state with added cells, by load or where they need the least rescaling."""
        cells = [cell for cell in added if cell.key not in self.cells]
        before = [one.cell for one in self.cells.values()]
        remaining = () if by_load else {one.cell for one in self.outstanding}
        order = insert_by_load(before, cells) if by_load else insert_cells(before, cells, remaining)
        known = {**self.cells, **{cell.key: CellState(cell=cell) for cell in cells}}
        return replace(self, cells=BlockMap.of({cell.key: known[cell.key] for cell in order}))

    def _begin(self, event: RunStarted, at: str) -> "RunState":
        recorded = read_recorded(event.profile)
        keys = (*recorded.invalid, *recorded.unknown)
        problem = "" if recorded.profile else unreadable_profile(event.run, keys)
        return replace(
            self,
            started=event,
            label=event.label,
            profile=recorded.profile,
            profile_problem=problem,
            profile_unknown=recorded.unknown,
            started_at=at,
            pid=event.pid,
            cells=BlockMap.of({cell.key: CellState(cell=cell) for cell in event.cells}),
        )

    def _resume(self, event: RunResumed, at: str) -> "RunState":
        state = replace(
            self,
            pid=event.pid,
            resumed_hardware=(*self.resumed_hardware, event.hardware),
            finished=None,
            current=None,
            phase=None,
            phases=(),
            samples=Samples(),
            progress=None,
            waited_s=0.0,
            paused=False,
            stopping=False,
            search_ended=ended if (ended := self.search_ended) and ended.is_final else None,
        )
        retry = set(event.retry)
        for key, cell in self.cells.items():
            if cell.status is CellStatus.RUNNING or key in retry:
                ended_at = cell.ended_at or at if cell.attempt else ""
                state = state._with(key, status=CellStatus.PENDING, ended_at=ended_at)
        return state.with_cells(event.added) if event.added else state

    def _answer(self, event: CommandAnswered, at: str) -> "RunState":
        state = replace(self, answered=self.answered | {event.id})
        state = state._add_message(at, event.message)
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

    def _end_attempt(
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
        was_waiting = before is not None and before.status is not CellStatus.RUNNING
        state = self._with(
            key,
            status=status,
            ended_at=before.ended_at if before and was_waiting else at,
            phase_s=phase_lengths(self.phases if key == self.current else (), self.elapsed_s),
            finished=finished,
            finished_seq=finished_seq,
            failed=failed,
            skipped=skipped,
        )
        if key != self.current:
            return state
        return replace(state, current=None, phase=None, phases=(), samples=Samples())

    def _add_message(self, at: str, text: str) -> "RunState":
        return replace(self, messages=(*self.messages, Message(at, text))[-MAX_MESSAGES:])

    def _with(self, key: str, **changes: object) -> "RunState":
        if key not in self.cells:
            return self
        cell = replace(self.cells[key], **changes)  # type: ignore[arg-type]  # fields of CellState
        return replace(self, cells=self.cells.replaced(key, cell))


EMPTY = RunState()


def fold(entries: Iterable[Entry], state: RunState = EMPTY) -> RunState:
    """Apply all entries to a state and return the result. Skip entries that cannot be applied."""
    for entry in entries:
        with suppress(Exception):
            state = state.apply(entry)
    return state
