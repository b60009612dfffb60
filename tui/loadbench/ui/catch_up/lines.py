"""What happened in a run during an absence, as lines. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from loadbench.engine.journal.events import Result, Verdict
from loadbench.engine.journal.progress import remaining_s
from loadbench.engine.journal.state import CellStatus
from loadbench.engine.numbers import latency, number
from loadbench.engine.profile.duration import say_duration
from loadbench.engine.profile.model import Profile
from loadbench.engine.report.highlights import (
    CellNumbers,
    Highlight,
    HighlightKind,
    cell_outcomes,
)
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.ui.lines.containers import standing
from loadbench.ui.lines.matrix import VERDICT_TONES
from loadbench.ui.lines.text import Line, MenuEntry, Tone, line, wrap
from loadbench.wording import counted

_OUTCOMES = (*Verdict, CellStatus.FAILED, CellStatus.SKIPPED)
_INDENT = 3


def since_title(away_s: float) -> str:
    """Return the title of what happened."""
    return f"since you left, {say_duration(away_s)} ago"


def highlight_line(highlight: Highlight) -> Line:
    """Return a highlight as a line, not wrapped and without its time."""
    cell, why = (f"{highlight.cell}  ", Tone.STRONG), "; ".join(highlight.reasons)
    match highlight.kind:
        case HighlightKind.CELL_FINISHED:
            return line(cell, *_finished(highlight))
        case HighlightKind.CELL_FAILED:
            return line(cell, ("failed", Tone.BAD), f": {why}")
        case HighlightKind.CELL_SKIPPED:
            return line(cell, ("skipped", Tone.WARN), f": {why}")
        case HighlightKind.CONTAINER_ENDED | HighlightKind.CONTAINER_RESTARTED:
            return _container_line(highlight)
        case HighlightKind.RUN_RESUMED if progress := highlight.progress:
            cells = f"{progress.outstanding} of {counted(progress.total, 'cell')}"
            return line(f"the run was resumed: {cells} to go")
        case HighlightKind.RUN_FINISHED if result := highlight.result:
            ended = f"the run {'is' if result is Result.DONE else 'was'} {result.value}: {why}"
            return line(f"{ended}; {highlight.text}" if highlight.text else ended)
        case _:
            return line(highlight.text)


def summary(highlights: Sequence[Highlight], run: Run, profile: Profile, elapsed_s: float) -> Line:
    """Return in a sentence what happened, and how the run stands now.

    Args:
        highlights: What happened.
        run: The run.
        profile: What it was started with.
        elapsed_s: Seconds since the run was started or resumed, now.
    """
    outcomes = cell_outcomes(highlights)
    counts = Counter(outcomes.values())
    came_to = ", ".join(f"{counts[it]} {it.value}" for it in _OUTCOMES if counts[it])
    over = f"{counted(len(outcomes), 'cell')} over: {came_to}" if outcomes else "no cell over"
    left_s = remaining_s(profile, replace(run.state, elapsed_s=elapsed_s))
    return line((f"{over}; {_standing(run, left_s)}", Tone.STRONG))


def since_entries(
    highlights: Sequence[Highlight], told: Line, columns: int, now: datetime
) -> list[MenuEntry]:
    """Return what happened as entries of a list, each known by its number in `highlights`.

    Args:
        highlights: What happened, in order.
        told: The summary.
        columns: How wide a line may be.
        now: The time of day; what happened on another day has its date.
    """
    times = _local_times([it.at for it in highlights], now)
    entries = [MenuEntry("", (*wrap(told, columns), ()))]
    pressing = [i for i, it in enumerate(highlights) if it.needs_attention]
    others = [i for i, it in enumerate(highlights) if not it.needs_attention]
    if pressing:
        entries.append(MenuEntry("", (line(("needs attention", Tone.STRONG)),)))
    for i in (*pressing, *others):
        if pressing and others and i == others[0]:
            entries.append(MenuEntry("", ((), line(("the rest", Tone.STRONG)))))
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
    p90 = latency(numbers.p90_ms, backed=numbers.is_p90_backed)
    failed = f"{counted(numbers.failures, 'failure')}, " if numbers.failures else ""
    return f"{number(numbers.rps)} req/s, p90 {p90} ms, {failed}"


def _container_line(highlight: Highlight) -> Line:
    container = highlight.container
    assert container is not None
    if highlight.kind is HighlightKind.CONTAINER_ENDED:
        words = (f" {standing(container)[0]}", Tone.BAD)
    else:
        words = (" was started again by the engine", Tone.WARN)
    return line(container.name, words, f", at {highlight.cell}")


def _standing(run: Run, left_s: float) -> str:
    """Return how a run stands now, as the end of a sentence."""
    state = run.state
    if run.status is RunStatus.LIVE:
        if state.stopping:
            return "the run is stopping"
        if state.current:
            doing = f"goes on with {state.current}"
            doing += ", then pauses" if state.paused else ""
        else:
            doing = "is paused" if state.paused else "goes on"
        return f"the run {doing}, {say_duration(left_s)} left"
    if run.status is RunStatus.INTERRUPTED:
        return "the runner was killed" + (f" at {state.current}" if state.current else "")
    if run.status is RunStatus.DONE:
        return "the run is done"
    reason = state.finished.reason if state.finished else ""
    return f"the run was {run.status.value}: {reason}"


def _local_times(moments: Sequence[str], now: datetime) -> list[str]:
    """Return moments as local times, with the date if one of them was on another day."""
    local = [_local(at) for at in moments]
    today = now.astimezone().date()
    other = any(it and it.date() != today for it in local)
    form = "%m-%d %H:%M" if other else "%H:%M"
    columns = len(now.strftime(form))
    return [it.strftime(form) if it else " " * columns for it in local]


def _local(at: str) -> datetime | None:
    try:
        return datetime.fromisoformat(at).astimezone()
    except ValueError:  # somebody else wrote that journal
        return None
