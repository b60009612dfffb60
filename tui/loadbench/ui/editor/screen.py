"""The profile editor: a form for a profile file."""

from pathlib import Path
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.widget import Widget

from loadbench.engine.profile.editing.file import (
    ProfileFile,
    create_profile_file,
    read_profile_file,
)
from loadbench.engine.profile.editing.keys import profile_key
from loadbench.engine.profile.editing.lookup import key_lines
from loadbench.engine.profile.editing.splice import spliced
from loadbench.engine.profile.schema import ensure_schema
from loadbench.engine.profile.source import parse_source
from loadbench.engine.run_reader import expected_durations
from loadbench.errors import LoadbenchError, ProfileChangedError, ProfileError
from loadbench.ui.background import in_background
from loadbench.ui.context import UiContext
from loadbench.ui.dialogs.question import Question
from loadbench.ui.editor.conflict import APPLY, ConflictDialog
from loadbench.ui.editor.lines import changed_lines, file_lines
from loadbench.ui.form.screen import HELP_KEYS, FormScreen, short_name
from loadbench.ui.form.state import Entered
from loadbench.ui.lines.text import Line, Piece, Tone, line, wrap
from loadbench.ui.terminal import desktop
from loadbench.ui.widgets.line_view import LineView, TextLine
from loadbench.wording import counted
from loadbench.wording.search import duration_text, plan_text


