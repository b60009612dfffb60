"""The values computed from golden journals equal the recorded ones.

Only values, rule ids and kinds are compared. Texts are for people and may be reworded.
"""

import json
import os
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from loadbench.engine.journal.events import UNRECORDED
from loadbench.engine.journal.state import CellState, CellStatus, RunState
from loadbench.engine.report.drift import Drift, drift_of
from loadbench.engine.report.repeats import groups, record_of_group
from loadbench.engine.report.rows import Row, record_of, rows
from loadbench.engine.report.verdicts import judge_in_run
from loadbench.engine.run_reader import Run, read_run
from tests.support.golden import JOURNALS

EXPECTED = JOURNALS / "expected"
NAMES = sorted(
    [path.stem for path in JOURNALS.glob("*.jsonl")]
    + [f"verdicts-{path.stem}" for path in (JOURNALS / "verdicts").glob("*.jsonl")]
)
TEXTS = ("reasons", "bound")


def golden(name: str, tmp_path: Path) -> Run:
    """The run of a journal; the prefix `verdicts-` stands for the folder `verdicts/`."""
    folder = tmp_path / "bench" / name
    folder.mkdir(parents=True)
    path = JOURNALS / f"{name.replace('verdicts-', 'verdicts/')}.jsonl"
    shutil.copy(path, folder / "journal.jsonl")
    return read_run(folder)


def expected(name: str) -> Any:
    return json.loads((EXPECTED / f"{name}.json").read_text(encoding="utf-8"))


def rules_of(state: RunState, cell: CellState) -> list[str]:
    """The rules that apply to a cell's recorded evidence."""
    if cell.status is not CellStatus.FINISHED or cell.finished is None:
        return []
    return [finding.rule for finding in judge_in_run(state, cell.cell, cell.finished)[1]]


def cell_values(state: RunState, row: Row) -> dict[str, Any]:
    record = {name: value for name, value in record_of(row).items() if name not in TEXTS}
    return {
        "row": record,
        "rules": rules_of(state, state.cells[row.cell]),
        "bottleneck": row.bottleneck.kind.value if row.bottleneck else None,
    }


def drift_values(drift: Drift | None) -> dict[str, Any] | None:
    if drift is None:
        return None
    change, drifted = asdict(drift.change), drift.reason is not None
    return {**asdict(drift), "change": change, "drifted": drifted}


def values(run: Run) -> Any:
    """The compared values of a run, as parsed from JSON."""
    state = run.state
    found = {
        "status": run.status.value,
        "cells": {row.cell: cell_values(state, row) for row in rows(state)},
        "repeats": [record_of_group(group) for group in groups(rows(state))],
        "drift": drift_values(drift_of(state)),
    }
    return json.loads(json.dumps(found))


def test_every_golden_journal_has_its_expectations(tmp_path: Path) -> None:
    """UPDATE_EXPECTED=1 writes missing expectations and keeps existing ones."""
    if os.environ.get("UPDATE_EXPECTED"):
        for name in NAMES:
            file = EXPECTED / f"{name}.json"
            if not file.exists():
                text = json.dumps(values(golden(name, tmp_path)), indent=1, sort_keys=True)
                file.write_text(f"{text}\n", encoding="utf-8")

    assert sorted(path.stem for path in EXPECTED.glob("*.json")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_values_of_a_golden_journal_equal_the_recorded_ones(name: str, tmp_path: Path) -> None:
    found, recorded = values(golden(name, tmp_path)), expected(name)
    for key, cell in recorded["cells"].items():
        # Columns added later were not recorded.
        row = found["cells"][key]["row"]
        found["cells"][key]["row"] = {name: row[name] for name in cell["row"]}

    assert found == recorded


@pytest.mark.parametrize("name", NAMES)
def test_recorded_verdicts_are_kept_and_their_findings_get_rule_ids(
    name: str, tmp_path: Path
) -> None:
    state = golden(name, tmp_path).state
    cells = expected(name)["cells"]
    for key, cell in state.cells.items():
        finished = cell.finished if cell.status is CellStatus.FINISHED else None
        if finished is None:
            continue
        rules, ids = cells[key]["rules"], [finding.rule for finding in finished.findings]
        assert ids in (rules, [UNRECORDED] * len(ids)), key
        assert (ids == rules) is (len(rules) == len(ids)), key


def test_a_changed_number_is_detected(tmp_path: Path) -> None:
    """Changing a single number of a journal changes the compared values."""
    run = golden("demo", tmp_path)
    path = run.folder / "journal.jsonl"
    recorded = path.read_text(encoding="utf-8")
    path.write_text(recorded.replace('"completed":', '"completed":1', 1), encoding="utf-8")

    assert values(read_run(run.folder)) != expected("demo")
