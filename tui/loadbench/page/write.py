"""Write the page of a run."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from loadbench.engine.files import write_atomically
from loadbench.engine.requests.pages import PAGE_NAME
from loadbench.engine.run_reader import read_run
from loadbench.page.render import render_run


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
        JournalError: The journal cannot be read, or the page cannot be written.
        DiskFullError: No space is left on the device.
    """
    run = read_run(folder)
    text = render_run(run, charts={}, now=datetime.now(UTC))
    write_atomically(folder / PAGE_NAME, text.encode("utf-8", "replace"))
    return WrittenPage(folder / PAGE_NAME)
