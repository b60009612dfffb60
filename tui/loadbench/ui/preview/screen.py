"""What a run would be, before it is started; Enter starts it."""

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

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
from loadbench.ui.preview.lines import Intention, preview_lines
from loadbench.ui.widgets.line_view import LineView

if TYPE_CHECKING:
    from loadbench.ui.app import LoadbenchApp


class PreviewScreen(Dialog[Path | None]):
    """Shows what would be started, and gives the folder of the run once it is.

    Args:
        intention: What is about to be started.
        request: The request for its runner.
    """

    app: "LoadbenchApp"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "start", "start"),
        Binding("escape", "cancel", "back"),
    ]

    def __init__(self, intention: Intention, request: RunRequest) -> None:
        super().__init__()
        self._intention, self._request = intention, request
        self._found: RunPlan | None = None
        self._refusal = ""
        self._busy = "asking which driver can run it…"
        self._starting = False

    def compose_window(self) -> ComposeResult:
        """Lay out the lines and the two buttons."""
        verb = "go on with" if self._request.resume else "run"
        with Vertical() as window:
            window.border_title = Text(f"{verb} {self._intention.name}")
            yield LineView(id="preview")
            with Horizontal():
                yield Button("back", id="back", compact=True)
                yield Button("start", id="start", variant="primary", compact=True)

    def on_mount(self) -> None:
        """Show what the profile tells, and ask for the rest."""
        for button in self.query(Button):
            button.can_focus = False
        self._paint()
        self._ask()

    def on_resize(self) -> None:
        """Break the lines anew."""
        self._paint()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A run that is refused, or is being started, cannot be started."""
        if action == "start":
            return not (self._refusal or self._starting)
        return True

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Do what the button says."""
        if event.button.id == "back":
            self.action_cancel()
        else:
            self.action_start()

    def action_cancel(self) -> None:
        """Start nothing. What is being started already goes on, and is marked live in the list."""
        self.dismiss(None)

    @work
    async def _ask(self) -> None:
        try:
            self._found = await in_background(preview, self._request)
        except LoadbenchError as error:
            self._refusal = str(error)
        if not self._starting:
            self._busy = ""
        self._paint()

    def action_start(self) -> None:
        """Start the run, once, and give its folder."""
        if self.check_action("start", ()):
            self._starting, self._busy = True, "starting…"
            self._paint()
            self._start()

    @work
    async def _start(self) -> None:
        try:
            folder = await in_background(start_runner, self._request)
        except LoadbenchError as error:
            self._starting, self._busy, self._refusal = False, "", str(error)
            self._paint()
            return
        if self.app.screen is self:
            self.dismiss(folder)
        else:
            # Somebody went on meanwhile; the list marks the run as live.
            self.app.notify(f"{folder.parent.name}/{folder.name} was started")

    def _paint(self) -> None:
        if not self.app.shows(self):
            return
        view = self.query_one(LineView)
        columns = view.columns or 60
        view.show(
            preview_lines(
                self._intention, self._found, columns, refusal=self._refusal, busy=self._busy
            )
        )
        self.query_one("#start", Button).display = bool(self.check_action("start", ()))
        self.refresh_bindings()
