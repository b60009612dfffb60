"""The tables of cells and of repeats."""

from urllib.parse import quote

from loadbench.engine.journal.events import Verdict
from loadbench.engine.journal.state import CellStatus
from loadbench.engine.numbers import number
from loadbench.engine.report import repeats
from loadbench.engine.report.metrics import (
    AnyMetric,
    GoalState,
    Metric,
    check_state,
    goal_state,
    own_state,
)
from loadbench.engine.report.recommendation.goals import check_text, undecided_text
from loadbench.engine.report.rows import PERCENTILE_NAMES, Row
from loadbench.engine.report.sorting import has_repeats
from loadbench.engine.run_reader import Run, report_path
from loadbench.page.content.tables import Mood, PageTable, Value, text_table
from loadbench.wording import ESTIMATE_LEGEND, LATENCY_LEGEND, main_request_note, spawn_rate
from loadbench.wording.repeats import interval_legend, repeats_used, span

GOAL_TEXTS = {
    GoalState.PASSED: "✓ pass",
    GoalState.NEAR: "✓ near",
    GoalState.UNDECIDED: "? undecided",
    GoalState.MISSED: "✗ miss",
}
GOAL_MOODS = {
    GoalState.PASSED: Mood.GOOD,
    GoalState.NEAR: Mood.NEAR,
    GoalState.UNDECIDED: Mood.NEAR,
    GoalState.MISSED: Mood.BAD,
}
_VERDICTS = {
    Verdict.VALID.value: ("valid", Mood.PLAIN),
    Verdict.SUSPECT.value: ("! suspect", Mood.NEAR),
    Verdict.INVALID.value: ("✗ invalid", Mood.BAD),
    CellStatus.FAILED.value: ("✗ failed", Mood.BAD),
}
_METRICS = {metric.column: metric for metric in Metric}


def cells_table(run: Run, base: str = "") -> PageTable:
    """Return all cells with their results, linked to Locust's reports.

    Args:
        run: The run.
        base: Percent-encoded address of its folder, relative to the page. Empty for its own page.
    """
    rows = run.rows
    has_goals, repeated = any(row.checks for row in rows), has_repeats(rows)
    header = [
        "cell",
        "models",
        next((row.level.unit for row in rows), "load"),
        "users/s",
        *(["repeat"] if repeated else []),
        *("req/s", *PERCENTILE_NAMES.values(), "failures"),
        *(["goals"] if has_goals else []),
        *("verdict", "bottleneck"),
    ]
    words = {"cell", "goals", "verdict", "bottleneck"}
    return PageTable(
        header=tuple(header),
        rows=tuple(
            _cell(row, _link(run, row, base), has_goals=has_goals, repeated=repeated)
            for row in rows
        ),
        left=frozenset(i for i, name in enumerate(header) if name in words),
        wrapped=frozenset((len(header) - 1,)),
        legend=tuple(_legend(run)),
    )


def repeats_table(run: Run) -> PageTable | None:
    """Return the medians of repeated cells with their intervals, or None without repeats."""
    groups = repeats.groups(run.rows)
    if not groups:
        return None
    columns = ("rps", "p50_ms", "p95_ms", "p99_ms")
    body = [
        (group.cell, repeats_used(group), *(span(group.intervals[name]) for name in columns))
        for group in groups
    ]
    header = ("cell", "repeats", "req/s", "p50", "p95", "p99")
    return text_table(header, body, left=(0, 1), legend=interval_legend(groups))


def _link(run: Run, row: Row, base: str) -> str:
    """Return the address of the cell's report. Empty if there is none."""
    path = report_path(run, row.cell)
    return f"{base}{quote(path.name)}" if path else ""


def _cell(row: Row, href: str, *, has_goals: bool, repeated: bool) -> tuple[Value, ...]:
    verdict, mood = _VERDICTS.get(row.verdict, (row.verdict, Mood.DIM))
    failures = "-" if row.failures is None else f"{row.failures:,}"
    return (
        Value(row.cell, href=href),
        Value(str(row.models)),
        Value(row.level.label),
        Value(spawn_rate(row.level)),
        *((Value("recheck" if row.is_recheck else str(row.repeat)),) if repeated else ()),
        _limited(row, Metric.RPS, number(row.rps)),
        *(_limited(row, _METRICS.get(name), row.latency_text(name)) for name in PERCENTILE_NAMES),
        _limited(row, Metric.FAILURES, failures),
        *((_goals(row),) if has_goals else ()),
        Value(verdict, mood, hint=row.reasons),
        Value(row.bottleneck.text if row.bottleneck else ""),
    )


def _limited(row: Row, metric: AnyMetric | None, text: str) -> Value:
    """Return a value that is coloured by the goal that limits it, if there is one."""
    state = own_state(row, metric) if metric else None
    return Value(text, GOAL_MOODS[state] if state else Mood.PLAIN)


def _goals(row: Row) -> Value:
    state = goal_state(row)
    if state is None:
        return Value("-")
    hint = "; ".join(
        undecided_text(check)
        if check_state(check) is GoalState.UNDECIDED
        else check_text(check, marks_near=False)
        for check in row.checks
    )
    return Value(GOAL_TEXTS[state], GOAL_MOODS[state], hint=hint)


def _legend(run: Run) -> list[str]:
    rows, note = run.rows, main_request_note(run.state)
    states = {goal_state(row) for row in rows}
    lines = [note] if note else []
    lines.append(LATENCY_LEGEND)
    if any(row.few_samples for row in rows):
        lines.append(f"{ESTIMATE_LEGEND}.")
    if GoalState.NEAR in states:
        lines.append("✓ near: within 10 % of a goal.")
    if GoalState.UNDECIDED in states:
        lines.append("? undecided: too few requests.")
    return lines
