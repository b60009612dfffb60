"""Open the page of a run or the report of a cell, and copy their paths."""

from typing import ClassVar

from textual.binding import Binding, BindingType

from loadbench.engine.report.rows import Row
from loadbench.engine.run_reader import RunStatus, report_path
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
        else:
            self.open_page(run.folder)

    def action_copy(self) -> None:
        """Copy the path of the report or page, or of the run's folder if there is none."""
        run, cell = self.selected, self.cell
        if run is None:
            return
        if cell:
            desktop.copy_path(self.app, report_path(run, cell.cell) or run.folder)
        else:
            self.copy_page(run.folder)
