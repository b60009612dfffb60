"""Format runs as plain text: tables, numbers and one line per event."""

from collections.abc import Sequence
from pathlib import Path

from loadbench.engine.bounds.texts import shortened_in_middle
from loadbench.engine.journal.codec import Entry
from loadbench.engine.journal.events import (
    CellFailed,
    CellFinished,
    CellPhase,
    CellSkipped,
    CellsPlanned,
    CellStarted,
    CommandAnswered,
    Note,
    Phase,
    Result,
    RunFinished,
    RunResumed,
    RunStarted,
    SearchEnded,
    StackProgress,
)
from loadbench.engine.journal.state import ENDED_STATUSES, CellStatus, RunState
from loadbench.engine.measure.buckets import num_successes, percentile, successes
from loadbench.engine.measure.main_request import main_of, of_name
from loadbench.engine.numbers import number
from loadbench.engine.profile.driver_settings import settings_of
from loadbench.engine.profile.levels import Level
from loadbench.engine.profile.plan import Cell, run_time_text
from loadbench.engine.report.damage import damage_phrase
from loadbench.engine.report.drift import drift_of
from loadbench.engine.report.evidence.notes import MAX_NAME_CHARACTERS, note_text
from loadbench.engine.report.failures import failure_text
from loadbench.engine.report.metrics import default_metric, goal_state, goals_of, main_percentiles
from loadbench.engine.report.recommendation.goal import all_goals
from loadbench.engine.report.recommendation.goals import missed_text
from loadbench.engine.report.repeats import groups
from loadbench.engine.report.rows import PERCENTILE_NAMES, PERCENTILES, Row, row_of, rows
from loadbench.engine.report.target.facts import target_facts
from loadbench.engine.search.continuation import is_searching
from loadbench.wording.measurements import ESTIMATE_LEGEND as ESTIMATE_LEGEND
from loadbench.wording.repeats import repeats_table
from loadbench.wording.search import (
    plan_text,
    planned_line,
    position_text,
    range_text,
    search_ended_lines,
)
from loadbench.wording.tables import AS_SPACES
from loadbench.wording.tables import table as table
from loadbench.wording.tables import wrapped as wrapped

IN_BATCHES = "in batches once a second"
"""Description of how Locust starts users."""

RATE_LEGEND = f"rate: users started per second. Locust starts users {IN_BATCHES}."

LATENCY_LEGEND = "Latency p50 to max in ms, successful requests only."

_STATUS_WORDS = {
    CellStatus.FINISHED: "measured",
    CellStatus.FAILED: "failed",
    CellStatus.SKIPPED: "skipped",
}


def spawn_rate(level: Level) -> str:
    """Return the spawn rate of a level in users per second, or `-` for levels without one."""
    rate = level.fields.get("spawn_rate")
    return "-" if rate is None else f"{rate:g}"


def detach_notice(folder: Path) -> str:
    """Return the notice that a run continues after detaching from it."""
    return (
        f"{folder.parent.name}/{folder.name} continues. To show it: loadbench-tui attach\n"
        "To print its results: loadbench-tui report"
    )


def counted(amount: int, thing: str) -> str:
    """Return an amount with its noun, such as `1 cell` or `2 cells`."""
    return f"{amount} {thing}" if amount == 1 else f"{amount} {thing}s"


def cell_legend(row: Row) -> str:
    """Return the legend of cell keys, with a cell as its example."""
    containers, rate = counted(row.models, "model container"), spawn_rate(row.level)
    parts = [containers, row.level.phrase, *([] if rate == "-" else [f"spawn rate {rate} users/s"])]
    return f"{row.cell}: {', '.join(parts)}"


def cells_table(state: RunState) -> list[str]:
    """Return the cells of a run as a table, followed by its legend and remarks.

    The remarks list repeats, drift, the findings of suspect and invalid cells, the reasons for
    failed and skipped cells, and bottlenecks, if there are any.
    """
    goal = ("goal",) if all_goals(goals_of(state)) else ()
    header = ("cell", "req/s", *PERCENTILE_NAMES.values(), "fails", *goal, "verdict ")
    cells = rows(state)
    lines = table(header, [_cell_line(row, has_goals=bool(goal)) for row in cells])
    lines += cells_legend(state, cells)
    if repeated := groups(cells):
        lines += ["", *repeats_table(repeated)]
    if drift := drift_of(state):
        lines += ["", drift.sentence]
    reasons: dict[str, list[str]] = {}
    for row in cells:
        if row.reasons:
            reason = f"{row.verdict}: {row.reasons}".translate(AS_SPACES)
            reasons.setdefault(reason, []).append(row.cell)
    if reasons:
        lines += ["", *(f"{', '.join(keys)} {reason}" for reason, keys in reasons.items())]
    if found := [(row.cell, f"{row.bottleneck.text} ") for row in cells if row.bottleneck]:
        lines += ["", "Bottlenecks:", *table(("", " "), found)[1:]]
    return lines


