"""Open the page of a run or the report of a cell, and copy their paths."""

from pathlib import Path
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType

from loadbench.engine.report.rows import Row
from loadbench.engine.requests.pages import PAGE_NAME, build_page, is_current
from loadbench.engine.run_reader import Run, RunStatus, report_path
from loadbench.errors import LoadbenchError
from loadbench.paths import is_file
from loadbench.ui.background import in_background
from loadbench.ui.context import UiContext
from loadbench.ui.reports.managing import ManagingScreen
from loadbench.ui.terminal import desktop


class OpeningScreen(ManagingScreen):
    """Base class of the reports screen, with the actions on pages and reports.

    Args:
        context: The context of the screen.
    """

    OPENING_KEYS: ClassVar[list[BindingType]] = [
        Binding(
            "o", "open", "open report", tooltip="Open the page of the run or report of the cell"
        ),
        Binding("y", "copy", "copy path", tooltip="Copy the path of the page, report or folder"),
    ]

    def __init__(self, context: UiContext) -> None:
        super().__init__(context)
        self._is_writing = False

    @property
    def cell(self) -> Row | None:
        """The cell under the cursor, or None if the table is empty or does not have the focus."""
        raise NotImplementedError

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enable only the actions that apply to the selected run and cell."""
        match action:
            case "open":
                run, cell = self.selected, self.cell
                return run is not None and (cell is None or report_path(run, cell.cell) is not None)
            case "copy":
                return self.selected is not None
        return super().check_action(action, parameters)

    def action_open(self) -> None:
        """Open Locust's report of the selected cell, otherwise the page of the run."""
        run, cell = self.selected, self.cell
        if run is None:
            return
        if cell:
            if path := report_path(run, cell.cell):
                desktop.open_file(self.app, path)
        elif run.status is RunStatus.LIVE:
            self.app.notify(
                f"{run.name} is live. Its page is written when it ends.", severity="warning"
            )
        elif is_current(run.folder):
            desktop.open_file(self.app, run.folder / PAGE_NAME)
        elif not self._is_writing:
            self._is_writing = True
            self._write_and_open(run.folder)

    def action_copy(self) -> None:
        """Copy the path of the report or page, or of the run's folder if there is none."""
        if run := self.selected:
            desktop.copy_path(self.app, self._report(run) or run.folder)

    def _report(self, run: Run) -> Path | None:
        """Return the existing report of the selected cell, or the existing page of the run."""
        if self.cell:
            return report_path(run, self.cell.cell)
        page = run.folder / PAGE_NAME
        return page if is_file(page) else None

    @work
    async def _write_and_open(self, folder: Path) -> None:
        self.app.notify(f"Writing {PAGE_NAME}…")
        try:
            page = await in_background(build_page, folder)
        except LoadbenchError as error:
            self.app.notify(str(error), severity="error")
        else:
            if page.note:
                self.app.notify(page.note)
            desktop.open_file(self.app, page.path)
        finally:
            self._is_writing = False
