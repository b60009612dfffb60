"""Open the screens that start and resume runs, and those that edit profiles.

The screens and what they need are imported only when they are opened, as in `app`.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from textual import work

from loadbench.errors import LoadbenchError, ProfileError
from loadbench.ui import messages
from loadbench.ui.app_base import BaseApp
from loadbench.ui.background import in_background

if TYPE_CHECKING:
    from loadbench.engine.profile.editing.templates import Template
    from loadbench.engine.run_reader import Run


class ProfileApp(BaseApp, inherit_bindings=False):
    """The part of the app that opens previews and profile editors.

    Args:
        context: The context of every screen.
    """

    def show_started(self, folder: Path | None) -> None:
        """Show a run that was started, or nothing if the folder is None."""
        raise NotImplementedError

    async def preview_profile(self, file: Path) -> None:
        """Reload a profile, and preview a run of it. If the profile is invalid, edit it."""
        from loadbench.engine.profile.source import read_source
        from loadbench.ui.form.state import Entered
        from loadbench.ui.preview.run_form import RunForm

        saved = await self.context.catalog.read_profile(file)
        self.send(messages.CatalogRead(self.context.catalog.newest))
        if saved is None:
            return
        if saved.profile is None:
            await self.edit_profile(file)
            return
        try:
            entered = Entered(await in_background(read_source, file), is_masked=True)
        except ProfileError as error:
            self.notify(str(error), severity="error")
            return
        earlier = self.context.catalog.newest.of_profile(saved.name)
        self.push_screen(RunForm(self.context, file, entered, earlier), self.show_started)

    async def edit_profile(self, file: Path) -> None:
        """Open the editor of a profile."""
        from loadbench.engine.profile.editing.file import read_profile_file
        from loadbench.ui.editor.screen import EditorScreen
        from loadbench.ui.profiles.invalid import first_error_line
        from loadbench.ui.terminal import desktop

        try:
            data = (await in_background(read_profile_file, file)).data
            screen = EditorScreen(self.context, file, data)
        except LoadbenchError:
            # The form cannot show a file that is not a YAML mapping. The details show the error.
            saved = await self.context.catalog.read_profile(file)
            desktop.edit(self, file, first_error_line(saved) if saved else None)
            await self.context.catalog.read_profiles()
            self.send(messages.CatalogRead(self.context.catalog.newest))
            return
        self.push_screen(screen, self._select_profile)

    def ask_for_template(self) -> None:
        """Ask what a new profile measures and for its name, and open its editor."""
        from loadbench.ui.editor.template import TemplateDialog
        from loadbench.ui.naming import ask_for_name

        def chosen(template: "Template | None") -> None:
            if template:
                ask_for_name(
                    self,
                    self.context,
                    "Name of the new profile",
                    template.name,
                    verb="continue",
                    then=lambda file: self._edit_new(template, file),
                )

        self.push_screen(TemplateDialog(self.context.glyphs), chosen)

    @work
    async def _edit_new(self, template: "Template", file: Path) -> None:
        """Open the editor of a profile that does not exist yet."""
        from loadbench.engine.profile.editing.suggestions import compose_values
        from loadbench.engine.profile.editing.templates import template_text
        from loadbench.ui.editor.screen import EditorScreen

        values = {}
        if "stack.compose" in template.first_keys:
            values = await in_background(compose_values, self.context.workspace)
        data = template_text(template, file.stem, values).encode()
        screen = EditorScreen(self.context, file, data, is_new=True)
        self.push_screen(screen, self._select_profile)

    def _select_profile(self, file_name: str | None) -> None:
        """Select the profile that was edited."""
        self.send(messages.ProfileEdited(file_name or ""))

    def preview_rest(self, request: messages.ResumeRun) -> None:
        """Open the preview for resuming a run."""
        from loadbench.engine.requests.resumption import is_unfinished
        from loadbench.ui.preview.previewed_run import to_resume
        from loadbench.ui.preview.screen import PreviewScreen

        try:
            earlier = self.context.catalog.newest.of_profile(request.run.folder.parent.name)
            preview = to_resume(
                self.context.workspace,
                request.run,
                earlier,
                again=request.again,
                added=request.added,
            )
        except LoadbenchError as error:
            self.notify(str(error), severity="error")
            return
        if preview:
            self.push_screen(PreviewScreen(self.context, *preview), self.show_started)
        elif is_unfinished(request.run):
            self._finish_run(request.run)

    @work
    async def _finish_run(self, run: "Run") -> None:
        """Record the end of a run whose runner was killed after the last cell."""
        from loadbench.engine.requests.launch import RunRequest, start_runner

        request = RunRequest.to_resume(self.context.workspace, run.folder)
        try:
            await in_background(start_runner, request)
        except LoadbenchError as error:
            self.notify(str(error), severity="error")
        else:
            self.post_message(messages.RunsChanged())
