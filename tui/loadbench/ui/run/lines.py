"""The text of the run screen."""

from collections.abc import Sequence
from dataclasses import replace

from rich.cells import cell_len

from loadbench.engine.journal.events import CellFailed, Verdict
from loadbench.engine.journal.state import ENDED_STATUSES, CellStatus, RunState
from loadbench.engine.journal.timing.progress import remaining_s, total_s
from loadbench.engine.numbers import latency, number
from loadbench.engine.profile.model import Profile
from loadbench.engine.report.damage import damage_phrase
from loadbench.engine.report.metrics import Metric
from loadbench.engine.report.statistics import StatisticsWindow
from loadbench.engine.requests.resumption import is_unfinished
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.engine.search.continuation import can_continue, is_searching
from loadbench.engine.search.eta import remaining_range_s
from loadbench.ui.lines.cell import (
    CellView,
    bottleneck_lines,
    found_statistics,
    goal_lines,
    outcome_lines,
)
from loadbench.ui.lines.glyphs import Glyphs
from loadbench.ui.lines.matrix import VERDICT_TONES
from loadbench.ui.lines.measurements import measurement_lines
from loadbench.ui.lines.recommendation import answer_line
from loadbench.ui.lines.run import activity_line, status_label
from loadbench.ui.lines.stats import (
    NO_REQUESTS,
    early_failure_lines,
    failure_lines,
    stat_lines,
    window_label,
)
from loadbench.ui.lines.target import sent_to_lines, target_line, target_of
from loadbench.ui.lines.text import Line, Piece, Tone, fit, justify, line, short_name, width
from loadbench.ui.run.search import search_line
from loadbench.wording import counted
from loadbench.wording.search import remaining_text, search_sentences

BAR_COLUMNS = 16
_PERIODS = {
    StatisticsWindow.BEFORE_MEASURING: "before measuring",
    StatisticsWindow.MEASURED_SO_FAR: "so far",
    StatisticsWindow.MEASURED: "measured",
}
_MAX_REASON_LINES = 3
"""Maximum lines of a failure's reason above the statistics. The failures panel shows all."""


def statistics_panel(shown: CellView, glyphs: Glyphs, columns: int) -> tuple[str, list[Line]]:
    """Return a label for the period that the statistics cover, and the panel's lines.

    The lines are the table, preceded by the reason of a failure, or followed by the goals, the
    findings and the bottleneck.
    """
    statistics, reasons = found_statistics(shown), outcome_lines(shown.cell, columns)
    if statistics is None:
        return "", reasons or [line((shown.why_empty, Tone.DIM))]
    label = window_label(statistics)
    rows = stat_lines(statistics, columns) + measurement_lines(statistics, shown.goals, columns)
    if shown.finished is None:
        return label, [*reasons[:_MAX_REASON_LINES], *rows]
    goals = goal_lines(shown.checks, glyphs, columns)
    return label, [*rows, *goals, *reasons, *bottleneck_lines(shown, columns)]


def figures_line(shown: CellView, metric: Metric, columns: int) -> Line:
    """Return the main results of a cell in one line: `m2_u50_s10 · 94 req/s · p95 412 ms · …`.

    Args:
        shown: The cell.
        metric: The percentile to show.
        columns: Maximum width. The period of the results is omitted if it does not fit, then the
            name of the main requests.
    """
    statistics = found_statistics(shown)
    key, separator = Piece(f" {shown.key}", Tone.STRONG), Piece(" · ", Tone.DIM)
    if statistics is None:
        return (key, separator, Piece(shown.why_empty, Tone.DIM))
    row = statistics.main
    if row is None:
        return (key, separator, Piece(NO_REQUESTS, Tone.DIM))
    found = next(one for one in row.percentiles if one.name == metric.column)
    value = latency(found.value_ms, backed=found.has_enough_samples)
    failures = Piece(counted(row.failures, "failure"), Tone.BAD if row.failures else Tone.PLAIN)
    verdict = shown.finished.verdict if shown.finished else None
    parts = [key, Piece(f"{number(row.rps)} req/s"), Piece(f"{metric} {value} ms"), failures]
    if verdict:
        parts.append(Piece(verdict.value, VERDICT_TONES[verdict]))
    period = Piece(f"{statistics.seconds:g} s {_PERIODS[statistics.window]}", Tone.DIM)
    name = [Piece(short_name(shown.main), Tone.DIM)] if shown.main else []
    named = [key, *name, *parts[1:]]
    full, shorter, short = (
        tuple(piece for part in some for piece in (separator, part))[1:]
        for some in ([*named, period], named, parts)
    )
    return next((one for one in (full, shorter) if width(one) <= columns), short)


