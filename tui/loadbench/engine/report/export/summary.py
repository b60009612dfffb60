"""Write `summary.csv` and `summary.json`: the results and verdicts of all cells of a run."""

import csv
import io
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from loadbench.engine.files import write_atomically
from loadbench.engine.journal.state import RunState
from loadbench.engine.report.drift import drift_of
from loadbench.engine.report.recommendation.recommend import recommendation_of
from loadbench.engine.report.recommendation.record import record_of_recommendation
from loadbench.engine.report.repeats import groups, record_of_group
from loadbench.engine.report.rows import COLUMNS, Row, record_of, rows

CSV_NAME = "summary.csv"
JSON_NAME = "summary.json"
VERSION = 1
"""Version of the structure of `summary.json`, documented in docs/summary.md. It increases when a
field is removed or changes its meaning, but not when one is added."""


def summary_csv(state: RunState) -> str:
    """Return the cells of a run as CSV, one row per cell. Missing values are empty."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(record_of(row) for row in rows(state))
    return out.getvalue()


def summary_json(state: RunState) -> str:
    """Return a run and its cells as a JSON object. Missing values are null."""
    started, finished = state.started, state.finished
    assert started is not None
    drift, recommendation = drift_of(state), recommendation_of(state)
    summary = {
        "version": VERSION,
        "run": started.run,
        "profile_name": started.profile_name,
        "label": state.label,
        "started_at": state.started_at,
        "result": finished.result.value if finished else None,
        "reason": finished.reason if finished else None,
        "recommendation": record_of_recommendation(recommendation) if recommendation else None,
        "driver": started.driver,
        "hardware": started.hardware,
        "versions": started.versions,
        "images": dict(state.images),
        "profile": started.profile,
        "cells": [_cell(row, state) for row in rows(state)],
        "repeats": [record_of_group(group) for group in groups(state)],
        "drift": drift.as_dict() if drift else None,
    }
    return json.dumps(summary, indent=2, ensure_ascii=False) + "\n"


def _cell(row: Row, state: RunState) -> dict[str, Any]:
    """Return a cell's row with the conditions of its window, without their histograms."""
    finished = state.cells[row.cell].finished if row.requests is not None else None
    recorded = asdict(finished.circumstances) if finished and finished.circumstances else {}
    conditions = {name: value for name, value in recorded.items() if name not in ("gaps", "lag")}
    return {**record_of(row), "circumstances": conditions or None}


def write_summary(state: RunState, folder: Path) -> list[Path]:
    """Write both files, each atomically.

    Raises:
        DiskFullError: No space is left on the device.
        JournalError: Writing failed for another reason.
    """
    texts = {CSV_NAME: summary_csv(state), JSON_NAME: summary_json(state)}
    for name, text in texts.items():
        write_atomically(folder / name, text.encode("utf-8", "replace"))
    return [folder / name for name in texts]