class EditorScreen(FormScreen[str]):
    """Edit a profile. The result is the file name of the profile, or empty if it was not created.

    Args:
        context: The context of the screen.
        file: The file of the profile.
        data: Its content.
        is_new: Whether the file does not exist yet.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "next", "next field", tooltip="Go to the next field"),
        Binding("ctrl+s", "save", "save", tooltip="Save the profile"),
        Binding("ctrl+o", "open_editor", "open in editor", tooltip="Open the file in your editor"),
        Binding("escape", "back", "back", tooltip="Return to the profiles"),
        *HELP_KEYS,
    ]

    def __init__(
        self, context: UiContext, file: Path, data: bytes, *, is_new: bool = False
    ) -> None:
        super().__init__(context, Entered(parse_source(file, _text(data))))
        self._file, self._data = file, data
        self._saved = None if is_new else ProfileFile(file, data)
        self.saved_word = "Template" if is_new else "Saved"
        self._status = ""
        """What happened last, until the next change."""
        self._written: tuple[bytes, Entered, tuple[str, str]] | None = None
        """The last result of `_new_text`, and what it was made from."""

    def panel(self) -> Widget:
        """Return the panel that shows the file."""
        return LineView(id="preview", title=self._file.name)

    def on_mount(self) -> None:
        """Focus the first field with an error."""
        if self._saved and not self.entered.profile:
            self.run_worker(self.show_first_error())

    @property
    def has_changes(self) -> bool:
        """Whether closing the screen would lose something."""
        return self._saved is None or self.entered.is_changed

    def edited(self) -> None:
        """Forget the last status."""
        self._status = ""

    # Display

    def paint(self) -> None:
        """Show the form, the help and the file."""
        super().paint()
        self.query_one("#header", TextLine).show([self._header()])
        text, problem = self._new_text()
        view = self.query_one("#preview", LineView)
        key = self.form.key
        marked = _lines_of(text.encode(), key.name) if key else range(0)
        changed = changed_lines(_text(self._data) if self._saved else "", text)
        lines = file_lines(text, marked, changed if self._saved else ())
        if problem:
            lines = [*wrap(line((problem, Tone.BAD)), view.columns or 60), (), *lines]
        view.show(lines)
        view.centre(marked.start - 1 if marked and not problem else None)

    def _header(self) -> Line:
        arrow = f" {self.context.glyphs.arrow} "
        state = self._status or ("not saved" if self.has_changes else "saved")
        tone = Tone.WARN if self.has_changes else Tone.DIM
        pieces: list[Piece | tuple[str, Tone] | str] = [
            (f" {short_name(self._file.stem)}", Tone.STRONG),
            (arrow, Tone.DIM),
            "edit" if self._saved else "new profile",
            "  ",
            (state, tone),
        ]
        if profile := self.entered.profile:
            runs = self.context.catalog.newest.of_profile(self._file.stem)
            total = duration_text(profile, expected_durations(profile, runs))
            pieces.append((f"   {plan_text(profile)}, about {total}", Tone.DIM))
        elif errors := len(self.entered.errors) + len(self.entered.other_errors):
            pieces.append((f"   {counted(errors, 'error')}", Tone.BAD))
        return line(*pieces)

    def _new_text(self) -> tuple[str, str]:
        """Return the text that would be saved, and why the changes cannot be written."""
        # The screen is painted more often than its values change.
        if self._written and self._written[:2] == (self._data, self.entered):
            return self._written[2]
        try:
            found = _text(spliced(self._data, self.entered.changes)), ""
        except ProfileError as error:
            found = _text(self._data), str(error)
        self._written = self._data, self.entered, found
        return found

    def field_lines(self, key: str, columns: int) -> list[Line]:
        """Return the lines of the key in the file, if the panel with the file is not shown."""
        if not self._is_narrow:
            return []
        text, _ = self._new_text()
        lines = text.splitlines()
        return [
            part
            for number in _lines_of(text.encode(), key)
            for part in wrap(
                line((f"Line {number}: ", Tone.DIM), lines[number - 1].strip()), columns, indent=2
            )
        ]

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enable saving only if something has changed."""
        if action == "save":
            return self.has_changes
        return True

    def action_next(self) -> None:
        """Go to the next field."""
        self.form.action_move(1)

    async def action_save(self) -> None:
        """Save the file, or show the first error."""
        self.take_texts()
        self._save()

    @work(exclusive=True, group="save")
    async def _save(self) -> None:
        await self._save_if_valid()

    async def _save_if_valid(self) -> bool:
        """Save the file. If a changed field has an error, show it and return False.

        Errors that the file has already do not prevent saving, so that one can be mended at a time.
        """
        errors = self.entered.errors
        unwritten = [key for key in errors if self.entered.is_invalid_text(key)]
        if unwritten or (self._saved is None and errors):
            key = (unwritten or list(errors))[0]
            self._status = f"not saved: {profile_key(key).label}: {errors[key]}"
            await self.form.reveal(key)
            self.repaint()
            return False
        return await self._write()

    async def _write(self) -> bool:
        """Write the file. Return False if that failed; the reason is shown."""
        try:
            data = spliced(self._data, self.entered.changes)
            if self._saved is None:
                await in_background(_create, self._file, data)
                self._saved, self.saved_word = ProfileFile(self._file, data), "Saved"
            else:
                self._saved = await in_background(self._saved.save, data)
        except ProfileChangedError as error:
            self._resolve(error.data)
            return False
        except LoadbenchError as error:
            self._cannot_write(str(error))
            return False
        self._data = data
        # What was typed during the save is not saved yet.
        self._show(self.entered.with_source(parse_source(self._file, _text(data))), "")
        await self.context.catalog.read_profiles()
        return True

    def _show(self, entered: Entered, status: str) -> None:
        self.fill(entered)
        self._status = status
        self.repaint()

    def _resolve(self, on_disk: bytes | None) -> None:
        """Ask what to do with a file that has changed on disk."""
        mine, _ = self._new_text()
        if on_disk is None:
            # The file was deleted: the next save creates it again.
            self._saved = None
            self._status = "deleted on disk; save to create it again"
            self.repaint()
            return
        try:
            source = parse_source(self._file, _text(on_disk))
        except ProfileError as error:
            self._cannot_write(f"The file has changed on disk, and is invalid: {error}")
            return

        def answered(answer: str | None) -> None:
            if answer is None:
                return
            self._saved, self._data = ProfileFile(self._file, on_disk), on_disk
            if answer == APPLY:
                self._show(
                    self.entered.with_source(source),
                    "changes applied to the new version, not saved",
                )
            else:
                self._show(Entered(source), "reloaded")

        dialog = ConflictDialog(self._file.stem, _text(on_disk), mine)
        self.app.push_screen(dialog, answered)

    def _cannot_write(self, problem: str) -> None:
        """Offer the user's editor for a change that cannot be written."""
        lines = [line((problem, Tone.BAD)), line("Nothing was written.")]

        def answered(answer: str | None) -> None:
            if answer:
                self._open_editor()

        title = f"Cannot save {self._file.stem}"
        answers = [("o", "open in editor")] if self._saved else []
        self.app.push_screen(Question(title, lines, answers, safe="keep editing"), answered)

    def action_open_editor(self) -> None:
        """Open the file in the user's editor. Ask first what to do with changes."""
        self.take_texts()
        if not self.has_changes:
            self._open_editor()
            return

        def answered(answer: str | None) -> None:
            if answer == "s":
                self._save_and_open()
            elif answer == "d":
                self._open_editor()

        answers = [("s", "save")]
        if self._saved:
            answers.append(("d", "discard"))
        lines = [line("The form has changes that are not saved.")]
        question = Question("Save before opening the editor?", lines, answers, safe="keep editing")
        self.app.push_screen(question, answered)

    @work
    async def _save_and_open(self) -> None:
        if await self._save_if_valid():
            self._open_editor()

    @work
    async def _open_editor(self) -> None:
        at = _lines_of(self._data, self.form.key.name) if self.form.key else range(0)
        desktop.edit(self.app, self._file, at.start or None)
        try:
            self._saved = await in_background(read_profile_file, self._file)
            self._data = self._saved.data
            self._show(Entered(parse_source(self._file, _text(self._data))), "")
        except LoadbenchError as error:
            # The form cannot show a file that is not a YAML mapping.
            self.app.notify(str(error), severity="error", timeout=10)
            self.dismiss(self._file.name)
        await self.context.catalog.read_profiles()

    def may_quit(self) -> bool:
        """Return whether nothing would be lost. Otherwise ask what to do."""
        self.take_texts()
        if self.has_changes:
            self.action_back()
        return not self.has_changes

    def action_back(self) -> None:
        """Close the editor. Ask first if that would lose changes."""
        self.take_texts()
        if not self.has_changes:
            self.dismiss(self._file.name)
            return

        def answered(answer: str | None) -> None:
            if answer == "d":
                self.dismiss(self._file.name if self._saved else "")
            elif answer == "s":
                self._save_and_close()

        what = "The changes are" if self._saved else "The new profile is"
        lines = [line(f"{what} not saved.")]
        answers = [("s", "save"), ("d", "discard")]
        title = f"Save {self._file.stem}?"
        self.app.push_screen(Question(title, lines, answers, safe="keep editing"), answered)

    @work
    async def _save_and_close(self) -> None:
        if await self._save_if_valid():
            self.dismiss(self._file.name)


def _create(file: Path, data: bytes) -> None:
    """Create a profile, and the schema that its first line names if the folder has none."""
    create_profile_file(file, data)
    ensure_schema(file.parent)


def _text(data: bytes) -> str:
    return data.decode("utf-8-sig", "replace")


def _lines_of(data: bytes, key: str) -> range:
    """Return the numbers of the lines of a key, counted from 1."""
    found = key_lines(data).get(key)
    return range(found[0], found[1] + 1) if found else range(0)
