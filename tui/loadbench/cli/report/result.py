"""Prints the results of a run: recommendation, tables, what was measured, and hardware."""

import json

from loadbench import wording
from loadbench.cli import output
from loadbench.cli.report.recommendation import recommendation_text
from loadbench.engine.hardware.description import hardware_facts
from loadbench.engine.hardware.revision import revision_text
from loadbench.engine.journal.codec import FILE_NAME
from loadbench.engine.journal.state import RunState
from loadbench.engine.numbers import number
from loadbench.engine.report.damage import damage_phrase, lost_cells
from loadbench.engine.report.evidence.notes import MAX_NAME_CHARACTERS, note_text
from loadbench.engine.report.export.summary import summary_json
from loadbench.engine.report.target.facts import target_facts
from loadbench.engine.report.target.replicas import replica_rows
from loadbench.engine.requests.pages import PAGE_NAME
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.paths import is_file
from loadbench.wording.measurements import measurements_table
from loadbench.wording.search import search_sentences


def print_result(run: Run, *, as_json: bool) -> None:
    """Print the recommendation, the results table and the folder of a run, or its summary as JSON.

    Args:
        run: The run.
        as_json: Whether to print the summary as one line of JSON.
    """
    if as_json:
        output.json_line(json.loads(summary_json(run.state)))
        return
    if damage := damage_message(run):
        output.message(damage)
    columns = output.columns()
    search = search_sentences(run.state)
    texts = recommendation_text(run.recommendation, columns, search)
    cells = "\n".join(wording.cells_table(run.state)).split("\n")
    texts += cells if columns is None else wording.wrapped(cells, columns)
    output.data("\n".join(["", *texts, "", wording.outcome_line(run.state)]))
    if replicas := _replica_lines(run.state):
        output.data("\n".join(["", *replicas, ""]))
    if measured := measurements_table(run.state):
        lines = measured if columns is None else wording.wrapped(measured, columns)
        output.data("\n".join(["", *lines, ""]))
    for note in _notes(run.state):
        output.data(note)
    for label, value in _origin(run.state):
        output.data(f"{label}: {value}")
    output.data(f"Reports: {run.folder}")
    if is_file(run.folder / PAGE_NAME):
        output.data(f"Page: {run.folder / PAGE_NAME}")


def _origin(state: RunState) -> list[tuple[str, str]]:
    """Return labels and texts: what was measured, its revisions, and on which hardware."""
    started = state.started
    assert started is not None
    facts: list[tuple[str, str]] = [*target_facts(started.target)] if started.target else []
    revisions = [("Revision", revision_text(one)) for one in started.revisions]
    return [*facts, *revisions, *hardware_facts(started.hardware)]


def _notes(state: RunState) -> list[str]:
    """Return the observations about the request events of all cells, one per line."""
    return [
        f"{key} note: {note_text(note, MAX_NAME_CHARACTERS)}"
        for key, cell in state.cells.items()
        for note in (cell.finished.notes if cell.finished else ())
    ]


def damage_message(run: Run) -> str:
    """Return which results are lost through damaged lines. Empty if no line is damaged."""
    is_live = run.status is RunStatus.LIVE
    lost = lost_cells(run.state, is_live=is_live)
    phrase = damage_phrase(run.state)
    message = f"{run.folder / FILE_NAME}: {phrase}" if phrase else ""
    if not lost:
        return message
    has = "has" if len(lost) == 1 else "have"
    message += f"; {', '.join(lost)} {has} no readable result"
    return message if is_live else f"{message}. To measure: loadbench-tui run --resume {run.name}"


def _replica_lines(state: RunState) -> list[str]:
    """Return a table of the requests by replica. Empty if no cell has several replicas."""
    body = []
    for key, cell in state.cells.items():
        rows = replica_rows(cell.finished) if cell.finished else ()
        for row in rows if len(rows) > 1 else ():
            percentiles = (row.p50_ms, row.p95_ms, row.p99_ms)
            shown = ("-" if value is None else number(value) for value in percentiles)
            counts = (str(row.requests), f"{100 * row.share:.1f} %", str(row.failures))
            body.append((key, row.name, *counts, *shown))
    header = ("cell", "replica", "requests", "share", "failures", "p50", "p95", "p99")
    return wording.table(header, body, left=2) if body else []
