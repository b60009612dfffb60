"""Everything that commands and screens compute from a run."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.fuzz.harness import require
from loadbench import wording
from loadbench.cli.report.exits import exit_for_run
from loadbench.cli.report.recommendation import recommendation_text
from loadbench.cli.report.run_list import run_list
from loadbench.cli.run import next_step
from loadbench.engine.hardware.description import hardware_facts
from loadbench.engine.journal.events import Note
from loadbench.engine.journal.reader import JournalReader
from loadbench.engine.journal.timing.progress import remaining_s
from loadbench.engine.journal.writer import JournalWriter
from loadbench.engine.report.export.summary import summary_csv, summary_json
from loadbench.engine.report.series import write_series
from loadbench.engine.requests.resumption import plan_resumption, remaining_cells
from loadbench.engine.run_reader import Run, read_run, report_path
from loadbench.errors import JournalError


def look(run: Run) -> None:
    """Compute everything that commands show of a run."""
    state = run.state
    assert state.started is not None
    cells = run.rows
    require([row.cell for row in cells] == list(state.cells), "one row per cell")
    summary = strict_json(summary_json(state))
    require(len(summary["cells"]) == len(cells), "one object per cell in summary.json")
    records = list(csv.DictReader(io.StringIO(summary_csv(state), newline="")))
    require(len(records) == len(cells), "one row per cell in summary.csv")
    for columns in (None, 80):
        recommendation_text(run.recommendation, columns)
        run_list([(1, run)], columns)
    wording.cells_table(state)
    wording.outcome_line(state)
    list(hardware_facts(state.started.hardware))
    remaining_cells(run)
    next_step(run)
    if state.profile:
        wording.progress_line(state, remaining_s(state.profile, state))
        plan_resumption(state)
    try:
        exit_for_run(run, check=True)
    except JournalError:
        require(state.profile is None, "exit code of a run with a profile")
    for key in state.cells:
        report_path(run, key)
    reader = JournalReader(run.folder)
    write_series(reader.decode_all(reader.lines()), io.StringIO())


def reopen(folder: Path) -> None:
    """Open a journal to continue it, as a resumed run does, and read what is added."""
    writer = JournalWriter(folder)
    text = "added by a resumed run"
    writer.append(Note(text=text))
    writer.close()
    messages = read_run(folder).state.messages
    require(messages[-1].text == text, "an entry of a resumed run is read", messages[-1:])


def strict_json(text: str) -> Any:
    """Parse JSON without the values that only Python accepts."""
    return json.loads(text, parse_constant=_refuse("valid JSON"))


def _refuse(rule: str) -> Callable[[str], Any]:
    def refuse(constant: str) -> None:
        require(False, rule, constant)

    return refuse
