"""Everything that commands and screens compute from a run."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.fuzz.harness import require
from loadbench import wording
from loadbench.cli.exit_codes import exit_for_run
from loadbench.cli.recommendation import recommendation_text
from loadbench.cli.run import next_step
from loadbench.cli.run_list import run_list
from loadbench.engine.hardware.description import hardware_facts
from loadbench.engine.journal.progress import remaining_s
from loadbench.engine.journal.reader import JournalReader, read_attempt, read_attempt_ends
from loadbench.engine.report.export.summary import summary_csv, summary_json
from loadbench.engine.report.series import write_series
from loadbench.engine.requests.resumption import remaining_cells
from loadbench.engine.run_reader import Run, report_path
from loadbench.errors import JournalError

MAX_CELLS = 4
"""Maximum number of cells to read separately."""


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
        run_list([run], columns)
    wording.cells_table(state)
    wording.outcome_line(state)
    list(hardware_facts(state.started.hardware))
    remaining_cells(run)
    next_step(run)
    if state.profile:
        wording.progress_line(state, remaining_s(state.profile, state))
    try:
        exit_for_run(run, check=True)
    except JournalError:
        require(state.profile is None, "exit code of a run with a profile")
    for key in state.cells:
        report_path(run, key)


def read_parts(folder: Path, cells: list[str]) -> None:
    """Read the parts of a journal that commands and screens read separately."""
    reader = JournalReader(folder)
    write_series(reader.decode_all(reader.lines()), io.StringIO())
    for cell in cells[:MAX_CELLS]:
        list(read_attempt(folder, cell))
        list(read_attempt_ends(folder, cell))


def strict_json(text: str) -> Any:
    """Parse JSON without the values that only Python accepts."""
    return json.loads(text, parse_constant=_refuse("valid JSON"))


def _refuse(rule: str) -> Callable[[str], Any]:
    def refuse(constant: str) -> None:
        require(False, rule, constant)

    return refuse
