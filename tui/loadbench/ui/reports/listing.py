"""The list of runs and studies, and what the cursor is on."""

from loadbench.engine.catalog import Catalog
from loadbench.engine.run_reader import Run
from loadbench.engine.studies.ranked import RankedStudy
from loadbench.ui.context import UiContext
from loadbench.ui.messages import OpenStudy
from loadbench.ui.reports.lines import run_entries
from loadbench.ui.reports.marking import MarkingScreen
from loadbench.ui.study.lines import study_lines
from loadbench.ui.widgets.line_view import LineView
from loadbench.ui.widgets.menu import Menu

_LIST_COLUMNS = 37
"""Width of the list before the first layout."""


class ListingScreen(MarkingScreen):
    """Base class of the reports screen, with its list.

    Args:
        context: The context of the screen.
        start_at: Name of the run or study to select. If empty, the first.
    """

    def __init__(self, context: UiContext, start_at: str = "") -> None:
        super().__init__(context)
        self._start_at = start_at

    @property
    def catalog(self) -> Catalog:
        """The newest catalog."""
        return self.context.catalog.newest

    @property
    def selected(self) -> Run | None:
        """The run under the cursor. None if there is none, or if the cursor is on a study."""
        return self.catalog.run(self.query_one(Menu).key or "")

    @property
    def selected_study(self) -> RankedStudy | None:
        """The study under the cursor. None if there is none, or if the cursor is on a run."""
        return self.catalog.study(self.query_one(Menu).key or "")

    def select(self, name: str) -> None:
        """Move the cursor to a run at the next paint."""
        self._start_at = name

    def neighbour(self, name: str) -> str:
        """Return the name of the entry after a run in the list, or of that before the last."""
        return self.query_one(Menu).neighbour(name) or ""

    def on_user_active(self) -> None:
        """Leave the cursor to the user."""
        self._start_at = ""

    def show_list(self) -> None:
        """Show the list, and move the cursor to a run or study that was requested."""
        menu, glyphs = self.query_one(Menu), self.context.glyphs
        # One column is reserved for the cursor.
        columns = (menu.columns or _LIST_COLUMNS) - 1
        entries = run_entries(self.catalog, glyphs, columns, self.marks)
        menu.show_entries(entries, glyphs, cursor=self._start_at or None)
        if menu.key == self._start_at:
            self._start_at = ""
        self.show_marks()

    def show_study(self) -> None:
        """Show the study under the cursor, if it is on one."""
        panel = self.query_one("#study", LineView)
        study = self.selected_study
        panel.show(study_lines(study, panel.columns or 60) if study else [])

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enable opening and copying for a study, too."""
        if action in ("open", "copy") and self.selected_study:
            return True
        return super().check_action(action, parameters)

    def action_look(self) -> None:
        """Open the study under the cursor, if it is on one."""
        if study := self.selected_study:
            self.request(OpenStudy(study.study.full_name))

    def action_open(self) -> None:
        """Open the page of the study, or of what is selected of a run."""
        if study := self.selected_study:
            self.open_page(study.study.folder)
        else:
            super().action_open()

    def action_copy(self) -> None:
        """Copy the path of what `action_open` opens, or of its folder."""
        if study := self.selected_study:
            self.copy_page(study.study.folder)
        else:
            super().action_copy()
