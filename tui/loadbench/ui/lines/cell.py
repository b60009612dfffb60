"""One cell of a run, live or over: what the panels beside the matrix show of it. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from loadbench.engine.journal.events import (
    CellFinished,
    ErrorCount,
    Stages,
)
from loadbench.engine.journal.state import CellState, CellStatus, RunState
from loadbench.engine.measure.bottleneck import Bottleneck
from loadbench.engine.report.running_totals import RunningTotals
from loadbench.engine.report.slices import Slice
from loadbench.engine.report.statistics import CellStatistics, cell_statistics, live_statistics
from loadbench.ui.lines.glyphs import Glyphs
from loadbench.ui.lines.stages import stage_lines, stage_rows
from loadbench.ui.lines.text import Line, Tone, line, wrap


@dataclass(frozen=True, slots=True)
class CellView:
    """The cell that is shown."""

    cell: CellState
    attempt: RunState | None
    """The run as it was at the end of the cell's latest attempt, or is now. None: not read yet, or
    there was no attempt."""
    totals: RunningTotals | None = None
    """The totals of that attempt; None: it has no sample yet, or not all have been read yet."""
    slices: Sequence[Slice] = ()
    """What charts over time show of that attempt."""
    is_live: bool = False
    """It is being measured now. One that was left in the middle is `RUNNING` for good."""
    bottleneck: Bottleneck | None = None
    """What bounds it, once it was measured; None: nothing shows that."""

    @property
    def key(self) -> str:
        """The key of the cell."""
        return self.cell.cell.key

    @property
    def finished(self) -> CellFinished | None:
        """What was measured, if that is what counts of the cell now."""
        return self.cell.finished if self.cell.status is CellStatus.FINISHED else None

    @property
    def is_loading(self) -> bool:
        """Whether its numbers, or the older ones of them, are still being read from the journal."""
        is_partial = self.totals is None and bool(self.slices)
        is_unread = self.attempt is None and bool(self.cell.attempt)
        return self.finished is None and (is_partial or is_unread)

    @property
    def errors(self) -> Sequence[ErrorCount]:
        """The errors of failed requests."""
        if self.finished:
            return self.finished.errors
        return self.totals.errors if self.totals else ()

    @property
    def why_empty(self) -> str:
        """Return why there is nothing to draw."""
        match self.cell.status:
            case CellStatus.PENDING if not self.cell.attempt:
                return "not measured yet"
            case CellStatus.SKIPPED if not self.cell.attempt:
                return "skipped before it began"
        if self.attempt is None or self.is_loading:
            return "loading…"
        return (
            "waiting for the first answers"
            if self.cell.status is CellStatus.RUNNING
            else ("it ended before its first second")
        )


def stage_bar(shown: CellView, glyphs: Glyphs, columns: int) -> list[Line]:
    """Return where the time of the cell's requests goes: a bar, and a line that names its parts."""
    return _stages(shown, lambda it: stage_lines(it, glyphs, columns))


def stage_table(shown: CellView, glyphs: Glyphs, columns: int) -> list[Line]:
    """Return where the time of the cell's requests goes: a line for every stage."""
    return _stages(shown, lambda it: stage_rows(it, glyphs, columns))


def _stages(shown: CellView, draw: Callable[[Stages], list[Line]]) -> list[Line]:
    if shown.finished:
        return draw(shown.finished.stages)
    if shown.totals is None:
        return [line((shown.why_empty, Tone.DIM))]
    if not any(it.successes for it in shown.totals.requests):
        return [line(("no request has been answered yet", Tone.DIM))]
    return draw(shown.totals.stages)


def found_statistics(shown: CellView) -> CellStatistics | None:
    """Return the statistics of a cell; None: there are none."""
    if shown.finished:
        return cell_statistics(shown.finished)
    return live_statistics(shown.totals) if shown.totals else None


def bottleneck_lines(shown: CellView, columns: int) -> list[Line]:
    """Return what bounds a cell; no line: nothing shows that."""
    if shown.bottleneck is None:
        return []
    return wrap(line(("bound by ", Tone.STRONG), shown.bottleneck.text), columns, indent=2)


def outcome_lines(cell: CellState, columns: int) -> list[Line]:
    """Return why a cell failed, was skipped or is in doubt; no line: none of these."""
    if cell.status is CellStatus.FAILED and cell.failed:
        lines = wrap(line(("failed: ", Tone.BAD), cell.failed.reason), columns)
        for said in cell.failed.log_lines:
            lines += wrap(line(("| ", Tone.DIM), said), columns, indent=2)
        return lines
    if cell.status is CellStatus.SKIPPED and cell.skipped:
        return wrap(line(("skipped: ", Tone.WARN), cell.skipped.reason), columns)
    if cell.status is CellStatus.FINISHED and cell.finished:
        verdict = cell.finished.verdict.value
        return [
            part
            for reason in cell.finished.reasons
            for part in wrap(line((f"{verdict}: ", Tone.WARN), reason), columns, indent=2)
        ]
    return []
