"""A run as Markdown, for a job summary or a comment on GitHub."""

from collections.abc import Collection, Sequence

from loadbench import wording
from loadbench.engine.hardware.description import gpu_texts, hardware_line
from loadbench.engine.hardware.revision import revision_text
from loadbench.engine.journal.state import CellStatus, RunState
from loadbench.engine.numbers import number
from loadbench.engine.report.failures import LOG_LINES, failure_groups
from loadbench.engine.report.metrics import GoalState, goal_state, goals_of, main_percentiles
from loadbench.engine.report.recommendation.goal import all_goals
from loadbench.engine.report.recommendation.goals import missed_text
from loadbench.engine.report.recommendation.recommend import Recommendation
from loadbench.engine.report.recommendation.sentences import sentences
from loadbench.engine.report.recommendation.table import (
    configuration_legend,
    configuration_table,
)
from loadbench.engine.report.rows import Row
from loadbench.engine.requests.pages import PAGE_NAME
from loadbench.engine.run_reader import Run
from loadbench.page.markdown_text import fenced, paragraph, table, text
from loadbench.wording.recommendation import UNREADABLE
from loadbench.wording.search import search_sentences

MAX_BYTES = 60_000
"""Maximum length. GitHub refuses comments of more than 65,536 characters."""

MAX_ROWS = 50
"""Maximum number of configurations."""

MAX_DOUBTS = 10
MAX_DOUBT_CHARACTERS = 300

_GOAL_MARKS = {
    GoalState.PASSED: "✅ pass",
    GoalState.NEAR: "✅ near",
    GoalState.UNDECIDED: "❔ undecided",
    GoalState.MISSED: "❌ miss",
}
_VERDICT_MARKS = {"suspect": "⚠️ suspect", "invalid": "⚠️ invalid", "failed": "❌ failed"}


