"""Create, edit, copy, rename and delete profiles."""

from collections.abc import Sequence
from pathlib import Path

from textual import work

from loadbench.engine.catalog import SavedProfile
from loadbench.engine.profile.editing.file import (
    Deleted,
    create_profile_file,
    delete_profile,
    deleted_profiles,
    read_profile_file,
    rename_profile,
    restore,
)
from loadbench.engine.profile.editing.templates import renamed_header
from loadbench.engine.run_reader import Run
from loadbench.errors import LoadbenchError
from loadbench.ui.background import in_background
from loadbench.ui.context import UiContext
from loadbench.ui.dialogs.question import Question
from loadbench.ui.lines.text import Tone, line
from loadbench.ui.messages import EditProfile, NewProfile, ProfileEdited
from loadbench.ui.naming import ask_for_name, is_writable
from loadbench.ui.widgets.screen import BaseScreen
from loadbench.wording import counted
from loadbench.workspace import create_workspace


class EditingScreen(BaseScreen[None]):
    """Base class of the screen of profiles, with the actions that change files.

    Args:
        context: The context of the screen.
    """

    def __init__(self, context: UiContext) -> None:
        super().__init__()
        self.context = context
        self._deleted: Sequence[Deleted] = ()
        """Deleted profiles that can be restored, the newest last."""

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

    def action_new(self) -> None:
        """Create a profile from a template."""
        if is_writable(self.app, self.context, "created here"):
            self.request(NewProfile())

    def action_examples(self) -> None:
        """Copy the example profiles, and what they need, into the empty workspace."""
        self._add_examples()

    @work
    async def _add_examples(self) -> None:
        root = self.context.workspace.root
        try:
            await in_background(create_workspace, root, keep_existing=True)
        except LoadbenchError as error:
            self.app.notify(str(error), severity="error")
        self.read()

    def action_edit(self) -> None:
        """Open the editor of the profile."""
        selected = self.selected
        if selected and is_writable(self.app, self.context, "edited"):
            self.request(EditProfile(selected.file))

    def action_copy(self) -> None:
        """Copy the profile under a new name, and open the editor of the copy."""
        selected = self.selected
        if selected is None or not is_writable(self.app, self.context, "copied"):
            return
        ask_for_name(
            self.app,
            self.context,
            f"Copy profile {selected.name} to",
            selected.name,
            verb="copy",
            then=lambda new: self._copy(selected.file, new),
        )

    def action_rename(self) -> None:
        """Rename the profile."""
        selected = self.selected
        if selected is None or not is_writable(self.app, self.context, "renamed"):
            return
        runs = len(self.runs)
        keep = "keeps" if runs == 1 else "keep"
        ask_for_name(
            self.app,
            self.context,
            f"Rename profile {selected.name} to",
            selected.name,
            keep_proposal=True,
            verb="rename",
            then=lambda new: self._rename(selected, new.stem),
            note=f"Its {counted(runs, 'run')} {keep} the name {selected.name}." if runs else "",
        )

    def action_delete(self) -> None:
        """Delete the profile after a confirmation; its reports are kept."""
        selected = self.selected
        if selected is None or not is_writable(self.app, self.context, "deleted"):
            return
        runs = len(self.runs)
        kept = f"The reports of its {counted(runs, 'run')} are kept." if runs else "It has no runs."
        lines = [
            line(f"This deletes {selected.file}. To undo it, press ", ("u", Tone.ACCENT), "."),
            line(kept),
        ]

        def answered(answer: str | None) -> None:
            if answer:
                self._delete(selected)

        title = f"Delete profile {selected.name}?"
        self.app.push_screen(Question(title, lines, [("y", "delete")], safe="keep"), answered)

    @property
    def can_undo(self) -> bool:
        """Whether a deleted profile can be restored."""
        return bool(self._deleted)

    def action_undo(self) -> None:
        """Restore the profile that was deleted last."""
        if self._deleted:
            self._restore(self._deleted[-1])

    @work
    async def _copy(self, file: Path, new: Path) -> None:
        try:
            await in_background(_copy_file, file, new)
        except LoadbenchError as error:
            self.app.notify(str(error), severity="error")
        else:
            await self.context.catalog.read_profiles()
            self.select(new.name)
            self.repaint()
            self.request(EditProfile(new))

    @work
    async def _rename(self, saved: SavedProfile, name: str) -> None:
        try:
            new = await in_background(_rename_file, saved.file, name)
        except LoadbenchError as error:
            self.app.notify(str(error), severity="error")
        else:
            self.select(new.name)
        self.read()

    @work
    async def _delete(self, saved: SavedProfile) -> None:
        try:
            deleted = await in_background(delete_profile, saved.file)
        except LoadbenchError as error:
            self.app.notify(str(error), severity="error")
        else:
            self._deleted = [*self._deleted, deleted]
            self.app.notify(f"Deleted profile {saved.name}. Press u to undo.")
        self.read()

    @work
    async def _restore(self, deleted: Deleted) -> None:
        try:
            file = await in_background(restore, deleted)
        except LoadbenchError as error:
            self.app.notify(str(error), severity="error")
        else:
            self._deleted = [other for other in self._deleted if other != deleted]
            self.select(file.name)
        self.read()

    @work
    async def find_deleted(self) -> None:
        """Find the profiles that were deleted earlier."""
        self._deleted = await in_background(deleted_profiles, self.context.workspace.profiles)
        self.refresh_bindings()

    def on_profile_edited(self, event: ProfileEdited) -> None:
        """Select the profile whose editor was closed."""
        self.select(event.file_name)
        self.read()


def _copy_file(file: Path, new: Path) -> None:
    """Copy a profile, and change its name in the comment at its top."""
    create_profile_file(new, _renamed(read_profile_file(file).data, file.stem, new.stem))


def _rename_file(file: Path, name: str) -> Path:
    """Rename a profile, and change its name in the comment at its top."""
    new = rename_profile(file, name)
    profile = read_profile_file(new)
    data = _renamed(profile.data, file.stem, name)
    if data != profile.data:
        profile.save(data)
    return new


def _renamed(data: bytes, old: str, new: str) -> bytes:
    """Return a profile with another name in the comment at its top."""
    try:
        return renamed_header(data.decode("utf-8"), old, new).encode("utf-8")
    except UnicodeDecodeError:
        # The copy is as invalid as the original, and its editor shows why.
        return data
