"""Text of the catch-up window."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from loadbench.engine.journal.events import Result, Verdict
from loadbench.engine.journal.state import CellStatus
from loadbench.engine.numbers import latency, number
from loadbench.engine.profile.duration import readable_duration
from loadbench.engine.profile.model import Profile
from loadbench.engine.report.highlights import (
    CellNumbers,
    Highlight,
    HighlightKind,
    cell_outcomes,
)
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.ui.lines.containers import container_state
from loadbench.ui.lines.matrix import VERDICT_TONES
from loadbench.ui.lines.run import STATUS_TONES
from loadbench.ui.lines.text import Line, MenuEntry, Tone, line, wrap
from loadbench.wording import counted
from loadbench.wording.search import remaining_text

_OUTCOME_TONES: tuple[tuple[Verdict | CellStatus, Tone], ...] = (
    *VERDICT_TONES.items(),
    (CellStatus.FAILED, Tone.BAD),
    (CellStatus.SKIPPED, Tone.WARN),
)
_INDENT = 3


def catch_up_title(away_s: float) -> str:
    """Return the title of the window.

    Args:
        away_s: Seconds since the user last saw the run.
    """
    return f"Since your last visit ({readable_duration(away_s)} ago)"


def highlight_line(highlight: Highlight) -> Line:
    """Return the text of an event as a single line, without its time."""
    cell, reason = (f"{highlight.cell}  ", Tone.STRONG), "; ".join(highlight.reasons)
    match highlight.kind:
        case HighlightKind.CELL_FINISHED:
            return line(cell, *_finished(highlight))
        case HighlightKind.CELL_FAILED:
            return line(cell, ("failed", Tone.BAD), f": {reason}")
        case HighlightKind.CELL_SKIPPED:
            return line(cell, ("skipped", Tone.WARN), f": {reason}")
        case HighlightKind.CONTAINER_ENDED | HighlightKind.CONTAINER_RESTARTED:
            return _container_line(highlight)
        case HighlightKind.RUN_RESUMED if progress := highlight.progress:
            cells = f"{progress.outstanding} of {counted(progress.total, 'cell')}"
            return line(f"Resumed: {cells} remaining")
        case HighlightKind.RUN_FINISHED if result := highlight.result:
            ended = (result.value, STATUS_TONES[RunStatus(result.value)])
            # A run that is done needs no reason.
            why = "" if result is Result.DONE else f": {reason}"
            return line("Run ", ended, why, f"; {highlight.text}" if highlight.text else "")
        case _:
            return line(highlight.text)


def summary(highlights: Sequence[Highlight], run: Run, profile: Profile, elapsed_s: float) -> Line:
    """Return one line: the outcomes of the cells that ended, and the status of the run.

    Args:
        highlights: The missed events.
        run: The run.
        profile: The profile of the run.
        elapsed_s: Seconds since the run was started or resumed.
    """
    outcomes = cell_outcomes(highlights)
    counts = Counter(outcomes.values())
    pieces: list[tuple[str, Tone]] = []
    for outcome, tone in _OUTCOME_TONES:
        if counts[outcome]:
            pieces.append((", " if pieces else ": ", Tone.STRONG))
            pieces.append((f"{counts[outcome]} {outcome.value}", tone))
    cells = f"{counted(len(outcomes), 'cell')} done" if outcomes else "No cells done"
    left = remaining_text(profile, replace(run.state, elapsed_s=elapsed_s))
    return line((cells, Tone.STRONG), *pieces, (f". {_status(run, left)}", Tone.STRONG))


def catch_up_entries(
    highlights: Sequence[Highlight], summary_line: Line, columns: int, now: datetime
) -> list[MenuEntry]:
    """Return the entries of the list. Each event's key is its index in `highlights`.

    Args:
        highlights: The missed events, in order.
        summary_line: Content of the first entry.
        columns: Width of a line.
        now: Current time. If an event is from another day, all times include the date.
    """
    times = _local_times([highlight.at for highlight in highlights], now)
    entries = [MenuEntry("", (*wrap(summary_line, columns), ()))]
    urgent = [i for i, highlight in enumerate(highlights) if highlight.needs_attention]
    others = [i for i, highlight in enumerate(highlights) if not highlight.needs_attention]
    if urgent:
        entries.append(MenuEntry("", (line(("Needs attention", Tone.STRONG)),)))
    for i in (*urgent, *others):
        if urgent and others and i == others[0]:
            entries.append(MenuEntry("", ((), line(("Other events", Tone.STRONG)))))
        timed = line((f" {times[i]}  ", Tone.DIM), *highlight_line(highlights[i]))
        indent = len(times[i]) + _INDENT
        entries.append(MenuEntry(str(i), tuple(wrap(timed, columns, indent=indent))))
    return entries


def _finished(highlight: Highlight) -> list[str | tuple[str, Tone]]:
    pieces: list[str | tuple[str, Tone]] = []
    if highlight.numbers:
        pieces.append(_numbers(highlight.numbers))
    if verdict := highlight.verdict:
        pieces.append((verdict.value, VERDICT_TONES[verdict]))
    if highlight.reasons:
        pieces.append(f": {'; '.join(highlight.reasons)}")
    return pieces


def _numbers(numbers: CellNumbers) -> str:
    value = latency(numbers.latency_ms, backed=numbers.has_enough_samples)
    failed = f"{counted(numbers.failures, 'failure')}, " if numbers.failures else ""
    return f"{number(numbers.rps)} req/s, {numbers.percentile} {value} ms, {failed}"


def _container_line(highlight: Highlight) -> Line:
    container = highlight.container
    assert container is not None
    if highlight.kind is HighlightKind.CONTAINER_ENDED:
        change = (container_state(container)[0], Tone.BAD)
    else:
        change = ("restarted by the container engine", Tone.WARN)
    return line((f"{container.name}  ", Tone.STRONG), change, f", during {highlight.cell}")


def _status(run: Run, left: str) -> str:
    """Return the status of a run as a sentence, which names the remaining time."""
    state = run.state
    if run.status is RunStatus.LIVE:
        if state.stopping:
            return "The run is stopping"
        if state.current:
            activity = f"continues with {state.current}"
            activity += ", then pauses" if state.paused else ""
        else:
            activity = "is paused" if state.paused else "continues"
        return f"The run {activity}, {left}"
    if run.was_killed:
        return "The runner was killed" + (f" during {state.current}" if state.current else "")
    if run.status is RunStatus.DONE:
        return "The run is done"
    reason = state.finished.reason if state.finished else ""
    return f"The run was {run.status.value}: {reason}"


def _local_times(moments: Sequence[str], now: datetime) -> list[str]:
    """Return times in the local time zone, with dates if any of them is not from today."""
    local = [_local(at) for at in moments]
    today = now.astimezone().date()
    is_dated = any(time and time.date() != today for time in local)
    form = "%m-%d %H:%M" if is_dated else "%H:%M"
    columns = len(now.strftime(form))
    return [time.strftime(form) if time else " " * columns for time in local]


def _local(at: str) -> datetime | None:
    try:
        return datetime.fromisoformat(at).astimezone()
    except ValueError:  # invalid time, written by another program
        return None