def markdown_of(run: Run) -> str:
    """Return the results of a run as Markdown of at most `MAX_BYTES`, with a newline at its end.

    The first line is the answer. If all cells do not fit, only those that explain the answer are
    shown, or as many of them as fit.
    """
    document = _document(run, run.rows)
    shown = _important(run)
    while shown and _is_too_long(document):
        document = _document(run, shown)
        shown = shown[: len(shown) // 2]
    return cut(_document(run, ())) if _is_too_long(document) else document


def _is_too_long(document: str) -> bool:
    return len(document.encode("utf-8", "replace")) > MAX_BYTES


def cut(document: str) -> str:
    """Return the first lines of a document without code blocks, as many as fit in `MAX_BYTES`."""
    lines = document.splitlines(keepends=True)
    while _is_too_long("".join(lines)):
        lines.pop()
    return "".join(lines)


def _important(run: Run) -> list[Row]:
    """Return the cells that explain the answer: at the capacity, failed, missed, then suspect."""
    found = run.recommendation
    load = found.best.capacity if found and found.best else None
    levels = load.levels if load else ()
    at_capacity = {one.cell.cell.key for level in levels for one in level.repeats}
    ranks = (
        [row for row in run.rows if row.cell in at_capacity],
        [row for row in run.rows if row.verdict == CellStatus.FAILED],
        [row for row in run.rows if goal_state(row) is GoalState.MISSED],
        [row for row in run.rows if row.findings],
    )
    return list({row.cell: row for rank in ranks for row in rank}.values())


def _document(run: Run, shown: Collection[Row]) -> str:
    """Return the document with some of the cells, in the order of the plan."""
    keys = {row.cell for row in shown}
    rows = [row for row in run.rows if row.cell in keys]
    blocks = [
        *_answer(run.recommendation, search_sentences(run.state)),
        *_configurations(run.recommendation),
        _cells(run, rows),
        _findings(rows),
        *_failures(run.state, keys),
        _origin(run),
    ]
    return "\n\n".join("\n".join(lines) for lines in blocks if any(lines)) + "\n"


def _answer(found: Recommendation | None, search: Sequence[str]) -> list[list[str]]:
    if found is None:
        return [[f"**{text(UNREADABLE)}**"]]
    answer, *others = sentences(found)
    shown = found.doubts[:MAX_DOUBTS]
    doubts = [f"- Doubt: {text(doubt, MAX_DOUBT_CHARACTERS)}." for doubt in shown]
    more = omitted(len(found.doubts) - MAX_DOUBTS, "doubt")
    return [[f"**{text(answer)}**"], [paragraph([*others, *search])], doubts, more]


def _configurations(found: Recommendation | None) -> list[list[str]]:
    if found is None or not found.configurations:
        return []
    header, body = configuration_table(found)
    rows = table(header, body[:MAX_ROWS])
    legend = paragraph([configuration_legend(rows)])
    return [rows, omitted(len(body) - MAX_ROWS, "configuration"), [legend]]


def omitted(amount: int, thing: str) -> list[str]:
    """Return how many rows a table lacks, or nothing if it is complete."""
    if amount <= 0:
        return []
    return [f"{amount} more {thing if amount == 1 else f'{thing}s'}, see {PAGE_NAME}."]


def _cells(run: Run, rows: Sequence[Row]) -> list[str]:
    """Return the table of cells, how many it lacks, and its legend."""
    goals = goals_of(run.state)
    percentiles = main_percentiles(goals)
    goal_head = ("goals",) if all_goals(goals) else ()
    header = ("cell", "req/s", *map(str, percentiles), "failures", *goal_head, "verdict ")
    body = [
        (
            row.cell,
            number(row.rps),
            *(row.latency_text(metric.column) for metric in percentiles),
            "-" if row.failures is None else str(row.failures),
            *((_goal_mark(row),) if goal_head else ()),
            _VERDICT_MARKS.get(row.verdict, row.verdict),
        )
        for row in rows
    ]
    lines = table(header, body) if body else []
    if more := omitted(len(run.rows) - len(rows), "cell"):
        lines += ["", *more]
    return [*lines, "", paragraph(map(_sentence, wording.cells_legend(run.state, rows)))]


def _goal_mark(row: Row) -> str:
    state = goal_state(row)
    return _GOAL_MARKS[state] if state else "-"


def _sentence(line: str) -> str:
    return line if line.endswith(".") else f"{line}."


def _findings(rows: Sequence[Row]) -> list[str]:
    """Return the missed goals and the findings, each with its cells."""
    cells: dict[str, list[str]] = {}
    for row in rows:
        found = [missed_text(row.checks)]
        found += [f"{row.verdict}: {row.reasons}"] if row.findings else []
        for one in filter(None, found):
            cells.setdefault(one, []).append(row.cell)
    return [f"- {text(', '.join(keys))}: {text(one)}" for one, keys in cells.items()]


def _failures(state: RunState, shown: Collection[str]) -> list[list[str]]:
    """Return why cells failed, with the last log lines. Cells with the same cause share a block."""
    blocks = []
    for keys, failed in failure_groups(state):
        if not (named := [key for key in keys if key in shown]):
            continue
        log = ["", *fenced(failed.log_lines[-LOG_LINES:])] if failed.log_lines else []
        blocks.append([f"**{text(', '.join(named))} failed:** {text(failed.reason)}", *log])
    return blocks


def _origin(run: Run) -> list[str]:
    """Return which run this is, its revisions, and on which machine."""
    state, started = run.state, run.state.started
    assert started is not None
    label = f" ({state.label})" if state.label else ""
    facts = [
        ("Run", f"{run.name}{label}, {run.status.value}, {wording.outcome_line(state)}"),
        ("End", wording.ending_sentence(state)),
        *(("Revision", revision_text(one)) for one in started.revisions[:MAX_ROWS]),
        ("Machine", hardware_line(started.hardware)),
        *(("GPU", one) for one in gpu_texts(started.hardware.get("gpus"))[:MAX_ROWS]),
    ]
    return [f"- {name}: {text(value)}" for name, value in facts if value]
