"""Label, delete and restore runs."""

from datetime import UTC, datetime
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType

from loadbench.engine.run_reader import Run, RunStatus
from loadbench.engine.trash import KEPT_DAYS, delete_run, last_deleted, restore_last
from loadbench.errors import LoadbenchError
from loadbench.ui.background import in_background
from loadbench.ui.context import UiContext
from loadbench.ui.dialogs.label import LABEL_KEY, ask_for_label
from loadbench.ui.dialogs.question import Question
from loadbench.ui.lines.text import Line, Tone, line
from loadbench.ui.messages import RunsChanged
from loadbench.ui.widgets.page_screen import PageScreen


class ManagingScreen(PageScreen):
    """Base class of the reports screen, with the actions that change runs.

    Args:
        context: The context of the screen.
    """

    MANAGING_KEYS: ClassVar[list[BindingType]] = [
        LABEL_KEY,
        Binding("d", "delete", "delete", tooltip="Delete the run; u restores it"),
        Binding("u", "undo", "undo", tooltip="Restore the run that was deleted last"),
    ]

    def __init__(self, context: UiContext) -> None:
        super().__init__()
        self.context = context
        self._can_undo = False

    @property
    def selected(self) -> Run | None:
        """The run under the cursor."""
        raise NotImplementedError

    def select(self, name: str) -> None:
        """Move the cursor to a run at the next paint."""
        raise NotImplementedError

    def neighbour(self, name: str) -> str:
        """Return the name of the run after a run in the list, or of the run before the last."""
        raise NotImplementedError

    def on_mount(self) -> None:
        """Find out whether there is a deleted run."""
        self.look_into_trash()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enable only the actions that apply to the selected run and to the trash."""
        match action:
            case "label" | "delete":
                return self.selected is not None
            case "undo":
                return self._can_undo
        return super().check_action(action, parameters)

    def action_label(self) -> None:
        """Change the label of the run."""
        if self.selected:
            ask_for_label(self, self.selected)

    def action_delete(self) -> None:
        """Delete the run after a confirmation."""
        run = self.selected
        if run is None:
            return
        if run.status is RunStatus.LIVE:
            self.app.notify(
                f"{run.name} is live and cannot be deleted. Press Enter to open it, and x to stop.",
                severity="warning",
            )
            return

        def answered(answer: str | None) -> None:
            if answer:
                self._delete(run)

        question = Question(
            f"Delete run {run.name}?", _deleting(run), [("y", "delete")], safe="keep"
        )
        self.app.push_screen(question, answered)

    def action_undo(self) -> None:
        """Restore the run that was deleted last."""
        self._restore()

    @work
    async def _delete(self, run: Run) -> None:
        try:
            await in_background(delete_run, run.folder, datetime.now(UTC))
        except LoadbenchError as error:
            self.app.notify(str(error), severity="error")
        else:
            self.select(self.neighbour(run.name))
            self.app.notify(f"Deleted {run.name}. Press u to restore it.")
        self._after_change()

    @work
    async def _restore(self) -> None:
        try:
            name = await in_background(restore_last, self.context.workspace.reports)
        except LoadbenchError as error:
            self.app.notify(str(error), severity="error")
        else:
            self.select(name)
        self._after_change()

    def _after_change(self) -> None:
        self.post_message(RunsChanged())
        self.look_into_trash()

    @work
    async def look_into_trash(self) -> None:
        """Find out whether there is a deleted run, and update the available actions."""
        deleted = await in_background(last_deleted, self.context.workspace.reports)
        self._can_undo = deleted is not None
        self.refresh_bindings()


def _deleting(run: Run) -> list[Line]:
    """Return the text of the dialog that confirms the deletion of a run."""
    lines = [
        line(
            *("Press ", ("u", Tone.ACCENT), f" to restore it within {KEPT_DAYS} days. "),
            "Until then it still uses disk space.",
        )
    ]
    state = run.state
    has_containers = bool(state.started and state.started.project)
    is_cleaned_up = state.finished is not None and not state.finished.left
    if has_containers and not is_cleaned_up:
        stop = (f"loadbench-tui stop {run.name}", Tone.ACCENT)
        lines.append(line("It may have left containers behind. To remove them first: ", stop))
    return lines
