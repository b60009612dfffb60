"""Write the page of a run."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from loadbench.engine.files import write_atomically
from loadbench.engine.run_reader import Run, RunStatus, read_run
from loadbench.errors import RefusedError
from loadbench.page.content.run_page import run_page
from loadbench.page.render import DrawnCharts, render_run

PAGE_NAME = "summary.html"


@dataclass(frozen=True, slots=True)
class WrittenPage:
    """A page that has been written."""

    path: Path
    note: str = ""
    """Why the page has no charts, or why the existing one was kept. Empty if it is complete."""


def write_page(folder: Path) -> WrittenPage:
    """Write `summary.html` into the folder of a run.

    Args:
        folder: The run's folder.

    Raises:
        RefusedError: The run is live.
        JournalError: The journal cannot be read, or the page cannot be written.
        DiskFullError: No space is left on the device.
    """
    run = read_run(folder)
    if run.status is RunStatus.LIVE:
        raise RefusedError(f"{run.name} is live. Its page is written when it ends")
    charts = _charts(run)
    text = render_run(run_page(run), charts, datetime.now(UTC))
    write_atomically(folder / PAGE_NAME, text.encode("utf-8", "replace"))
    return WrittenPage(folder / PAGE_NAME, charts.note)


def _charts(run: Run) -> DrawnCharts:
    return DrawnCharts()
