"""How values look in plain text: tables, numbers, one line an event. Pure."""

import textwrap
from collections.abc import Sequence
from pathlib import Path

from loadbench.engine.journal.codec import Entry
from loadbench.engine.journal.events import (
    CellFailed,
    CellFinished,
    CellPhase,
    CellSkipped,
    CellStarted,
    CommandAnswered,
    Note,
    Phase,
    RunFinished,
    RunResumed,
    RunStarted,
    StackProgress,
)
from loadbench.engine.journal.state import OVER, CellStatus, RunState
from loadbench.engine.measure.buckets import count, percentile, successes
from loadbench.engine.numbers import latency, number
from loadbench.engine.profile.duration import readable_duration
from loadbench.engine.profile.levels import Level
from loadbench.engine.report import repeats
from loadbench.engine.report.drift import drift_of
from loadbench.engine.report.rows import PERCENTILE_NAMES, Row, row_of, rows

LOG_LINES = 5
"""Of what failed; stack.log has them all."""

RATE_LEGEND = "rate: users started per second, all at once each second (2.5: 2 every 0.8 s)"

CELL_LEGEND = "cell: m models, u users, s users started per second, in batches once a second"

FEW_SAMPLES = "~ fewer than ten lie beyond it"
"""What the mark of a percentile means that too few samples are behind."""

IN_BATCHES = "in batches once a second"
"""What is said of spawn rates where there is little room."""

_PHASE_WORDS = {
    Phase.SCALING: "scaling the stack",
    Phase.RAMPING: "starting users",
    Phase.SETTLING: "waiting for steady numbers",
    Phase.MEASURING: "measuring",
    Phase.DRAINING: "ending users",
}


def table(header: Sequence[str], body: Sequence[Sequence[str]], *, left: int = 1) -> list[str]:
    """Return the lines of a table, columns as wide as their longest value.

    Args:
        header: The names of the columns.
        body: Rows of as many texts each.
        left: How many of the first columns are aligned left; the others are numbers. The last
            column is aligned left if its name ends with a space.
    """
    lines = [list(header), *[list(row) for row in body]]
    widths = [max(len(row[i].rstrip()) for row in lines) for i in range(len(header))]
    last_is_text = header[-1].endswith(" ")

    def pad(i: int, value: str) -> str:
        is_text = i < left or (last_is_text and i == len(header) - 1)
        return value.strip().ljust(widths[i]) if is_text else value.strip().rjust(widths[i])

    return ["  ".join(pad(i, value) for i, value in enumerate(row)).rstrip() for row in lines]


def spawn_rate(level: Level) -> str:
    """Return how many users a level starts per second, `-` where that is not a number of it."""
    rate = level.fields.get("spawn_rate")
    return "-" if rate is None else f"{rate:g}"


def goes_on(folder: Path) -> str:
    """Return that a run goes on, and how to see it again."""
    return f"{folder.parent.name}/{folder.name} goes on; `loadbench-tui attach` shows it"