def failures_panel(shown: CellView, columns: int) -> tuple[int, list[Line]]:
    """Return the number of failed requests, and the panel's lines: the outcome and the errors."""
    lines, errors = outcome_lines(shown.cell, columns), shown.errors
    if not lines and shown.is_loading:
        return 0, [line((shown.why_empty, Tone.DIM))]
    if errors:
        if lines:
            lines.append(())
        lines += failure_lines(errors, columns)
        lines += sent_to_lines(shown.finished, columns)
    lines += early_failure_lines(shown.finished, columns)
    if not lines:
        lines = [line(("No failed requests", Tone.GOOD))]
    return sum(error.count for error in errors), lines


def header_lines(
    run: Run, profile: Profile, elapsed_s: float, glyphs: Glyphs, columns: int
) -> list[Line]:
    """Return the header of a run: its name and progress, its recommendation, and what it is doing.

    The last line is what the run measures, if that is recorded. Small terminals do not show it.

    Args:
        run: The run.
        profile: Its profile.
        elapsed_s: Seconds since the run was started or resumed.
        glyphs: The terminal's character set.
        columns: Width of the header.
    """
    state = replace(run.state, elapsed_s=elapsed_s)
    profile_name, run_id = run.folder.parent.name, run.folder.name
    status, tone = status_label(run, glyphs)
    damage = damage_phrase(state)
    damaged = f", {damage}" if damage else ""
    # A long profile name is truncated, so that the run and its status stay visible.
    room = max(8, columns - cell_len(run_id) - len(status) - len(damaged) - 8)
    title = line(
        (" " + fit(profile_name, min(room, cell_len(profile_name))), Tone.STRONG),
        (f" {glyphs.arrow} ", Tone.DIM),
        run_id,
        ("   " + status, tone),
        (damaged, Tone.WARN),
    )
    measured = target_line(target_of(state), columns)
    last = [measured] if measured else []
    if run.status is RunStatus.LIVE:
        search = search_line(state, columns) if is_searching(state) else ()
        return [
            _title(title, _progress(state, profile, glyphs), state.label, columns),
            activity_line(state, profile, glyphs, columns),
            search or answer_line(run.recommendation, columns),
            *last,
        ]
    below = [answer_line(run.recommendation, columns), _ending(run, columns)]
    if run.status is not RunStatus.DONE or not state.finished or state.finished.left:
        # A short terminal shows only the first of the two.
        below.reverse()
    return [_title(title, _outcomes(state), state.label, columns), *below, *last]


def _title(title: Line, rights: Sequence[Line], label: str, columns: int) -> Line:
    """Return the first line of the header, with the label of the run if it fits."""
    labelled = justify((*title, *line(("   " + label, Tone.DIM))), rights, columns)
    has_room = label and width(labelled) == columns
    return labelled if has_room else justify(title, rights, columns)