def main_request_note(state: RunState) -> str:
    """Return what tables show if the profile names main requests, otherwise an empty text."""
    main = _main_name(state)
    return f"Main request: {main}. Rate, latencies and failures are its results." if main else ""


def cells_legend(state: RunState, cells: Sequence[Row]) -> list[str]:
    """Return the legend of a table of cells, one line per subject."""
    note = main_request_note(state)
    has_estimates = any(row.few_samples for row in cells)
    return [
        *(cell_legend(row) for row in cells[:1]),
        *([note] if note else []),
        f"{LATENCY_LEGEND} {ESTIMATE_LEGEND}" if has_estimates else LATENCY_LEGEND,
    ]


def event_line(entry: Entry, state: RunState) -> str | None:
    """Return the text of a journal entry in one or more lines, or None if it has no text.

    Args:
        entry: The entry.
        state: The state of the run after the entry.
    """
    match entry.event:
        case RunStarted() as event:
            cells = counted(len(event.cells), "cell")
            if is_searching(state) and state.profile:
                cells = plan_text(state.profile)
            driver = f"Driver {event.driver}: {event.driver_reason}"
            facts = target_facts(event.target) if event.target else ()
            target = "".join(f"\n{fact.label}: {fact.text}" for fact in facts)
            return f"Run {event.profile_name}/{event.run}: {cells}\n{driver}{target}"
        case RunResumed() if state.started:
            name = f"{state.started.profile_name}/{state.started.run}"
            left = f"{len(state.outstanding)} of {counted(len(state.cells), 'cell')}"
            search = ", the search continues" if is_searching(state) else ""
            return f"Run {name} resumed: {left} left to measure{search}"
        case CellsPlanned() as event if state.profile and state.started:
            return planned_line(event, state)
        case SearchEnded() as event if state.profile and state.started:
            return "\n".join(search_ended_lines(event, state))
        case StackProgress(step=step, line=line):
            return f"  {progress_text(step, line)}"
        case CellStarted() as event:
            return _started_line(state, event)
        case CellPhase(cell=key, phase=phase):
            return f"  {_phase_line(state, key, phase)}"
        case CellFinished(cell=key):
            return f"  {_finished_line(state, key)}"
        case CellFailed() as event:
            return f"  {failure_text(entry, event, state)}"
        case CellSkipped(cell=key, reason=reason):
            return f"  Skipped {key}: {reason}"
        case CommandAnswered(message=message) | Note(text=message):
            return f"  {message}"
        case RunFinished() as event:
            return _run_finished_line(state, event)
        case _:
            return None


def progress_text(step: str, line: str) -> str:
    """Return a line of stack progress, with the name of its step for older journals."""
    return line if line[:1].isupper() else f"{step}: {line}"


def outcome_line(state: RunState) -> str:
    """Return the number of cells by outcome, such as `4 cells: 3 measured, 1 failed`."""
    counts = {_STATUS_WORDS[status]: state.count(status) for status in ENDED_STATUSES}
    counts["pending"] = len(state.outstanding)
    outcomes = [f"{count} {word}" for word, count in counts.items() if count]
    outcomes += filter(None, [damage_phrase(state)])
    return f"{counted(len(state.cells), 'cell')}: {', '.join(outcomes)}"


def ending_sentence(state: RunState) -> str:
    """Return why a run was stopped or aborted, such as `Run stopped: asked for.`, or ''."""
    finished = state.finished
    if finished is None or finished.result is Result.DONE:
        return ""
    return f"Run {finished.result.value}: {finished.reason.rstrip('.')}."


def short_outcome(state: RunState) -> str:
    """Return the number of cells by outcome for a table column, such as `3 of 4, 1 failed`.

    A search has no total: `3 so far`.
    """
    total = "so far" if is_searching(state) else f"of {len(state.cells)}"
    measured = f"{state.count(CellStatus.FINISHED)} {total}"
    return ", ".join([measured, *_not_measured(state)])


