"""Write the page of a run."""

from datetime import UTC, datetime
from pathlib import Path

from loadbench.engine.files import write_atomically
from loadbench.engine.requests.measuring import measuring_run
from loadbench.engine.requests.pages import PAGE_NAME, BuiltPage, is_current
from loadbench.engine.run_reader import RunStatus, read_run
from loadbench.errors import RefusedError
from loadbench.page.content.run_page import run_page
from loadbench.page.render import DrawnCharts, render_run


def write_page(folder: Path) -> BuiltPage:
    """Write `summary.html` into the folder of a run.

    While another run of the workspace measures a cell, no charts are drawn, and a page that is
    current is kept.

    Args:
        folder: The run's folder.

    Raises:
        RefusedError: The run is live.
        JournalError: The journal cannot be read, or the page cannot be written.
        DiskFullError: No space is left on the device.
    """
    run, page = read_run(folder), folder / PAGE_NAME
    if run.status is RunStatus.LIVE:
        raise RefusedError(f"{run.name} is live. Its page is written when it ends")
    busy = _busy_note(folder)
    if busy and is_current(folder):
        return BuiltPage(page, f"{PAGE_NAME} was kept. {busy}")
    charts = DrawnCharts(note=busy) if busy else DrawnCharts()
    text = render_run(run_page(run), charts, datetime.now(UTC))
    write_atomically(page, text.encode("utf-8", "replace"))
    return BuiltPage(page, charts.note)


def _busy_note(folder: Path) -> str:
    """Return why charts cannot be drawn now. Empty if they can."""
    measuring = measuring_run(folder.parent.parent, folder)
    if measuring is None:
        return ""
    name = f"{folder.parent.name}/{folder.name}"
    return (
        f"Charts were not drawn, because {measuring} is measuring and drawing would disturb it. To "
        f"draw them when it has ended: loadbench-tui report {name}"
    )
