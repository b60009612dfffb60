"""The preview of a run that is resumed."""

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button

from loadbench.engine.requests.launch import RunRequest
from loadbench.ui.context import UiContext
from loadbench.ui.dialogs.dialog import Dialog
from loadbench.ui.lines.text import title_text
from loadbench.ui.preview.lines import PreviewedRun, preview_lines
from loadbench.ui.preview.starter import HOLDER_S, RunStarter
from loadbench.ui.widgets.line_view import LineView


class PreviewScreen(Dialog[Path | None]):
    """Show what a run would do, and start it. The result is its folder, or None if cancelled.

    Args:
        context: The context of the screen.
        previewed: The run to preview.
        request: The request that starts it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "start", "start"),
        Binding("escape", "cancel", "cancel"),
    ]

    def __init__(self, context: UiContext, previewed: PreviewedRun, request: RunRequest) -> None:
        super().__init__()
        self._previewed, self._request = previewed, request
        self._starter = RunStarter(self, context, changed=self.repaint, opened=self._open)

    def compose_window(self) -> ComposeResult:
        """Lay out the text and the two buttons."""
        with Vertical() as window:
            window.border_title = title_text(f"Resume {self._previewed.name}")
            yield LineView(id="preview")
            with Horizontal():
                yield Button("Esc  Cancel", id="cancel", compact=True)
                yield Button("Enter  Start", id="start", variant="primary", compact=True)

    def on_mount(self) -> None:
        """Keep the focus off the buttons, and ask the runner for the preview."""
        for button in self.query(Button):
            button.can_focus = False
        self.run_worker(self._starter.check(self._request))
        self.set_interval(HOLDER_S, self._starter.look_for_holder)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable the start if the run was refused or is already starting."""
        if action == "start":
            return not (self._starter.refusal or self._starter.is_starting)
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

    def action_start(self) -> None:
        """Start the run, at most once, and return its folder."""
        if self.check_action("start", ()):
            self.run_worker(self._starter.start(self._request))

    def _open(self, folder: Path) -> None:
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
                self._previewed,
                self._starter.plan,
                columns,
                refusal=self._starter.refusal,
                busy=self._starter.busy,
            )
        )
        self.query_one("#start", Button).display = bool(self.check_action("start", ()))
        self.refresh_bindings()