def progress_line(state: RunState, remaining_s: float, longest_s: float | None = None) -> str:
    """Return the progress of a live run as one line.

    Args:
        state: The run.
        remaining_s: Estimated seconds until the run ends.
        longest_s: If the estimate is a range, its other end.
    """
    ended, total = state.count(*ENDED_STATUSES), counted(len(state.cells), "cell")
    if state.current:
        parts = [f"{position_text(state)}: {state.current}"]
    elif is_searching(state):
        parts = [f"{counted(ended, 'cell')} done"]
    else:
        parts = [f"{ended} of {total} done"]
    if state.phase:
        phase_s = max(0.0, state.elapsed_s - state.phase_since_s)
        parts.append(f"{state.phase.value} {phase_s:.0f} s")
    if state.samples:
        requests = of_name(state.samples[-1].requests, main_of(state.profile))
        metric = default_metric(goals_of(state))
        newest = number(percentile(successes(requests), PERCENTILES[metric.column]))
        parts.append(f"{num_successes(requests)} req/s · {metric} {newest} ms")
    if state.paused:
        parts.append("paused")
    left = range_text(remaining_s, remaining_s if longest_s is None else longest_s)
    return " · ".join([*parts, f"{left} left"])


def _started_line(state: RunState, event: CellStarted) -> str:
    if event.cell not in state.cells:
        return f"Cell {event.cell}: not in the plan"
    cell = state.cells[event.cell].cell
    rate = spawn_rate(cell.level)
    parts = [counted(cell.models, "model"), cell.level.phrase]
    if rate != "-":
        parts.append(f"{rate} users/s")
    if cell.repeat > 1:
        parts.append(f"repeat {cell.repeat}")
    if cell.recheck:
        parts.append("recheck")
    if event.attempt > 1:
        parts.append(f"attempt {event.attempt}")
    return f"{position_text(state)}: {event.cell} ({', '.join(parts)})"


def _phase_line(state: RunState, key: str, phase: Phase) -> str:
    cell = state.cells[key].cell if key in state.cells else None
    match phase:
        case Phase.SCALING:
            return _scaling_line(state, cell)
        case Phase.RAMPING:
            return f"Ramping up to {cell.level.phrase}" if cell else "Ramping up"
        case Phase.SETTLING:
            return "Settling: waiting for steady numbers"
        case Phase.MEASURING:
            return f"Measuring for {run_time_text(state.profile)}" if state.profile else "Measuring"
        case Phase.DRAINING:
            return "Draining: finishing outstanding requests"


def _scaling_line(state: RunState, cell: Cell | None) -> str:
    settings = settings_of(state.started.driver) if state.started else None
    if settings and not settings.is_scalable:
        return "Waiting until the service is ready"
    return f"Scaling to {counted(cell.models, 'model container')}" if cell else "Scaling"


def _main_name(state: RunState) -> str:
    """Return the name of the main requests, without its middle if it is long, or an empty text."""
    return shortened_in_middle(main_of(state.profile) or "", MAX_NAME_CHARACTERS)


def _finished_line(state: RunState, key: str) -> str:
    if key not in state.cells:
        return f"{key}: not in the plan"
    row = row_of(state, state.cells[key])
    percentiles = main_percentiles(goals_of(state))
    latencies = ", ".join(f"{metric} {row.latency_text(metric.column)}" for metric in percentiles)
    missed = missed_text(row.checks)
    head = f"{key}: {row.verdict}, {missed}\n  " if missed else f"{row.verdict.capitalize()}: "
    failed = counted(row.failures or 0, "failure")
    subject = f"{name}: " if (name := _main_name(state)) else ""
    text = f"{head}{subject}{number(row.rps)} req/s, {latencies} ms, {failed}"
    if row.reasons:
        text += f"\n  Findings: {row.reasons.translate(AS_SPACES)}"
    if row.bottleneck:
        text += f"\n  Bottleneck: {row.bottleneck.text}"
    finished = state.cells[key].finished
    notes = finished.notes if finished else ()
    return text + "".join(f"\n  Note: {note_text(one, MAX_NAME_CHARACTERS)}" for one in notes)


def _run_finished_line(state: RunState, event: RunFinished) -> str:
    reason = event.reason
    if event.result is Result.DONE:
        measured = f"{state.count(CellStatus.FINISHED)} of {counted(len(state.cells), 'cell')}"
        reason = ", ".join([f"{measured} measured", *_not_measured(state)])
    line = f"Run {event.result.value}: {reason}"
    if event.left and state.started:
        run = f"{state.started.profile_name}/{state.started.run}"
        return f"{line}\n{event.left}; remove them with `loadbench-tui stop {run}`"
    return line


def _not_measured(state: RunState) -> list[str]:
    counts = {status: state.count(status) for status in (CellStatus.FAILED, CellStatus.SKIPPED)}
    found = [f"{count} {_STATUS_WORDS[status]}" for status, count in counts.items() if count]
    return [*found, *filter(None, [damage_phrase(state)])]


def _cell_line(row: Row, *, has_goals: bool) -> tuple[str, ...]:
    return (
        row.cell,
        number(row.rps),
        *map(row.latency_text, PERCENTILE_NAMES),
        "-" if row.failures is None else str(row.failures),
        *((goal_state(row) or "-",) if has_goals else ()),
        row.verdict,
    )
