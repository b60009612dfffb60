"""The highlights of a run: what its user should know after an absence. A fold of entries. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from loadbench.engine.journal.codec import Entry
from loadbench.engine.journal.events import (
    CellFailed,
    CellFinished,
    CellSkipped,
    CommandAnswered,
    Container,
    Containers,
    Note,
    Phase,
    Result,
    RunFinished,
    RunResumed,
    Verdict,
)
from loadbench.engine.journal.state import EMPTY, CellStatus, RunState
from loadbench.engine.measure.buckets import count, enough, failures, percentile, successes
from loadbench.engine.report.container_status import has_ended

_EVENT_OF_ITS_OWN = "skip"
"""The command whose effect is an event, so that its answer would be a duplicate."""


class HighlightKind(StrEnum):
    """What happened."""

    CELL_FINISHED = "cell_finished"
    CELL_FAILED = "cell_failed"
    CELL_SKIPPED = "cell_skipped"
    CONTAINER_ENDED = "container_ended"
    CONTAINER_RESTARTED = "container_restarted"
    COMMAND_ACCEPTED = "command_accepted"
    NOTE = "note"
    RUN_RESUMED = "run_resumed"
    RUN_FINISHED = "run_finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class CellNumbers:
    """The main numbers of a finished cell."""

    rps: float
    """Successes per second."""
    p90_ms: float | None
    """None: no request succeeded."""
    has_enough_p90_samples: bool
    """At least ten samples lie beyond it."""
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunProgress:
    """How many cells a run still has to measure, of how many."""

    outstanding: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Highlight:
    """One thing that happened. Fields that its kind does not name are None or empty."""

    at: str
    """UTC, ISO 8601."""
    kind: HighlightKind
    needs_attention: bool = False
    """It is not what the user intended."""
    cell: str | None = None
    """The key of the cell that it concerns."""
    container: Container | None = None
    """The container that ended or was restarted."""
    verdict: Verdict | None = None
    """Of a finished cell."""
    numbers: CellNumbers | None = None
    """Of a finished cell."""
    result: Result | None = None
    """Of a finished run."""
    progress: RunProgress | None = None
    """Of a resumed run."""
    reasons: tuple[str, ...] = ()
    """Of a verdict, or the one why a cell failed or was skipped, or why the run finished."""
    text: str = ""
    """The answer to a command, the text of a note, or what a finished run has left behind."""

    @property
    def outcome(self) -> Verdict | CellStatus | None:
        """How the cell ended: its verdict, failed or skipped. None: this is not its end."""
        match self.kind:
            case HighlightKind.CELL_FAILED:
                return CellStatus.FAILED
            case HighlightKind.CELL_SKIPPED:
                return CellStatus.SKIPPED
            case _:
                return self.verdict


def highlights_since(entries: Iterable[Entry], seq: int) -> tuple[Highlight, ...]:
    """Return the highlights of a run after one of its entries, in order.

    Args:
        entries: All entries of the run. Samples may be left out.
        seq: The number of the last entry that is known already.
    """
    state, found = EMPTY, list[Highlight]()
    for entry in entries:
        before, state = state, state.apply(entry)
        if entry.seq <= seq:
            continue
        if isinstance(entry.event, CellFailed):
            # The reason of the failure names the container, so its end is no news.
            failed = (entry.event.cell, entry.event.container)
            found = [
                it for it in found if not it.container or (it.cell, it.container.name) != failed
            ]
        found += _highlights(entry, before, state)
    return tuple(found)


def cell_outcomes(highlights: Sequence[Highlight]) -> Mapping[str, Verdict | CellStatus]:
    """Return the last outcome of each cell that ended, by its key."""
    return {it.cell: it.outcome for it in highlights if it.cell and it.outcome}


def _highlights(entry: Entry, before: RunState, state: RunState) -> list[Highlight]:
    event, at = entry.event, entry.at
    match event:
        case CellFinished():
            return [_finished(event, at)]
        case CellFailed(cell=cell, reason=reason):
            kind = HighlightKind.CELL_FAILED
            return [Highlight(at=at, kind=kind, needs_attention=True, cell=cell, reasons=(reason,))]
        case CellSkipped(cell=cell, reason=reason):
            kind = HighlightKind.CELL_SKIPPED
            return [Highlight(at=at, kind=kind, cell=cell, reasons=(reason,))]
        case Containers(containers=containers):
            return _of_containers(before, containers, at)
        case CommandAnswered(accepted=True, message=message, cell=cell):
            if event.command == _EVENT_OF_ITS_OWN:
                return []
            kind = HighlightKind.COMMAND_ACCEPTED
            return [Highlight(at=at, kind=kind, cell=cell, text=message)]
        case Note(text=text):
            return [Highlight(at=at, kind=HighlightKind.NOTE, needs_attention=True, text=text)]
        case RunResumed():
            progress = RunProgress(outstanding=len(state.outstanding), total=len(state.cells))
            return [Highlight(at=at, kind=HighlightKind.RUN_RESUMED, progress=progress)]
        case RunFinished(result=result, reason=reason, left=left):
            return [
                Highlight(
                    at=at,
                    kind=HighlightKind.RUN_FINISHED,
                    needs_attention=result is not Result.DONE or bool(left),
                    result=result,
                    reasons=(reason,),
                    text=left or "",
                )
            ]
    return []


def _finished(event: CellFinished, at: str) -> Highlight:
    good = successes(event.requests)
    numbers = CellNumbers(
        rps=event.completed / event.measured_s,
        p90_ms=percentile(good, 0.9),
        has_enough_p90_samples=enough(count(good), 0.9),
        failures=count(failures(event.requests)),
    )
    return Highlight(
        at=at,
        kind=HighlightKind.CELL_FINISHED,
        needs_attention=event.verdict is not Verdict.VALID,
        cell=event.cell,
        verdict=event.verdict,
        numbers=numbers,
        reasons=event.reasons,
    )


def _of_containers(before: RunState, containers: Sequence[Container], at: str) -> list[Highlight]:
    """Return which containers ended or were restarted, unless the service is being scaled."""
    if before.phase in (None, Phase.SCALING):
        return []
    former = {it.name: it for it in before.containers}
    found = []
    for container in containers:
        was = former.get(container.name)
        if was is None:
            continue
        if has_ended(container) and not has_ended(was):
            kind = HighlightKind.CONTAINER_ENDED
        elif container.restarts > was.restarts:
            kind = HighlightKind.CONTAINER_RESTARTED
        else:
            continue
        found.append(
            Highlight(
                at=at, kind=kind, needs_attention=True, cell=before.current, container=container
            )
        )
    return found
