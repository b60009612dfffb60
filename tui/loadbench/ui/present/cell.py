"""One cell of a run, live or over: what the panels beside the matrix show of it. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from loadbench.engine.journal.events import (
    CellEnd,
    CellFailed,
    CellFinished,
    CellSkipped,
    ErrorCount,
    Stages,
)
from loadbench.engine.journal.state import CellState, CellStatus, RunState
from loadbench.engine.measure.bottleneck import Bottleneck
from loadbench.engine.measure.buckets import percentile, successes
from loadbench.engine.numbers import number
from loadbench.engine.report.running_totals import RunningTotals
from loadbench.engine.report.statistics import CellStatistics, cell_statistics, live_statistics
from loadbench.ui.present.glyphs import Glyphs
from loadbench.ui.present.lines import Line, Tone, line, wrap
from loadbench.ui.present.stages import stage_lines, stage_rows
from loadbench.ui.present.stats import failure_lines, stat_lines, window_words

_WHY_LINES = 3
"""Of the reason of a failure above the statistics; the panel of failures has all of it."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The cell that is shown."""

    cell: CellState
    attempt: RunState | None
    """The run as it was at the end of the cell's latest attempt, or is now. None: not read yet, or
    there was no attempt."""
    totals: RunningTotals | None = None
    """The totals of that attempt; None: it has no sample yet."""
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
    def errors(self) -> Sequence[ErrorCount]:
        """What the requests that failed said."""
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
        if self.attempt is None:
            return "reading…"
        return (
            "waiting for the first answers"
            if self.cell.status is CellStatus.RUNNING
            else ("it ended before its first second")
        )


def statistics(shown: Shown, columns: int) -> tuple[str, list[Line]]:
    """Return what the statistics are of, and their table, below why there is no more of them."""
    found, why = _found(shown), _outcome(shown.cell, columns)
    if found is None:
        return "", why or [line((shown.why_empty, Tone.DIM))]
    if shown.finished is None:
        return window_words(found), [*why[:_WHY_LINES], *stat_lines(found)]
    return window_words(found), [*stat_lines(found), *why, *_bound(shown, columns)]


def figures(shown: Shown) -> tuple[str, list[Line]]:
    """Return what the statistics are of, and their table alone."""
    found = _found(shown)
    if found is None:
        return "", [line((shown.why_empty, Tone.DIM))]
    return window_words(found), stat_lines(found)


def failures(shown: Shown, columns: int) -> tuple[int, list[Line]]:
    """Return how many requests failed, and all that went wrong with the cell."""
    lines, errors = _outcome(shown.cell, columns), shown.errors
    if errors:
        if lines:
            lines.append(())
        lines += failure_lines(errors, columns)
    if not lines:
        lines = [line(("no failure", Tone.GOOD))]
    return sum(error.count for error in errors), lines


def errors(shown: Shown, columns: int) -> tuple[int, list[Line]]:
    """Return how many requests failed, and the kinds of failures, then those of exceptions."""
    lines = failure_lines(shown.errors, columns)
    if shown.finished and shown.finished.exceptions:
        lines.append(line(("raised by the locustfile:", Tone.WARN)))
        lines += failure_lines(shown.finished.exceptions, columns)
    if not lines:
        told = ("no request failed", Tone.GOOD) if _found(shown) else (shown.why_empty, Tone.DIM)
        lines = [line(told)]
    return sum(error.count for error in shown.errors), lines


def verdict(
    shown: Shown,
    repeats: Sequence[CellState],
    earlier: Sequence[tuple[int, CellEnd | None]],
    columns: int,
) -> list[Line]:
    """Return what the numbers of a cell are worth and why, what bounds it, and its siblings.

    Args:
        shown: The cell.
        repeats: The other repeats of it.
        earlier: The numbers of its attempts before, with what ended them.
        columns: How wide a line may be.
    """
    lines = _outcome(shown.cell, columns)
    if not lines and shown.finished:
        lines.append(line(("valid: ", Tone.GOOD), "no rule speaks against its numbers"))
    elif not lines:
        lines.append(line((_no_verdict(shown.cell), Tone.DIM)))
    lines += _bound(shown, columns)
    told = [_repeat(it) for it in repeats]
    told += [_attempt(which, ending) for which, ending in earlier]
    for one in told:
        lines += wrap(one, columns, indent=2)
    return lines


def stages(shown: Shown, glyphs: Glyphs, columns: int) -> list[Line]:
    """Return where the time of the cell's requests goes: a bar, and a line that names its parts."""
    return _stages(shown, lambda it: stage_lines(it, glyphs, columns))


def stage_table(shown: Shown, glyphs: Glyphs, columns: int) -> list[Line]:
    """Return where the time of the cell's requests goes: a line for every stage."""
    return _stages(shown, lambda it: stage_rows(it, glyphs, columns))


def _stages(shown: Shown, draw: Callable[[Stages], list[Line]]) -> list[Line]:
    if shown.finished:
        return draw(shown.finished.stages)
    if shown.totals is None:
        return [line((shown.why_empty, Tone.DIM))]
    if not any(it.successes for it in shown.totals.requests):
        return [line(("no request has been answered yet", Tone.DIM))]
    return draw(shown.totals.stages)


def _found(shown: Shown) -> CellStatistics | None:
    """Return the statistics of a cell; None: there are none."""
    if shown.finished:
        return cell_statistics(shown.finished)
    return live_statistics(shown.totals) if shown.totals else None


def _bound(shown: Shown, columns: int) -> list[Line]:
    if shown.bottleneck is None:
        return []
    return wrap(line(("bound by ", Tone.STRONG), shown.bottleneck.text), columns, indent=2)


def _no_verdict(cell: CellState) -> str:
    if cell.status is CellStatus.RUNNING:
        return "the verdict is found once it was measured"
    return "it waits to be measured again" if cell.attempt else "not measured yet"


def _repeat(cell: CellState) -> Line:
    told: list[str | tuple[str, Tone]] = [("repeat ", Tone.STRONG), f"{cell.cell.key}: "]
    if cell.status is CellStatus.FINISHED and cell.finished:
        told.append(_numbers(cell.finished))
    else:
        told.append((cell.status.value, Tone.DIM))
    return line(*told)


def _attempt(which: int, ending: CellEnd | None) -> Line:
    match ending:
        case CellFinished():
            told = _numbers(ending)
        case CellFailed(reason=reason):
            told = f"failed: {reason}"
        case CellSkipped(reason=reason):
            told = f"skipped: {reason}"
        case None:
            told = "interrupted"
    return line((f"attempt {which}: ", Tone.STRONG), told)


def _numbers(finished: CellFinished) -> str:
    p90 = number(percentile(successes(finished.requests), 0.9))
    rate = number(finished.completed / finished.measured_s)
    return f"p90 {p90} ms, {rate} req/s, {finished.verdict.value}"


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
