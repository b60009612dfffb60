"""Derive from a run everything that the views show, to find inputs that make one of them fail."""

import json
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

from loadbench import wording
from loadbench.cli.report.recommendation import recommendation_text
from loadbench.cli.report.result import damage_message
from loadbench.cli.report.run_list import run_list
from loadbench.engine.journal.codec import Entry
from loadbench.engine.journal.reader import JournalReader, read_attempt, read_attempt_ends
from loadbench.engine.journal.state import RunState, fold
from loadbench.engine.journal.timing.progress import remaining_s
from loadbench.engine.report.export.summary import summary_csv, summary_json
from loadbench.engine.report.highlights import highlights_since
from loadbench.engine.report.metrics import metrics_of
from loadbench.engine.report.series import write_series
from loadbench.engine.run_reader import Run, RunReader, expected_durations
from loadbench.errors import JournalError
from loadbench.page.content.run_page import run_page
from loadbench.page.render import DrawnCharts, render_run
from loadbench.ui.following.figures import FigureReader
from loadbench.ui.lines.charts.by_level import chart_by_level
from loadbench.ui.lines.events import event_cell, event_outcome, local_time
from loadbench.ui.lines.glyphs import UNICODE
from loadbench.ui.lines.metric import metric_text
from loadbench.ui.reports.lines import cell_values, repeated_lines, run_lines
from loadbench.ui.run.lines import header_lines
from loadbench.wording.measurements import measurements_table

PAGE_TIME = datetime(2026, 11, 22, 7, 21, tzinfo=UTC)


def derive_all(folder: Path) -> Run | None:
    """Derive everything that views show of a run.

    Returns:
        The run, or None if it is unreadable, which is an answer, too.
    """

    def show(entry: Entry, state: RunState) -> None:
        wording.event_line(entry, state)
        event_outcome(entry.event)
        event_cell(entry.event, state)
        local_time(entry.at)

    try:
        run = RunReader(folder, on_entry=show).poll()
    except JournalError:
        return None
    run.results.compute()
    json.loads(summary_json(run.state))
    summary_csv(run.state)
    wording.cells_table(run.state)
    measurements_table(run.state)
    damage_message(run)
    recommendation_text(run.recommendation, 80)
    run_list([(1, run)], 80)
    run_lines(run, UNICODE, 80)
    render_run(run_page(run), DrawnCharts(), PAGE_TIME)
    repeated_lines(run, 80)
    FigureReader().of(run.state)
    metrics = metrics_of(run.state)
    for metric in metrics:
        chart_by_level(run.state, metric)
    for row in run.rows:
        cell_values(row)
        for metric in metrics:
            metric_text(row, metric)
    if profile := run.state.profile:
        header_lines(run, profile, run.state.elapsed_s, UNICODE, 80)
        wording.progress_line(run.state, remaining_s(profile, run.state))
        expected_durations(profile, [run])
    reader = JournalReader(folder)
    highlights_since(reader.decode_all(reader.wanted(max_samples=0)), 0)
    write_series(reader.decode_all(JournalReader(folder).lines()), StringIO())
    for key in list(run.state.cells)[:3]:
        FigureReader().of(fold(read_attempt(folder, key)))
        list(read_attempt_ends(folder, key))
    return run
