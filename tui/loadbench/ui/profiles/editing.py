"""Edit, copy and delete the selected profile."""

from collections.abc import Sequence
from pathlib import Path

from textual import work
from textual.binding import Binding

from loadbench.engine.catalog import SavedProfile
from loadbench.engine.run_reader import Run
from loadbench.ui.background import in_background
from loadbench.ui.context import UiContext
from loadbench.ui.dialogs.name import NameDialog
from loadbench.ui.dialogs.question import Question
from loadbench.ui.lines.text import line
from loadbench.ui.profiles.invalid import first_error_line, first_error_row
from loadbench.ui.terminal import desktop
from loadbench.ui.widgets.line_view import LineView
from loadbench.ui.widgets.screen import BaseScreen
from loadbench.wording import counted

ERRORS_KEY = Binding(
    "enter", "show_errors", "show errors", tooltip="Go to the first error of the profile"
)
_ROWS_ABOVE_ERROR = 2
"""Rows of the details that stay visible above the first error."""


class EditingScreen(BaseScreen[None]):
    """Base class of the screen of profiles, with the actions that change files.

    Args:
        context: The context of the screen.
    """

    def __init__(self, context: UiContext) -> None:
        super().__init__()
        self.context = context

    @property
    def selected(self) -> SavedProfile | None:
        """The profile under the cursor."""
        raise NotImplementedError

    @property
    def runs(self) -> Sequence[Run]:
        """The runs of that profile, newest first."""
        raise NotImplementedError

    def select(self, file_name: str) -> None:
        """Move the cursor to a profile, or leave it where it is if the name is empty."""
        raise NotImplementedError

    def read(self) -> object:
        """Read all profiles again."""
        raise NotImplementedError

    def action_edit(self) -> None:
        """Open the profile in the user's editor, then validate it."""
        selected = self.selected
        if selected and self._is_writable("edited"):
            self._edit(selected.file, first_error_line(selected))

    def action_show_errors(self) -> None:
        """Focus the details of an invalid profile, at the first error."""
        panel = self.query_one("#profile", LineView)
        panel.focus()
        row = first_error_row(panel.lines)
        panel.scroll_to(y=max(0, row - _ROWS_ABOVE_ERROR), animate=False)

    def action_copy(self) -> None:
        """Copy the profile under a new name, and open the copy in the editor."""
        selected = self.selected
        if selected is None or not self._is_writable("copied"):
            return
        folder = selected.file.parent
        existing = {saved.name for saved in self.context.catalog.newest.profiles}

        def error_of(name: str) -> str:
            if not name or name in (".", "..") or "/" in name or "\0" in name:
                return "Invalid name. Enter a name without slash or extension, such as my_profile."
            exists = f"The profile {name} already exists. Enter another name."
            return exists if name in existing else ""

        def copy_to(name: str | None) -> None:
            if name is not None:
                self._copy(selected.file, folder / f"{name}.yaml")

        title, proposal = f"Copy profile {selected.name} to", f"{selected.name}_2"
        dialog = NameDialog(title, proposal, verb="copy", validate=error_of)
        self.app.push_screen(dialog, copy_to)

    def action_delete(self) -> None:
        """Delete the profile after a confirmation; its reports are kept."""
        selected = self.selected
        if selected is None or not self._is_writable("deleted"):
            return
        runs = len(self.runs)
        kept = f"The reports of its {counted(runs, 'run')} are kept." if runs else "It has no runs."
        lines = [
            line(f"This permanently deletes {selected.file}."),
            line(kept),
        ]

        def answered(answer: str | None) -> None:
            if answer:
                self._delete(selected)

        title = f"Delete profile {selected.name}?"
        self.app.push_screen(Question(title, lines, [("y", "delete")], safe="keep"), answered)

    @work
    async def _copy(self, file: Path, new: Path) -> None:
        try:
            await in_background(_copy_file, file, new)
        except OSError as error:
            self.app.notify(f"Cannot create {new}: {error.strerror}", severity="error")
        else:
            self._edit(new, None, is_new=True)

    @work
    async def _delete(self, saved: SavedProfile) -> None:
        try:
            await in_background(saved.file.unlink)
        except OSError as error:
            self.app.notify(f"Cannot delete {saved.file}: {error.strerror}", severity="error")
        self.read()

    @work
    async def _edit(self, file: Path, at_line: int | None, *, is_new: bool = False) -> None:
        desktop.edit(self.app, file, at_line)
        saved = await self.context.catalog.read_profile(file)
        # After an edit the cursor stays where it is, because the user may have moved it meanwhile.
        self.select(file.name if is_new else "")
        self.repaint()
        is_selected = self.selected is not None and self.selected.file == file
        if saved is not None and saved.profile is None and not is_selected:
            self.app.notify(
                f"{saved.name} is invalid. Select it to see its errors.", severity="warning"
            )

    def _is_writable(self, participle: str) -> bool:
        if not self.context.workspace.bundled:
            return True
        self.app.notify(
            f"Bundled profiles cannot be {participle}. "
            "Create your own workspace with `loadbench-tui init DIR`.",
            severity="warning",
            timeout=10,
        )
        return False


def _copy_file(file: Path, new: Path) -> None:
    with new.open("xb") as target:
        target.write(file.read_bytes())
