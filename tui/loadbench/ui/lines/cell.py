"""Text of the panels that show one cell, live or finished."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from loadbench.engine.journal.events import (
    CellFinished,
    ErrorCount,
    Stages,
)
from loadbench.engine.journal.state import CellState, CellStatus, RunState
from loadbench.engine.measure.bottleneck import Bottleneck
from loadbench.engine.measure.buckets import num_successes
from loadbench.engine.measure.main_request import of_name, stages_of_name
from loadbench.engine.profile.plan import Cell
from loadbench.engine.profile.sections.goals import Goals
from loadbench.engine.report.metrics import GoalState, check_state, goals_of
from loadbench.engine.report.recommendation.goals import GoalCheck, check_text, undecided_text
from loadbench.engine.report.rows import Row
from loadbench.engine.report.running_totals import RunningTotals
from loadbench.engine.report.slices import Slice
from loadbench.engine.report.statistics import CellStatistics, cell_statistics, live_statistics
from loadbench.ui.lines.glyphs import Glyphs
from loadbench.ui.lines.matrix import VERDICT_TONES
from loadbench.ui.lines.metric import GOAL_TONES, goal_sign
from loadbench.ui.lines.stages import stage_lines, stage_rows
from loadbench.ui.lines.stats import NO_REQUESTS
from loadbench.ui.lines.text import Line, Tone, line, wrap
from loadbench.wording import counted

_GOAL_NAMES = {
    GoalState.PASSED: "passed",
    GoalState.NEAR: "near",
    GoalState.UNDECIDED: "undecided",
    GoalState.MISSED: "missed",
}


@dataclass(frozen=True, slots=True)
class CellView:
    """A cell, and the data of its latest attempt."""

    cell: CellState
    attempt: RunState | None
    """State of the run at the end of that attempt, or now if it is in progress.

    None if the cell was never attempted, or if the attempt has not been read yet."""
    totals: RunningTotals | None = None
    """Totals of that attempt. None if it has no samples, or if some have not been read yet."""
    slices: Sequence[Slice] = ()
    """Points of the charts over time."""
    is_live: bool = False
    """Whether the cell is being measured now. The status is not enough: the current cell of an
    interrupted run stays `RUNNING`."""
    bottleneck: Bottleneck | None = None
    """Bottleneck of the cell. None if it was not identified."""
    checks: Sequence[GoalCheck] = ()
    """One check per goal of the profile. Empty without goals or usable results."""
    main: str | None = None
    """Name of the main requests of the profile. None: results speak of all requests."""

    @property
    def key(self) -> str:
        """The key of the cell."""
        return self.cell.cell.key

    @property
    def finished(self) -> CellFinished | None:
        """The cell's result, or None if the cell is not finished."""
        return self.cell.finished if self.cell.status is CellStatus.FINISHED else None

    @property
    def goals(self) -> Goals:
        """The goals of the run's profile, or no goals if the attempt has not been read yet."""
        return goals_of(self.attempt) if self.attempt else Goals()

    @property
    def is_loading(self) -> bool:
        """Whether samples of the cell are still being read from the journal."""
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
        """The text of an empty panel, which states why there are no samples."""
        match self.cell.status:
            case CellStatus.PENDING if not self.cell.attempt:
                return "Not measured yet"
            case CellStatus.SKIPPED if not self.cell.attempt:
                return "Skipped before it started"
        if self.attempt is None or self.is_loading:
            return "Loading…"
        is_running = self.cell.status is CellStatus.RUNNING
        return "No samples yet" if is_running else "Ended before the first sample"


def load_phrase(cell: Cell) -> str:
    """Return the load of a cell, such as `1 model, 2 users, 8 users/s, repeat 2`."""
    rate = cell.level.fields.get("spawn_rate")
    parts = (
        counted(cell.models, "model"),
        cell.level.phrase,
        cell.level.detail if rate is None else f"{rate:g} users/s",
        f"repeat {cell.repeat}" if cell.repeat > 1 else "",
        "recheck" if cell.recheck else "",
    )
    return ", ".join(filter(None, parts))


def stage_bar(shown: CellView, glyphs: Glyphs, columns: int) -> list[Line]:
    """Return the mean time per stage of a cell's requests, as a bar and its legend."""
    return _stages(shown, lambda stages: stage_lines(stages, glyphs, columns))


def stage_table(shown: CellView, glyphs: Glyphs, columns: int) -> list[Line]:
    """Return the mean time per stage of a cell's requests, as a table with one line per stage."""
    return _stages(shown, lambda stages: stage_rows(stages, glyphs, columns))


def _stages(shown: CellView, draw: Callable[[Stages], list[Line]]) -> list[Line]:
    source = shown.finished or shown.totals
    if source is None:
        return [line((shown.why_empty, Tone.DIM))]
    requests = of_name(source.requests, shown.main)
    if not shown.finished and not num_successes(requests):
        return [line((NO_REQUESTS, Tone.DIM))]
    return draw(stages_of_name(source.requests, source.stages, shown.main))


def found_statistics(shown: CellView) -> CellStatistics | None:
    """Return the statistics of a cell, or None if it has none."""
    if shown.finished:
        return cell_statistics(shown.finished, shown.main)
    return live_statistics(shown.totals, shown.main) if shown.totals else None


def bottleneck_lines(shown: CellView | Row, columns: int) -> list[Line]:
    """Return the bottleneck of a cell, wrapped, or no lines if none was identified."""
    if shown.bottleneck is None:
        return []
    return wrap(line(("Bottleneck: ", Tone.STRONG), shown.bottleneck.text), columns, indent=2)


def goal_lines(checks: Sequence[GoalCheck], glyphs: Glyphs, columns: int) -> list[Line]:
    """Return one line per goal of a cell, wrapped: its state, the value and the limit."""
    lines = []
    for check in checks:
        state = check_state(check)
        heading = (f"{goal_sign(state, glyphs)} {_GOAL_NAMES[state]}: ", GOAL_TONES[state])
        why = f"; {undecided_text(check)}" if state is GoalState.UNDECIDED else ""
        text = f"{check_text(check, marks_near=False)}{why}"
        lines += wrap(line(heading, text), columns, indent=2)
    return lines


def outcome_lines(cell: CellState, columns: int) -> list[Line]:
    """Return the reasons why a cell failed, was skipped, or is suspect or invalid.

    The list is empty for any other cell.
    """
    if cell.status is CellStatus.FAILED and cell.failed:
        lines = wrap(line(("Failed: ", Tone.BAD), cell.failed.reason), columns)
        for text in cell.failed.log_lines:
            lines += wrap(line(("| ", Tone.DIM), text), columns, indent=2)
        return lines
    if cell.status is CellStatus.SKIPPED and cell.skipped:
        return wrap(line(("Skipped: ", Tone.WARN), cell.skipped.reason), columns)
    if cell.status is CellStatus.FINISHED and cell.finished:
        verdict = cell.finished.verdict
        heading = (f"{verdict.value.capitalize()}: ", VERDICT_TONES[verdict])
        return [
            part
            for reason in cell.finished.reasons
            for part in wrap(line(heading, reason), columns, indent=2)
        ]
    return []
