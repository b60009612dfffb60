"""The preview of a new run, whose settings can be changed for this run alone."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.timer import Timer
from textual.widget import Widget

from loadbench.engine.profile.editing.file import create_profile_file, read_profile_file
from loadbench.engine.profile.editing.splice import spliced
from loadbench.engine.profile.editing.templates import renamed_header
from loadbench.engine.profile.source import parse_source, read_source
from loadbench.engine.requests.launch import RunRequest
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.errors import LoadbenchError, ProfileError
from loadbench.ui.background import in_background
from loadbench.ui.context import UiContext
from loadbench.ui.dialogs.question import Question
from loadbench.ui.form.screen import HELP_KEYS, FormScreen, short_name
from loadbench.ui.form.state import Entered
from loadbench.ui.lines.matrix import grid_of, plan_lines
from loadbench.ui.lines.text import Line, Tone, line, wrap
from loadbench.ui.naming import ask_for_name, is_writable
from loadbench.ui.preview.lines import PreviewedRun, preview_lines
from loadbench.ui.preview.starter import HOLDER_S, RunStarter
from loadbench.ui.widgets.line_view import LineView, TextLine
from loadbench.wording import counted

CHECK_S = 0.5
"""Seconds without a change after which the runner is asked for the preview again."""


class RunForm(FormScreen[Path | None]):
    """Show what a run would do, change it, and start it. The result is its folder, or None.

    Args:
        context: The context of the screen.
        file: The file of the profile.
        entered: Its values.
        earlier: The runs of the profile, newest first.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "start", "start", tooltip="Start the run"),
        Binding("ctrl+s", "save", "save as profile", tooltip="Save as a new profile"),
        Binding("escape", "cancel", "cancel", tooltip="Return without starting a run"),
        *HELP_KEYS,
    ]

    def __init__(
        self, context: UiContext, file: Path, entered: Entered, earlier: Sequence[Run]
    ) -> None:
        super().__init__(context, entered)
        self._file, self._earlier = file, earlier
        self._problem = ""
        """Why the profile could not be saved. Empty if it was, or if it was not tried."""
        self._timer: Timer | None = None
        self._folder: Path | None = None
        """Folder of the run to open, once it has started."""
        self._starter = RunStarter(self, context, changed=self.repaint, opened=self._open)

    def panel(self) -> Widget:
        """Return the panel that shows what the run would do."""
        return LineView(id="preview", title="Run")

    def on_mount(self) -> None:
        """Ask the runner for the preview."""
        self._check()
        self.set_interval(HOLDER_S, self._starter.look_for_holder)

    @property
    def request_to_run(self) -> RunRequest | None:
        """The request for the entered run, or None if a field has an error."""
        profile = self.entered.profile
        if profile is None:
            return None
        return RunRequest.to_run(
            self.context.workspace, self._file, profile, self.entered.overrides
        )

    def edited(self) -> None:
        """Ask the runner for the preview of the changed run, once the user stops typing."""
        self._problem = ""
        if self._timer:
            self._timer.stop()
        self._timer = self.set_timer(CHECK_S, self._check)

    @work
    async def _check(self) -> None:
        await self._starter.check(self.request_to_run)

    def on_catalog_read(self) -> None:
        """Apply the entered changes to the profile if its file has changed."""
        self._read_again()

    @work(exclusive=True, group="source")
    async def _read_again(self) -> None:
        try:
            source = await in_background(read_source, self._file)
        except ProfileError:
            # The next preview of the run reports the problem.
            return
        if source.values != self.entered.source.values and not self._starter.is_starting:
            self.fill(self.entered.with_source(source))
            self._problem = "The profile has changed on disk. The settings show its new values."
            self.repaint()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable the start while the run is starting."""
        if action == "start":
            return not self._starter.is_starting
        return True

    async def action_start(self) -> None:
        """Start the run, at most once, or show the first error."""
        self.take_texts()
        request = self.request_to_run
        if request is None:
            await self.show_first_error()
        else:
            self.run_worker(self._starter.start(request))

    def _open(self, folder: Path) -> None:
        self._folder = folder
        if self.app.screen is self:
            self.dismiss(folder)
        else:
            # The user has left meanwhile, or opened a dialog. The list marks the run as live.
            self.app.notify(f"Started {folder.parent.name}/{folder.name}")

    def on_screen_resume(self) -> None:
        """Open the run if it started while a dialog was in front."""
        if self._folder:
            self.dismiss(self._folder)

    def action_cancel(self) -> None:
        """Return without a run. Ask first if that loses changes."""
        self.take_texts()
        if self._starter.is_starting or not self.entered.is_changed:
            # A run that is already starting appears in the list.
            self.dismiss(None)
            return

        def answered(answer: str | None) -> None:
            if answer == "d":
                self.dismiss(None)
            elif answer == "s":
                self.action_save()

        lines = [line("They apply to this run alone, and are not saved.")]
        title = f"Discard {counted(max(1, len(self.entered.changes)), 'change')}?"
        answers = [("s", "save as profile"), ("d", "discard")]
        self.app.push_screen(Question(title, lines, answers, safe="keep editing"), answered)

    def may_quit(self) -> bool:
        """Return whether nothing would be lost. Otherwise ask what to do."""
        self.take_texts()
        if self.entered.is_changed and not self._starter.is_starting:
            self.action_cancel()
            return False
        return True

    def action_save(self) -> None:
        """Save the entered values as a new profile, and continue with it."""
        self.take_texts()
        if self.entered.profile is None:
            self.run_worker(self.show_first_error())
            return
        if is_writable(self.app, self.context, "saved"):
            ask_for_name(
                self.app,
                self.context,
                "Save as profile",
                self._file.stem,
                verb="save",
                then=self._save,
            )

    @work
    async def _save(self, file: Path) -> None:
        """Write a new profile with the entered values. The run is then one of that profile."""
        try:
            data = await in_background(_write_copy, self._file, file, self.entered.changes)
        except LoadbenchError as error:
            self._problem = str(error)
            self.repaint()
            return
        self._file = file
        self._earlier = ()
        self.fill(Entered(parse_source(file, data.decode("utf-8-sig")), is_masked=True))
        await self.context.catalog.read_profiles()

    def paint(self) -> None:
        """Show the profile, the help and what the run would do."""
        super().paint()
        separator = f" {self.context.glyphs.arrow} "
        name, changed = short_name(self._file.stem), len(self.entered.changes)
        what = f"new run with {counted(changed, 'change')}" if changed else "new run"
        self.query_one("#header", TextLine).show(
            [line((f" {name}", Tone.STRONG), (separator, Tone.DIM), what)]
        )
        view = self.query_one("#preview", LineView)
        view.show(self._preview_lines(view.columns or 40))

    def _preview_lines(self, columns: int) -> list[Line]:
        profile = self.entered.profile
        if profile is None:
            return self._error_lines(columns)
        cells = self.entered.cells
        previewed = PreviewedRun(
            name=self._file.stem, profile=profile, cells=cells, earlier=self._earlier
        )
        lines = preview_lines(
            previewed,
            self._starter.plan,
            columns,
            refusal=self._starter.refusal,
            busy=self._starter.busy,
            is_brief=True,
        )
        if self._problem:
            lines = [*wrap(line((self._problem, Tone.BAD)), columns), (), *lines]
        elif concurrent := self._concurrent_run():
            text = f"{concurrent} is live too. Two runs at once distort each other's results."
            lines = [*wrap(line((text, Tone.WARN)), columns), *lines]
        return [*lines, (), *plan_lines(grid_of(cells), self.context.glyphs)]

    def _concurrent_run(self) -> str:
        """Return the name of a live run of another service, or an empty text if there is none."""
        plan = self._starter.plan
        if plan is None or plan.holder:
            return ""
        live = (run for run in self.context.catalog.newest.runs if run.status is RunStatus.LIVE)
        return next((run.name for run in live), "")

    def _error_lines(self, columns: int) -> list[Line]:
        lines = [
            part
            for text in self.entered.other_errors
            for part in wrap(line((text, Tone.BAD)), columns, indent=2)
        ]
        if errors := self.entered.errors:
            count = counted(len(errors), "setting")
            text = line((f"{count} with an error: ", Tone.BAD), ", ".join(errors))
            lines += wrap(text, columns, indent=2)
        return lines


def _write_copy(file: Path, new: Path, changes: Mapping[str, Any]) -> bytes:
    """Create a profile from another one with changes, and return its content."""
    data = spliced(read_profile_file(file).data, changes)
    data = renamed_header(data.decode("utf-8"), file.stem, new.stem).encode("utf-8")
    create_profile_file(new, data)
    return data