def printable(text: str) -> str:
    """Return a text without what would steer a terminal: services may say anything."""
    kept = (c if c in "\n\t" or c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return "".join(kept)


def wrapped(lines: Sequence[str], columns: int) -> list[str]:
    """Return the lines with those broken between words that are longer than so many columns."""
    return [part for line in lines for part in _wrap(line, columns)]


def _wrap(line: str, columns: int) -> list[str]:
    if len(line) <= columns:
        return [line]
    return textwrap.wrap(line, columns, subsequent_indent="  ")


def counted(amount: int, thing: str) -> str:
    """Return an amount of things, such as `1 cell` and `2 cells`."""
    return f"{amount} {thing}" if amount == 1 else f"{amount} {thing}s"


def cells_table(state: RunState) -> list[str]:
    """Return a run's cells with their main numbers, and below them what is to be said of them.

    That is a line for each group of repeats, how far the first cell has drifted, why cells are in
    doubt, and what bounds each; each of them where there is something to say.
    """
    header = ("cell", "req/s", *PERCENTILE_NAMES.values(), "fails", "verdict ")
    cells = rows(state)
    lines = table(header, [_cell_line(row) for row in cells])
    lines += [CELL_LEGEND, "latency p50 to max in ms, of successes"]
    if any(row.few_samples for row in cells):
        lines[-1] += f"; {FEW_SAMPLES}"
    if repeated := repeats.groups(state):
        lines += ["", *repeats_table(repeated)]
    if drift := drift_of(state):
        lines += ["", drift.sentence]
    doubts: dict[str, list[str]] = {}
    for row in cells:
        if row.reasons:
            doubts.setdefault(f"{row.verdict}: {row.reasons}", []).append(row.cell)
    if doubts:
        lines += ["", *(f"{', '.join(keys)} {doubt}" for doubt, keys in doubts.items())]
    if bounds := [f"{row.cell} {row.bottleneck.text}" for row in cells if row.bottleneck]:
        lines += ["", "what bounds each cell:", *bounds]
    return lines


def repeats_table(groups: Sequence[repeats.Group]) -> list[str]:
    """Return a table with a line for each group of repeats, and what its brackets mean."""
    header = ("cell", "repeats", "req/s", "p50", "p95", "p99")
    columns = ("rps", "p50_ms", "p95_ms", "p99_ms")
    body = [
        (it.cell, repeats_used(it), *(span(it.intervals[name]) for name in columns))
        for it in groups
    ]
    return [*table(header, body), *span_legend(groups)]


def repeats_used(group: repeats.Group) -> str:
    """Return how many repeats count: `3`, or `2 of 3, 1 suspect`."""
    few = group.used < group.planned
    used = f"{group.used} of {group.planned}" if few else str(group.used)
    return f"{used}, {group.suspect} suspect" if group.suspect else used


def span(interval: repeats.Interval | None) -> str:
    """Return a median and where it may lie, `43.1 [41.0, 45.2]`; of one value, that alone."""
    if interval is None or not interval.coverage:
        return number(interval.median if interval else None)
    return f"{number(interval.median)} [{number(interval.low)}, {number(interval.high)}]"


def span_legend(groups: Sequence[repeats.Group]) -> list[str]:
    """Return what the brackets of these groups mean; nothing where no group has any."""
    sizes = sorted({it.used for it in groups if it.used > 1})
    few = [size for size in sizes if size < repeats.FEWEST]
    lines = []
    if len(few) < len(sizes):
        lines.append("[low, high]: 95 % interval of the median, from order statistics")
    if few:
        of = f" of fewer than {repeats.FEWEST} repeats" if lines else ""
        covers = ", ".join(
            f"with {n} repeats the true median is in it with {100 * repeats.coverage(n):.3g} %"
            for n in few
        )
        lines.append(
            f"[low, high]{of}: all repeats lie in it; {covers}, "
            f"{repeats.FEWEST} repeats would give 95 %"
        )
    return lines


def event_line(entry: Entry, state: RunState) -> str | None:
    """Return what a person is told of an entry; None: nothing.

    Args:
        entry: The entry.
        state: The state of the run after it.
    """
    match entry.event:
        case RunStarted() as event:
            cells = counted(len(event.cells), "cell")
            driver = f"driver {event.driver} ({event.driver_reason})"
            return f"{event.profile_name}/{event.run}: {cells}, {driver}"
        case RunResumed() if state.started:
            name = f"{state.started.profile_name}/{state.started.run}"
            return f"{name} resumed: {len(state.outstanding)} of {len(state.cells)} cells to go"
        case StackProgress(step=step, line=line):
            return f"  {step}: {line}"
        case CellStarted(cell=key, attempt=attempt):
            again = f", attempt {attempt}" if attempt > 1 else ""
            return f"{key} (cell {position(state)} of {len(state.cells)}{again})"
        case CellPhase(phase=phase):
            return f"  {_PHASE_WORDS[phase]}"
        case CellFinished(cell=key):
            return f"  {_finished_line(state, key)}"
        case CellFailed() as event:
            log = "".join(f"\n    | {line}" for line in event.log_lines[-LOG_LINES:])
            return f"  failed: {event.reason}{log}"
        case CellSkipped(cell=key, reason=reason):
            return f"  {key} skipped: {reason}"
        case CommandAnswered(message=message) | Note(text=message):
            return f"  {message}"
        case RunFinished(result=result, reason=reason, left=left):
            told = f"{result.value}: {reason}"
            return f"{told}\n{left}; `loadbench-tui stop RUN` removes them" if left else told
        case _:
            return None


def outcome_line(state: RunState) -> str:
    """Return how many cells came to what."""
    counts = {status: state.count(status) for status in OVER}
    left = len(state.outstanding)
    said = [f"{count} {status.value}" for status, count in counts.items() if count]
    if left:
        said.append(f"{left} not run")
    return f"{counted(len(state.cells), 'cell')}: {', '.join(said)}"


def short_outcome(state: RunState) -> str:
    """Return how many cells came to what, for a column of a table."""
    counts = {status: state.count(status) for status in (CellStatus.FAILED, CellStatus.SKIPPED)}
    others = [f"{count} {status.value}" for status, count in counts.items() if count]
    return ", ".join([f"{state.count(CellStatus.FINISHED)} of {len(state.cells)}", *others])


def progress_line(state: RunState, remaining_s: float) -> str:
    """Return where a live run stands, on one line.

    Args:
        state: The run.
        remaining_s: The estimate of the seconds that it still takes.
    """
    where = f"cell {position(state) or state.count(*OVER)} of {len(state.cells)}"
    said = [f"{where}, {state.current}" if state.current else where]
    if state.phase:
        since = max(0.0, state.elapsed_s - state.phase_since_s)
        said.append(f"{state.phase.value} {since:.0f} s")
    if state.samples:
        newest = successes(state.samples[-1].requests)
        said.append(f"{count(newest)} req/s · p90 {number(percentile(newest, 0.9))} ms")
    if state.paused:
        said.append("paused")
    return " · ".join([*said, f"{readable_duration(remaining_s)} left"])


def standing(row: Row) -> str:
    """Return the verdict on a cell, or what became of it."""
    return row.verdict if row.verdict != CellStatus.PENDING.value else "not run"


def position(state: RunState) -> int:
    """Return the number of the current cell in the plan, from 1; 0: there is none."""
    keys = list(state.cells)
    return keys.index(state.current) + 1 if state.current in keys else 0


def _finished_line(state: RunState, key: str) -> str:
    if key not in state.cells:
        return f"{key} is not in the plan"
    row = row_of(state, state.cells[key])
    p50, p90, p99 = (
        latency(getattr(row, name), backed=row.has_enough_samples(name))
        for name in ("p50_ms", "p90_ms", "p99_ms")
    )
    said = (
        f"{number(row.rps)} req/s, p50 {p50} p90 {p90} p99 {p99} ms, "
        f"{row.failures} failures, {row.verdict}"
    )
    said = f"{said}: {row.reasons}" if row.reasons else said
    return f"{said}\n  bound by {row.bottleneck.text}" if row.bottleneck else said


def _cell_line(row: Row) -> tuple[str, ...]:
    return (
        row.cell,
        number(row.rps),
        *(
            latency(getattr(row, name), backed=row.has_enough_samples(name))
            for name in PERCENTILE_NAMES
        ),
        "-" if row.failures is None else str(row.failures),
        standing(row),
    )