def _outcomes(state: RunState) -> tuple[Line, Line]:
    """Return the cell counts in a long and a short version.

    The long version counts by verdict, such as `4 cells: 3 valid, 1 failed`. The short version
    counts by status.
    """
    verdicts = [
        cell.finished.verdict
        for cell in state.cells.values()
        if cell.status is CellStatus.FINISHED and cell.finished
    ]
    total = len(state.cells)
    others = [
        (state.count(CellStatus.FAILED), "failed", Tone.BAD),
        (state.count(CellStatus.SKIPPED), "skipped", Tone.WARN),
    ]
    counts = [
        *((verdicts.count(verdict), verdict.value, VERDICT_TONES[verdict]) for verdict in Verdict),
        *others,
        (len(state.outstanding), "pending", Tone.DIM),
    ]
    return (
        line(counted(total, "cell"), *_counts(counts, ": "), " "),
        line(f"{state.count(CellStatus.FINISHED)} of {total}", *_counts(others, ", "), " "),
    )


def _counts(counts: Sequence[tuple[int, str, Tone]], first: str) -> list[Piece]:
    """Return the counts that are not 0, separated by commas and preceded by `first`."""
    pieces: list[Piece] = []
    for count, label, tone in counts:
        if count:
            pieces += [Piece(", " if pieces else first), Piece(f"{count} {label}", tone)]
    return pieces


def _progress(state: RunState, profile: Profile, glyphs: Glyphs) -> list[Line]:
    """Return the progress of a run in three lengths, the longest first."""
    failed, ended = state.count(CellStatus.FAILED), state.count(*ENDED_STATUSES)
    total = "" if is_searching(state) else f" of {len(state.cells)}"
    noun = "cell" if not total and ended == 1 else "cells"
    cells: list[str | tuple[str, Tone]] = [f"{ended}{total} {noun} done"]
    if failed:
        cells += [", ", (f"{failed} failed", Tone.BAD)]
    eta = f"{remaining_text(profile, state)} "
    # Based on the remaining time, because the elapsed time restarts when a run is resumed.
    planned_s = total_s(profile, state)
    left_s = remaining_range_s(profile, state)[1]
    further_s = left_s - remaining_s(profile, state)
    share = 1.0 - left_s / max(planned_s + further_s, left_s, 1.0)
    bar = _bar(share, BAR_COLUMNS, glyphs)
    return [
        line(*cells, "  ", *bar, f"  {eta}"),
        line(*cells, f" {glyphs.separator} {eta}"),
        line(eta),
    ]


def _bar(share: float, columns: int, glyphs: Glyphs) -> Line:
    full = round(columns * min(1.0, max(0.0, share)))
    return line((glyphs.full * full, Tone.ACCENT), (glyphs.empty * (columns - full), Tone.DIM))


def _ending(run: Run, columns: int) -> Line:
    state = run.state
    hint = ". Press r to resume." if state.outstanding or can_continue(state) else ""
    if is_unfinished(run):
        ending = " The runner was killed after the last cell. Press r to finish the run."
        return line((fit(ending, columns).rstrip(), Tone.WARN))
    if run.status is RunStatus.INTERRUPTED:
        cell = f" during {state.current}" if state.current else ""
        ending = f" The runner was killed{cell}{hint}"
        return line((fit(ending, columns).rstrip(), Tone.WARN))
    assert state.finished is not None
    left = f"; {state.finished.left}" if state.finished.left else ""
    reason = state.finished.reason
    if run.status is RunStatus.DONE:
        measured = state.count(CellStatus.FINISHED)
        reason = f"{measured} of {counted(len(state.cells), 'cell')} measured"
        if search := search_sentences(state):
            reason = " ".join(search).rstrip(".")
        if failed := state.count(CellStatus.FAILED):
            reason += f", {failed} failed"
    ending = f" {run.status.value.capitalize()}: {reason}{left}{hint}"
    tone = Tone.DIM if run.status is RunStatus.DONE and not left else Tone.WARN
    return line((fit(ending, columns).rstrip(), tone))


def new_failures(before: RunState, now: RunState) -> list[CellFailed]:
    """Return the failures that only the later state of a run contains."""
    failed = [cell.failed for cell in now.cells.values() if cell.status is CellStatus.FAILED]
    known = {id(cell.failed) for cell in before.cells.values()}
    return [failure for failure in failed if failure and id(failure) not in known]
