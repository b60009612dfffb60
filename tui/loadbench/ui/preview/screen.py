"""The preview of a run, from which the run can be started."""

from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button

from loadbench.engine.requests.launch import RunPlan, RunRequest, preview, start_runner
from loadbench.errors import LoadbenchError
from loadbench.ui.background import in_background
from loadbench.ui.dialogs.dialog import Dialog
from loadbench.ui.preview.lines import PreviewedRun, preview_lines
from loadbench.ui.widgets.line_view import LineView


class PreviewScreen(Dialog[Path | None]):
    """Show what a run would do, and start it. The result is its folder, or None if cancelled.

    Args:
        previewed: The run to preview.
        request: The request that starts it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "start", "start"),
        Binding("escape", "cancel", "cancel"),
    ]

    def __init__(self, previewed: PreviewedRun, request: RunRequest) -> None:
        super().__init__()
        self._previewed, self._request = previewed, request
        self._plan: RunPlan | None = None
        self._refusal = ""
        self._busy = "Checking which driver can run it…"
        self._starting = False

    def compose_window(self) -> ComposeResult:
        """Lay out the text and the two buttons."""
        verb = "Resume" if self._request.resume else "Run"
        with Vertical() as window:
            window.border_title = Text(f"{verb} {self._previewed.name}")
            yield LineView(id="preview")
            with Horizontal():
                yield Button("Esc  Cancel", id="cancel", compact=True)
                yield Button("Enter  Start", id="start", variant="primary", compact=True)

    def on_mount(self) -> None:
        """Keep the focus off the buttons, and ask the runner for the preview."""
        for button in self.query(Button):
            button.can_focus = False
        self._load()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable the start if the run was refused or is already starting."""
        if action == "start":
            return not (self._refusal or self._starting)
        return True

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Carry out the action of the button."""
        if event.button.id == "cancel":
            self.action_cancel()
        else:
            self.action_start()

    def action_cancel(self) -> None:
        """Close the preview. A run that is already starting continues and appears in the list."""
        self.dismiss(None)

    @work
    async def _load(self) -> None:
        try:
            self._plan = await in_background(preview, self._request)
        except LoadbenchError as error:
            self._refusal = str(error)
        if not self._starting:
            self._busy = ""
        self.repaint()

    def action_start(self) -> None:
        """Start the run, at most once, and return its folder."""
        if self.check_action("start", ()):
            self._starting, self._busy = True, "Starting…"
            self.repaint()
            self._start()

    @work
    async def _start(self) -> None:
        try:
            folder = await in_background(start_runner, self._request)
        except LoadbenchError as error:
            self._starting, self._busy, self._refusal = False, "", str(error)
            self.repaint()
            return
        if self.app.screen is self:
            self.dismiss(folder)
        else:
            # The user has closed the preview meanwhile; the list marks the run as live.
            self.app.notify(f"Started {folder.parent.name}/{folder.name}")

    def paint(self) -> None:
        """Show the available parts of the preview."""
        view = self.query_one(LineView)
        columns = view.columns or 60
        view.show(
            preview_lines(
                self._previewed, self._plan, columns, refusal=self._refusal, busy=self._busy
            )
        )
        self.query_one("#start", Button).display = bool(self.check_action("start", ()))
        self.refresh_bindings()
