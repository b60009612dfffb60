"""Everything that screens show of a run, as lines."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bench.fuzz.harness import require
from loadbench.engine.catalog import Catalog
from loadbench.engine.journal.codec import Entry
from loadbench.engine.journal.events import CellFinished, Sample
from loadbench.engine.journal.reader import JournalReader, read_attempt, read_attempt_ends
from loadbench.engine.journal.state import RunState, fold
from loadbench.engine.profile.model import Profile
from loadbench.engine.report.evidence.collect import window_evidence
from loadbench.engine.report.export.locust_html import with_note
from loadbench.engine.report.highlights import highlights_since
from loadbench.engine.report.metrics import Metric, default_metric, goals_of
from loadbench.engine.report.rows import Row
from loadbench.engine.report.slices import Slice
from loadbench.engine.run_reader import Run, RunStatus, expected_durations
from loadbench.ui.catch_up.lines import catch_up_entries, catch_up_title, summary
from loadbench.ui.cell.evidence import evidence
from loadbench.ui.cell.lines import cell_header_lines, errors_panel, figures_panel, verdict_lines
from loadbench.ui.following.figures import FigureReader
from loadbench.ui.lines.cell import CellView
from loadbench.ui.lines.charts.by_level import chart_by_level
from loadbench.ui.lines.charts.plot import draw
from loadbench.ui.lines.charts.series import goal_note, latency_chart, throughput_chart
from loadbench.ui.lines.charts.usage import recent_usage, usage_in_slices, usage_line
from loadbench.ui.lines.containers import container_entries, container_line
from loadbench.ui.lines.events import event_cell, event_outcome, local_time
from loadbench.ui.lines.glyphs import ASCII, UNICODE, Glyphs
from loadbench.ui.lines.matrix import CellLayout, grid_of, matrix_lines
from loadbench.ui.lines.metric import sweep_legend
from loadbench.ui.lines.recommendation import recommendation_lines
from loadbench.ui.lines.run import run_line, traits_line
from loadbench.ui.lines.stages import stage_lines
from loadbench.ui.reports.lines import (
    cell_values,
    columns_of,
    repeated_lines,
    run_entries,
    run_lines,
    sorted_rows,
)
from loadbench.ui.run.lines import figures_line, header_lines, statistics_panel

MAX_CELLS = 3
"""Maximum number of cells to show in detail."""
COLUMNS = 80
NOW = datetime(2026, 12, 1, tzinfo=UTC)
REPORT = b'<div id="root"></div>'


def show_entry(entry: Entry, state: RunState) -> None:
    """Do what the list of events does with an entry."""
    event_outcome(entry.event)
    event_cell(entry.event, state)
    local_time(entry.at)


def show(run: Run, catalog: Catalog) -> None:
    """Compute the lines of all screens that show a run."""
    state, cells = run.state, run.rows
    for glyphs in (UNICODE, ASCII):
        run_line(run, glyphs)
        run_lines(run, glyphs, COLUMNS)
        traits_line(state, glyphs, COLUMNS)
        run_entries(catalog, glyphs, 40)
        for status in (run.status, RunStatus.LIVE):
            if state.profile:
                _show_profile(replace(run, status=status), state.profile, cells, glyphs)
    recommendation_lines(run, COLUMNS)
    repeated_lines(run, COLUMNS)
    for column in columns_of(cells):
        sorted_rows(cells, column, is_descending=True)
    for row in cells:
        cell_values(row)
    for metric in Metric:
        chart_by_level(state, metric)
    usage = recent_usage(part for part in state.samples.parts() if isinstance(part, Sample))
    container_entries(state.containers, UNICODE, COLUMNS, usage)
    for container in state.containers:
        container_line(container, UNICODE)
    _show_highlights(run)


def show_cells(run: Run) -> None:
    """Compute the lines of the screens that show one cell."""
    metric = default_metric(goals_of(run.state))
    for row in run.rows[:MAX_CELLS]:
        cell = run.state.cells[row.cell]
        attempt = fold(read_attempt(run.folder, row.cell))
        figures = FigureReader().of(attempt)
        for found in (attempt if attempt.started else None, None):
            shown = CellView(
                cell,
                found,
                totals=figures.totals if found else None,
                slices=figures.slices if found else (),
                bottleneck=row.bottleneck,
                checks=row.checks,
            )
            figures_panel(shown, COLUMNS)
            errors_panel(shown, COLUMNS)
            verdict_lines(shown, (), _ends(run.folder, row.cell), UNICODE, COLUMNS)
            evidence(shown)
            statistics_panel(shown, UNICODE, COLUMNS)
            figures_line(shown, metric, COLUMNS)
        _show_charts(attempt, figures.slices, is_drawn=row is run.rows[0])
        if run.state.profile:
            cell_header_lines(run, run.state.profile, row.cell, 5.0, UNICODE, COLUMNS)
        if cell.finished:
            window_evidence(cell.cell, cell.finished)
            stage_lines(cell.finished.stages, UNICODE, COLUMNS)
            page = with_note(REPORT, cell.finished, goals_of(run.state))
            require(page.decode(), "a note in Locust's report")


def _show_charts(attempt: RunState, slices: tuple[Slice, ...], *, is_drawn: bool) -> None:
    for growing in (True, False):
        charts = (
            latency_chart(slices, attempt.phases, goals_of(attempt), growing=growing),
            throughput_chart(slices, attempt.phases, growing=growing),
        )
        for chart in charts:
            goal_note(chart)
            if is_drawn and growing and chart.has_points:
                draw(chart, COLUMNS, 10, signs=False, ascii_frame=False)
    for container in attempt.containers:
        usage_line(usage_in_slices(slices, container.name), UNICODE, COLUMNS)


def _ends(folder: Path, cell: str) -> list[tuple[int, CellFinished | None]]:
    entries: Iterable[Entry] = read_attempt_ends(folder, cell)
    ends = [entry.event for entry in entries]
    return [(end.attempt, end) for end in ends]  # type: ignore[union-attr,misc]  # ends of cells


def _show_profile(run: Run, profile: Profile, rows: tuple[Row, ...], glyphs: Glyphs) -> None:
    state = run.state
    header_lines(run, profile, state.elapsed_s, glyphs, COLUMNS)
    grid = grid_of(tuple(cell.cell for cell in state.cells.values()))
    metric = default_metric(goals_of(state))
    for live in (True, False):
        layout = CellLayout(metric=metric)
        matrix_lines(grid, state, rows, glyphs, layout=layout, live=live)
    sweep_legend(metric, goals_of(state), rows, glyphs, COLUMNS)
    expected_durations(profile, [run])


def _show_highlights(run: Run) -> None:
    reader = JournalReader(run.folder)
    highlights = highlights_since(reader.decode_all(reader.wanted(max_samples=0)), 1)
    catch_up_title(100.0)
    if run.state.profile:
        line = summary(highlights, run, run.state.profile, run.state.elapsed_s)
        catch_up_entries(highlights, line, COLUMNS, NOW)
