"""The text of the cell screen."""

from collections.abc import Sequence
from dataclasses import replace

from loadbench.engine.journal.events import (
    CellEnd,
    CellFailed,
    CellFinished,
    CellSkipped,
)
from loadbench.engine.journal.state import CellState, CellStatus
from loadbench.engine.measure.buckets import percentile, successes
from loadbench.engine.measure.main_request import results_of_name
from loadbench.engine.numbers import number
from loadbench.engine.profile.model import Profile
from loadbench.engine.report.metrics import Metric, default_metric
from loadbench.engine.report.rows import PERCENTILES
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.ui.lines.cell import (
    CellView,
    bottleneck_lines,
    found_statistics,
    goal_lines,
    load_phrase,
    outcome_lines,
)
from loadbench.ui.lines.glyphs import Glyphs
from loadbench.ui.lines.matrix import MARKS, VERDICT_TONES
from loadbench.ui.lines.measurements import cut_names, measurement_lines
from loadbench.ui.lines.run import activity_line, breadcrumb_line, clock, status_label
from loadbench.ui.lines.stats import (
    early_failure_lines,
    failure_lines,
    long_name_lines,
    note_lines,
    stat_lines,
    window_label,
)
from loadbench.ui.lines.target import sent_to_lines
from loadbench.ui.lines.text import Line, Tone, justify, line, wrap

_WHOLE = 1_000
"""Length of a name that is never cut."""


def figures_panel(shown: CellView, columns: int) -> tuple[str, list[Line]]:
    """Return a label for the period that the statistics cover, their table and long names."""
    statistics = found_statistics(shown)
    if statistics is None:
        return "", [line((shown.why_empty, Tone.DIM))]
    lines = stat_lines(statistics, columns) + measurement_lines(statistics, shown.goals, columns)
    lines += long_name_lines(statistics, columns, cut_names(statistics, shown.goals, columns))
    return window_label(statistics), lines


def errors_panel(shown: CellView, columns: int) -> tuple[int, list[Line]]:
    """Return the number of failed requests, and the errors and locustfile exceptions."""
    lines = failure_lines(shown.errors, columns) + sent_to_lines(shown.finished, columns)
    lines += early_failure_lines(shown.finished, columns, _WHOLE)
    if shown.finished and shown.finished.exceptions:
        lines.append(line(("Exceptions raised by the locustfile:", Tone.WARN)))
        lines += failure_lines(shown.finished.exceptions, columns)
    if not lines:
        empty = (
            ("No failed requests", Tone.GOOD)
            if found_statistics(shown)
            else (shown.why_empty, Tone.DIM)
        )
        lines = [line(empty)]
    return sum(error.count for error in shown.errors), lines


def verdict_lines(
    shown: CellView,
    repeats: Sequence[CellState],
    earlier: Sequence[tuple[int, CellEnd | None]],
    glyphs: Glyphs,
    columns: int,
) -> list[Line]:
    """Return the verdict on a cell, its findings, goals, bottleneck, other repeats and attempts.

    Args:
        shown: The cell.
        repeats: Its other repeats.
        earlier: Its earlier attempts: the number of each, and the event that ended it, or None.
        glyphs: The terminal's character set.
        columns: Width of a line.
    """
    lines = outcome_lines(shown.cell, columns)
    if not lines and shown.finished:
        lines.append(line(("Valid: ", Tone.GOOD), "all checks passed"))
    elif not lines:
        lines.append(line((_no_verdict(shown.cell), Tone.DIM)))
    lines += goal_lines(shown.checks, glyphs, columns)
    lines += bottleneck_lines(shown, columns) + note_lines(shown.finished, columns)
    metric = default_metric(shown.goals)
    others = [_repeat(cell, metric, shown.main) for cell in repeats]
    others += [_attempt(number, end, metric, shown.main) for number, end in earlier]
    for other in others:
        lines += wrap(other, columns, indent=2)
    return lines


