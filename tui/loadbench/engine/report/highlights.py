"""Highlights of a run: the main events since the user last viewed it."""

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
from loadbench.engine.measure.buckets import (
    count,
    has_enough_samples,
    num_failures,
    percentile,
    successes,
)
from loadbench.engine.measure.main_request import main_of, results_of_name
from loadbench.engine.report.container_status import has_ended
from loadbench.engine.report.metrics import Metric, default_metric, goals_of
from loadbench.engine.report.rows import PERCENTILES

_SKIP_COMMAND = "skip"
"""The skipped cell is a highlight, so the answer to this command would be a duplicate."""


class HighlightKind(StrEnum):
    """Type of event that a highlight reports."""

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
    """Main results of a finished cell."""

    rps: float
    """Successful requests per second."""
    percentile: Metric
    """The percentile of `latency_ms`: one with a goal, otherwise p90."""
    latency_ms: float | None
    """None if no successful request has a latency."""
    has_enough_samples: bool
    """Whether at least ten samples lie beyond `latency_ms`."""
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunProgress:
    """Number of remaining cells of a run, out of all its cells."""

    outstanding: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Highlight:
    """One of the main events of a run. Fields that do not apply to its kind are None or empty."""

    at: str
    """UTC, ISO 8601."""
    kind: HighlightKind
    needs_attention: bool = False
    """Whether the event was not intended by the user."""
    cell: str | None = None
    """Key of the affected cell."""
    container: Container | None = None
    """The container that exited or restarted."""
    verdict: Verdict | None = None
    """Verdict on a finished cell."""
    numbers: CellNumbers | None = None
    """Main results of a finished cell."""
    result: Result | None = None
    """Result of a finished run."""
    progress: RunProgress | None = None
    """Progress of a resumed run."""
    reasons: tuple[str, ...] = ()
    """Findings of a verdict, or why a cell failed or was skipped, or why the run ended."""
    text: str = ""
    """Answer to a command, text of a note, or description of what the clean-up could not remove."""

    @property
    def outcome(self) -> Verdict | CellStatus | None:
        """The outcome of the cell: its verdict, failed or skipped. None for other kinds."""
        match self.kind:
            case HighlightKind.CELL_FAILED:
                return CellStatus.FAILED
            case HighlightKind.CELL_SKIPPED:
                return CellStatus.SKIPPED
            case _:
                return self.verdict


def highlights_since(entries: Iterable[Entry], seq: int) -> tuple[Highlight, ...]:
    """Return the highlights of a run after a given entry, in order.

    Args:
        entries: All entries of the run. Samples may be omitted.
        seq: Number of the last entry that the user has seen.
    """
    state, found = EMPTY, list[Highlight]()
    for entry in entries:
        before, state = state, state.apply(entry)
        if entry.seq <= seq:
            continue
        if isinstance(entry.event, CellFailed):
            # The reason for the failure already names the container.
            failed = (entry.event.cell, entry.event.container)
            found = [
                highlight
                for highlight in found
                if not highlight.container or (highlight.cell, highlight.container.name) != failed
            ]
        found += _highlights(entry, before, state)
    return tuple(found)


def cell_outcomes(highlights: Sequence[Highlight]) -> Mapping[str, Verdict | CellStatus]:
    """Return the latest outcome of each cell that has ended, by key."""
    return {
        highlight.cell: highlight.outcome
        for highlight in highlights
        if highlight.cell and highlight.outcome
    }


def _highlights(entry: Entry, before: RunState, state: RunState) -> list[Highlight]:
    event, at = entry.event, entry.at
    match event:
        case CellFinished():
            return [_finished(event, at, default_metric(goals_of(state)), main_of(state.profile))]
        case CellFailed(cell=cell, reason=reason):
            kind = HighlightKind.CELL_FAILED
            return [Highlight(at=at, kind=kind, needs_attention=True, cell=cell, reasons=(reason,))]
        case CellSkipped(cell=cell, reason=reason):
            kind = HighlightKind.CELL_SKIPPED
            return [Highlight(at=at, kind=kind, cell=cell, reasons=(reason,))]
        case Containers(containers=containers):
            return _of_containers(before, containers, at)
        case CommandAnswered(accepted=True, message=message, cell=cell):
            if event.command == _SKIP_COMMAND:
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


def _finished(event: CellFinished, at: str, metric: Metric, main: str | None) -> Highlight:
    event = results_of_name(event, main)
    good, fraction = successes(event.requests), PERCENTILES[metric.column]
    numbers = CellNumbers(
        rps=event.completed / event.measured_s,
        percentile=metric,
        latency_ms=percentile(good, fraction),
        has_enough_samples=has_enough_samples(count(good), fraction),
        failures=num_failures(event.requests),
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
    """Return highlights for containers that exited or restarted, except during scaling."""
    if before.phase in (None, Phase.SCALING):
        return []
    known = {container.name: container for container in before.containers}
    found = []
    for container in containers:
        former = known.get(container.name)
        if former is None:
            continue
        if has_ended(container) and not has_ended(former):
            kind = HighlightKind.CONTAINER_ENDED
        elif container.restarts > former.restarts:
            kind = HighlightKind.CONTAINER_RESTARTED
        else:
            continue
        found.append(
            Highlight(
                at=at, kind=kind, needs_attention=True, cell=before.current, container=container
            )
        )
    return found
