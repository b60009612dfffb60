"""One cell of a run, live or over: what the panels beside the matrix show of it. Pure."""

from dataclasses import dataclass

from loadbench.engine.state import CellState, CellStatus, RunState
from loadbench.ui.present.glyphs import Glyphs
from loadbench.ui.present.lines import Line, Tone, line, wrap
from loadbench.ui.present.stages import stage_lines
from loadbench.ui.present.stats import (
    cell_statistics,
    failure_lines,
    live_statistics,
    stat_lines,
)
from loadbench.ui.present.tally import Tally

_WHY_LINES = 3
"""Of the reason of a failure above the statistics; the panel of failures has all of it."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The cell that is shown."""

    cell: CellState
    attempt: RunState | None
    """The run as it was at the end of the cell's latest attempt, or is now. None: not read yet, or
    there was no attempt."""
    tally: Tally | None = None
    """What that attempt came to; None: nothing yet."""
    bound: str = ""
    """What bounds it, once it was measured; empty: nothing tells."""

    @property
    def key(self) -> str:
        """The key of the cell."""
        return self.cell.cell.key

    @property
    def why_empty(self) -> str:
        """Return why there is nothing to draw."""
        match self.cell.status:
            case CellStatus.PENDING if not self.cell.attempt:
                return "not measured yet"
            case CellStatus.SKIPPED if not self.cell.attempt:
                return "skipped before it began"
        if self.attempt is None:
            return "reading…"
        return (
            "waiting for the first answers"
            if self.cell.status is CellStatus.RUNNING
            else ("it ended before its first second")
        )


def statistics(shown: Shown, columns: int) -> tuple[str, list[Line]]:
    """Return what the statistics are of, and their table, below why there is no more of them."""
    if shown.cell.finished and shown.cell.status is CellStatus.FINISHED:
        found = cell_statistics(shown.cell.finished)
        said = _outcome(shown.cell, columns)
        if shown.bound:
            said += wrap(line(("bound by ", Tone.STRONG), shown.bound), columns, indent=2)
        return found.of, [*stat_lines(found), *said]
    why = _outcome(shown.cell, columns)
    if shown.tally is None:
        return "", why or [line((shown.why_empty, Tone.DIM))]
    found = live_statistics(shown.tally)
    return found.of, [*why[:_WHY_LINES], *stat_lines(found)]


def failures(shown: Shown, columns: int) -> tuple[int, list[Line]]:
    """Return how many requests failed, and all that went wrong with the cell."""
    lines = _outcome(shown.cell, columns)
    finished = shown.cell.finished if shown.cell.status is CellStatus.FINISHED else None
    errors = finished.errors if finished else shown.tally.errors if shown.tally else ()
    if errors:
        if lines:
            lines.append(())
        lines += failure_lines(errors, columns)
    if not lines:
        lines = [line(("no failure", Tone.GOOD))]
    return sum(error.count for error in errors), lines


def stages(shown: Shown, glyphs: Glyphs, columns: int) -> list[Line]:
    """Return where the time of the cell's requests goes."""
    if shown.cell.finished and shown.cell.status is CellStatus.FINISHED:
        return stage_lines(shown.cell.finished.stages, glyphs, columns)
    if shown.tally is None:
        return [line((shown.why_empty, Tone.DIM))]
    if not any(it.successes for it in shown.tally.requests):
        return [line(("no request has been answered yet", Tone.DIM))]
    return stage_lines(shown.tally.stages, glyphs, columns)


def _outcome(cell: CellState, columns: int) -> list[Line]:
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
