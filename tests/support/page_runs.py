"""Runs without a folder, for tests of pages and charts, and pages without their date."""

import re
from pathlib import Path
from typing import Any

from loadbench.engine.journal.state import RunState
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.page.charts.chart import PageChart
from loadbench.page.charts.run_charts import run_charts
from tests.support.builders import state_after
from tests.support.hundred_cells import hundred_events


def without_date(page: Path) -> str:
    """Return the text of a page without the time of its writing."""
    return re.sub(r"<time>.*?</time>", "", page.read_text(encoding="utf-8"))


def run_of(state: RunState) -> Run:
    """Return a finished run in a state."""
    return Run(Path("reports/demo/20261122-072100"), state, RunStatus.DONE)


def hundred_run(**changes: Any) -> Run:
    """Return the run of 100 cells. The arguments are those of `hundred_events`."""
    return run_of(state_after(*hundred_events(**changes)))


def chart_of(run: Run, key: str) -> PageChart:
    """Return a chart of a run."""
    return next(chart for chart in run_charts(run) if chart.key == key)
