"""Write `summary.csv` and `summary.json`: the results and verdicts of all cells of a run."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from loadbench.engine.bounds.parsing import BadInputError
from loadbench.engine.files import write_atomically
from loadbench.engine.journal.events import CellFinished
from loadbench.engine.journal.state import RunState
from loadbench.engine.measure.main_request import main_of
from loadbench.engine.report.drift import drift_of
from loadbench.engine.report.evidence.notes import note_text
from loadbench.engine.report.export.kept import (
    kept_message,
    lost_results,
    recorded_results,
    unreadable_message,
)
from loadbench.engine.report.measurements.statistics import cell_measurements, measurement_record
from loadbench.engine.report.recommendation.recommend import recommendation_of
from loadbench.engine.report.recommendation.record import record_of_recommendation
from loadbench.engine.report.repeats import groups, record_of_group
from loadbench.engine.report.rows import COLUMNS, Row, RowCache, record_of
from loadbench.engine.report.statistics import cell_statistics, name_records
from loadbench.engine.report.target.replicas import replica_rows
from loadbench.errors import SummaryKeptError

CSV_NAME = "summary.csv"
JSON_NAME = "summary.json"
_LISTS = ("replicas", "early_failures", "names", "measurements", "notes")
VERSION = 1
"""Version of the structure of `summary.json`, documented in docs/summary.md. It increases when a
field is removed or changes its meaning, but not when one is added."""


def summary_csv(state: RunState) -> str:
    """Return the cells of a run as CSV, one row per cell. Missing values are empty."""
    return _Texts().of(state)[CSV_NAME]


def summary_json(state: RunState) -> str:
    """Return a run and its cells as a JSON object. Missing values are null."""
    return _Texts().of(state)[JSON_NAME]


def write_summary(state: RunState, folder: Path) -> list[Path]:
    """Write both files once; see `SummaryWriter.write`."""
    return SummaryWriter(folder).write(state)


class SummaryWriter:
    """Writes the summary of one run, and formats only the cells that have changed since then.

    Args:
        folder: The run's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._texts = _Texts()
        self._recorded: Mapping[str, int] | None = None
        """Results in the existing file, by cell. None if it has not been read."""

    def check(self, state: RunState) -> None:
        """Check that the existing file has no results that the state lacks.

        Raises:
            SummaryKeptError: It has. The message names the cells.
        """
        if self._recorded is None:
            run = state.started.run if state.started else ""
            try:
                self._recorded = recorded_results(self._folder / JSON_NAME, run)
            except (OSError, BadInputError) as error:
                if state.damaged_lines:
                    message = unreadable_message(error, self._folder)
                    raise SummaryKeptError(message) from error
                self._recorded = {}
        if lost := lost_results(self._recorded, state):
            raise SummaryKeptError(kept_message(lost, state, self._folder))

    def write(self, state: RunState) -> list[Path]:
        """Write both files, each atomically.

        Raises:
            SummaryKeptError: The existing file has results that the state lacks. It is kept.
            DiskFullError: No space is left on the device.
            JournalError: Writing failed for another reason.
        """
        self.check(state)
        texts = self._texts.of(state)
        for name, text in texts.items():
            write_atomically(self._folder / name, text.encode("utf-8", "replace"))
        self._recorded = {}
        return [self._folder / name for name in texts]


class _Texts:
    """Formats the summary of one run, and only the cells that have changed since the last call."""

    def __init__(self) -> None:
        self._rows = RowCache()
        self._cells: dict[str, tuple[Row, str, str]] = {}
        """Row of each cell, and its text in both files."""

    def of(self, state: RunState) -> dict[str, str]:
        """Return the text of both files, by name."""
        rows = self._rows.rows(state)
        for row in rows:
            if row.cell not in self._cells or self._cells[row.cell][0] is not row:
                self._cells[row.cell] = row, _csv_line(row), _json(_cell(row, state))
        cells = [self._cells[row.cell] for row in rows]
        header = f"{','.join(COLUMNS)}\n"
        return {
            CSV_NAME: header + "".join(line for _, line, _ in cells),
            JSON_NAME: _run_json(state, rows, [text for _, _, text in cells]),
        }


def _run_json(state: RunState, rows: Iterable[Row], cells: Iterable[str]) -> str:
    started, finished = state.started, state.finished
    assert started is not None
    drift, recommendation = drift_of(state), recommendation_of(state)
    texts = {
        "version": _json(VERSION),
        "run": _json(started.run),
        "profile_name": _json(started.profile_name),
        "label": _json(state.label),
        "started_at": _json(state.started_at),
        "result": _json(finished.result.value if finished else None),
        "reason": _json(finished.reason if finished else None),
        "main": _json(main_of(state.profile)),
        "damaged_lines": _json(state.damaged_lines),
        "recommendation": _json(
            record_of_recommendation(recommendation) if recommendation else None
        ),
        "search": _json(asdict(state.search_ended) if state.search_ended else None),
        "driver": _json(started.driver),
        "target": _json(asdict(started.target) if started.target else None),
        "revisions": _json([asdict(one) for one in started.revisions]),
        "hardware": _json(started.hardware),
        "versions": _json(started.versions),
        "images": _json(dict(state.images)),
        "profile": _json(started.profile),
        "cells": _json_lines(cells),
        "repeats": _json_lines(_json(record_of_group(group)) for group in groups(rows)),
        "drift": _json(drift.as_dict() if drift else None),
    }
    fields = ",\n".join(f'  "{name}": {text}' for name, text in texts.items())
    return f"{{\n{fields}\n}}\n"


def _json_lines(texts: Iterable[str]) -> str:
    """Return a list with one item per line."""
    items = ",\n    ".join(texts)
    return f"[\n    {items}\n  ]" if items else "[]"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _csv_line(row: Row) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(record_of(row).values())
    return out.getvalue()


def _cell(row: Row, state: RunState) -> dict[str, Any]:
    """Return a cell's row with the conditions of its window, without their histograms."""
    finished = state.cells[row.cell].finished if row.requests is not None else None
    recorded = asdict(finished.circumstances) if finished and finished.circumstances else {}
    conditions = {name: value for name, value in recorded.items() if name not in ("gaps", "lag")}
    return {
        **record_of(row),
        "circumstances": conditions or None,
        "host": finished.host or None if finished else None,
        **(_lists(finished, main_of(state.profile)) if finished else dict.fromkeys(_LISTS, ())),
    }


def _lists(finished: CellFinished, main: str | None) -> dict[str, Any]:
    """Return the fields of a finished cell that have several values."""
    return {
        "replicas": [asdict(one) for one in replica_rows(finished)],
        "early_failures": [asdict(one) for one in finished.early_failures],
        "names": name_records(cell_statistics(finished, main)),
        "measurements": [measurement_record(one) for one in cell_measurements(finished)],
        "notes": [{**asdict(one), "text": note_text(one)} for one in finished.notes],
    }
