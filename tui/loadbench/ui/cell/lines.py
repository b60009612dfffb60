"""The text of the cell screen. No Textual."""

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
from loadbench.engine.numbers import number
from loadbench.engine.profile.model import Profile
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.ui.lines.cell import CellView, bottleneck_lines, found_statistics, outcome_lines
from loadbench.ui.lines.glyphs import Glyphs
from loadbench.ui.lines.matrix import MARKS, VERDICT_TONES
from loadbench.ui.lines.run import clock, doing_line, place_line, status_words
from loadbench.ui.lines.stats import failure_lines, stat_lines, window_words
from loadbench.ui.lines.text import Line, Tone, justify, line, wrap
from loadbench.wording import counted


def figures_panel(shown: CellView) -> tuple[str, list[Line]]:
    """Return what the statistics are of, and their table alone."""
    found = found_statistics(shown)
    if found is None:
        return "", [line((shown.why_empty, Tone.DIM))]
    return window_words(found), stat_lines(found)


def errors_panel(shown: CellView, columns: int) -> tuple[int, list[Line]]:
    """Return how many requests failed, and the kinds of failures, then those of exceptions."""
    lines = failure_lines(shown.errors, columns)
    if shown.finished and shown.finished.exceptions:
        lines.append(line(("raised by the locustfile:", Tone.WARN)))
        lines += failure_lines(shown.finished.exceptions, columns)
    if not lines:
        empty = (
            ("no request failed", Tone.GOOD)
            if found_statistics(shown)
            else (shown.why_empty, Tone.DIM)
        )
        lines = [line(empty)]
    return sum(error.count for error in shown.errors), lines


def verdict_lines(
    shown: CellView,
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
    lines = outcome_lines(shown.cell, columns)
    if not lines and shown.finished:
        lines.append(line(("valid: ", Tone.GOOD), "no rule speaks against its numbers"))
    elif not lines:
        lines.append(line((_no_verdict(shown.cell), Tone.DIM)))
    lines += bottleneck_lines(shown, columns)
    others = [_repeat(it) for it in repeats]
    others += [_attempt(which, ending) for which, ending in earlier]
    for one in others:
        lines += wrap(one, columns, indent=2)
    return lines


def _no_verdict(cell: CellState) -> str:
    if cell.status is CellStatus.RUNNING:
        return "the verdict is found once it was measured"
    return "it waits to be measured again" if cell.attempt else "not measured yet"


def _repeat(cell: CellState) -> Line:
    parts: list[str | tuple[str, Tone]] = [("repeat ", Tone.STRONG), f"{cell.cell.key}: "]
    if cell.status is CellStatus.FINISHED and cell.finished:
        parts.append(_numbers(cell.finished))
    else:
        parts.append((cell.status.value, Tone.DIM))
    return line(*parts)


def _attempt(which: int, ending: CellEnd | None) -> Line:
    match ending:
        case CellFinished():
            outcome = _numbers(ending)
        case CellFailed(reason=reason):
            outcome = f"failed: {reason}"
        case CellSkipped(reason=reason):
            outcome = f"skipped: {reason}"
        case None:
            outcome = "interrupted"
    return line((f"attempt {which}: ", Tone.STRONG), outcome)


def _numbers(finished: CellFinished) -> str:
    p90 = number(percentile(successes(finished.requests), 0.9))
    rate = number(finished.completed / finished.measured_s)
    return f"p90 {p90} ms, {rate} req/s, {finished.verdict.value}"


def cell_header_lines(
    run: Run, profile: Profile, key: str, elapsed_s: float, glyphs: Glyphs, columns: int
) -> list[Line]:
    """Return the header of a cell: where it belongs, and how it stands.

    Args:
        run: The run.
        profile: What it was started with.
        key: Of the cell.
        elapsed_s: Seconds since the run was started or resumed, now.
        glyphs: The signs.
        columns: How wide the header is.
    """
    state = replace(run.state, elapsed_s=elapsed_s)
    cell_state = state.cells[key]
    cell, place = cell_state.cell, f"cell {list(state.cells).index(key) + 1} of {len(state.cells)} "
    parts = (counted(cell.models, "model"), cell.level.phrase, cell.level.detail)
    load = ", ".join(filter(None, parts))
    longer = line((f"{load} {glyphs.separator} ", Tone.DIM), place)
    header = place_line(run, key, (longer, line(place)), glyphs, columns)
    live = run.status is RunStatus.LIVE
    if live and key == state.current:
        return [header, doing_line(state, profile, glyphs, columns)]
    words, tone = _standing(cell_state, glyphs)
    attempt = f", attempt {cell_state.attempt}" if cell_state.attempt > 1 else ""
    where: list[Line] = [line(status_words(run, glyphs), " ")]
    if live and state.current and state.phase:
        now = (f"now {state.current} ", Tone.DIM), (state.phase.value, Tone.ACCENT)
        where = [line(*now, f" {clock(state, profile)} "), line(*now, " "), *where]
    return [header, justify(line((f" {words}", tone), attempt), where, columns)]


def _standing(cell: CellState, glyphs: Glyphs) -> tuple[str, Tone]:
    """Return how a cell stands that is not being measured now."""
    match cell.status:
        case CellStatus.FINISHED if cell.finished:
            verdict = cell.finished.verdict
            return f"{MARKS[verdict].strip()} {verdict.value}".strip(), VERDICT_TONES[verdict]
        case CellStatus.FAILED:
            return f"{glyphs.failed} failed", Tone.BAD
        case CellStatus.SKIPPED:
            return f"{glyphs.skipped} skipped", Tone.WARN
        case CellStatus.RUNNING:
            return "! left in the middle", Tone.WARN
        case _:
            again = "to be measured again" if cell.attempt else "not measured yet"
            return f"{glyphs.pending} {again}", Tone.DIM
