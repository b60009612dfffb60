"""Mark two runs in the list of reports and compare them."""

from typing import ClassVar

from textual.binding import Binding, BindingType

from loadbench.engine.catalog import Catalog
from loadbench.engine.studies.ranked import RankedStudy
from loadbench.ui.messages import OpenComparison
from loadbench.ui.reports.lines import marks_legend
from loadbench.ui.reports.opening import OpeningScreen
from loadbench.ui.widgets.menu import Menu

MAX_MARKS = 2


class MarkingScreen(OpeningScreen):
    """Base class of the reports screen, with the actions that mark and compare runs."""

    MARKING_KEYS: ClassVar[list[BindingType]] = [
        Binding("m", "mark", "mark", tooltip="Mark the run for a comparison, or remove its mark"),
        Binding("M", "unmark", "clear marks", show=False, tooltip="Remove all marks"),
        Binding(
            "c",
            "compare",
            "compare",
            tooltip="Compare the marked runs, or the marked run with the selected one",
        ),
    ]
    _marks: tuple[str, ...] = ()
    """Names of the marked runs: the baseline, then the candidate."""

    @property
    def catalog(self) -> Catalog:
        """The newest catalog."""
        raise NotImplementedError

    @property
    def selected_study(self) -> RankedStudy | None:
        """The study under the cursor."""
        raise NotImplementedError

    @property
    def marks(self) -> tuple[str, ...]:
        """Names of the marked runs that still exist: the baseline, then the candidate."""
        return tuple(name for name in self._marks if self.catalog.run(name))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enable marking if there is a run or study, and clearing if there is a mark."""
        match action:
            case "mark" | "compare":
                return self.selected is not None or self.selected_study is not None
            case "unmark":
                return bool(self.marks)
        return super().check_action(action, parameters)

    def show_marks(self) -> None:
        """Show how the marked runs are compared, below the list."""
        self.query_one(Menu).note(marks_legend(self.marks))

    def action_mark(self) -> None:
        """Mark the run under the cursor, or remove its mark."""
        run, marks = self.selected, self.marks
        if run is None:
            self._warn("A study cannot be marked. Mark one of its runs.")
        elif run.name in marks:
            self._show(tuple(name for name in marks if name != run.name))
        elif len(marks) == MAX_MARKS:
            self._warn("Two runs are marked. Press c to compare them, or M to clear the marks.")
        else:
            self._show((*marks, run.name))

    def action_unmark(self) -> None:
        """Remove all marks."""
        self._show(())

    def action_compare(self) -> None:
        """Compare the two marked runs, or the marked run with the one under the cursor."""
        run, marks = self.selected, self.marks
        if not marks:
            self._warn("No run is marked. Press m on the baseline, then c on another run.")
        elif len(marks) == MAX_MARKS:
            self.request(OpenComparison(*marks))
        elif run is None:
            self._warn("A study cannot be compared here. Move the cursor to a run.")
        elif run.name in marks:
            self._warn(f"Only {run.name} is marked. Move the cursor to another run, then press c.")
        else:
            self.request(OpenComparison(marks[0], run.name))

    def _show(self, marks: tuple[str, ...]) -> None:
        self._marks = marks
        self.repaint()

    def _warn(self, text: str) -> None:
        self.app.notify(text, severity="warning")