def _no_verdict(cell: CellState) -> str:
    if cell.status is CellStatus.RUNNING:
        return "No verdict yet: the cell is being measured"
    return "Pending: to be measured again" if cell.attempt else "Not measured yet"


def _repeat(cell: CellState, metric: Metric, main: str | None) -> Line:
    heading: tuple[str, Tone] = (f"Repeat {cell.cell.key}: ", Tone.STRONG)
    if cell.status is CellStatus.FINISHED and cell.finished:
        return line(heading, *_result(cell.finished, metric, main))
    return line(heading, (cell.status.value, Tone.DIM))


def _attempt(attempt: int, end: CellEnd | None, metric: Metric, main: str | None) -> Line:
    outcome: list[str | tuple[str, Tone]]
    match end:
        case CellFinished():
            outcome = _result(end, metric, main)
        case CellFailed(reason=reason):
            outcome = [("failed", Tone.BAD), f": {reason}"]
        case CellSkipped(reason=reason):
            outcome = [("skipped", Tone.WARN), f": {reason}"]
        case None:
            outcome = [("interrupted", Tone.WARN)]
    return line((f"Attempt {attempt}: ", Tone.STRONG), *outcome)


def _result(
    finished: CellFinished, metric: Metric, main: str | None
) -> list[str | tuple[str, Tone]]:
    finished = results_of_name(finished, main)
    latency = number(percentile(successes(finished.requests), PERCENTILES[metric.column]))
    rate = number(finished.completed / finished.measured_s)
    verdict = finished.verdict
    return [f"{metric.value} {latency} ms, {rate} req/s, ", (verdict.value, VERDICT_TONES[verdict])]


def cell_header_lines(
    run: Run, profile: Profile, key: str, elapsed_s: float, glyphs: Glyphs, columns: int
) -> list[Line]:
    """Return the header of a cell: its place in the run, and its status.

    Args:
        run: The run.
        profile: Its profile.
        key: Key of the cell.
        elapsed_s: Seconds since the run was started or resumed.
        glyphs: The terminal's character set.
        columns: Width of the header.
    """
    state = replace(run.state, elapsed_s=elapsed_s)
    cell_state = state.cells[key]
    position = f"cell {list(state.cells).index(key) + 1} of {len(state.cells)} "
    load = (f"{load_phrase(cell_state.cell)} {glyphs.separator} ", Tone.DIM)
    header = breadcrumb_line(run, key, (line(load, position), line(position)), glyphs, columns)
    is_live = run.status is RunStatus.LIVE
    if is_live and key == state.current:
        return [header, activity_line(state, profile, glyphs, columns)]
    status, tone = _status(cell_state, glyphs)
    attempt = f", attempt {cell_state.attempt}" if cell_state.attempt > 1 else ""
    rights: list[Line] = [line(status_label(run, glyphs), " ")]
    if is_live and state.current and state.phase:
        current = (f"now {state.current} ", Tone.DIM), (state.phase.value, Tone.ACCENT)
        rights = [line(*current, f" {clock(state, profile)} "), line(*current, " "), *rights]
    return [header, justify(line((f" {status}", tone), attempt), rights, columns)]


def _status(cell: CellState, glyphs: Glyphs) -> tuple[str, Tone]:
    """Return the status of a cell that is not being measured, and its tone."""
    match cell.status:
        case CellStatus.FINISHED if cell.finished:
            verdict = cell.finished.verdict
            return f"{MARKS[verdict].strip()} {verdict.value}".strip(), VERDICT_TONES[verdict]
        case CellStatus.FAILED:
            return f"{glyphs.failed} failed", Tone.BAD
        case CellStatus.SKIPPED:
            return f"{glyphs.skipped} skipped", Tone.WARN
        case CellStatus.RUNNING:
            return "! interrupted", Tone.WARN
        case _:
            again = ", to be measured again" if cell.attempt else ""
            return f"{glyphs.pending} pending{again}", Tone.DIM
