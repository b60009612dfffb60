"""Base classes of the screens of a run, with the commands for the run and the selected cell."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, ParamSpec

from textual import events, on
from textual.binding import Binding
from textual.widget import Widget

from loadbench.engine.journal.commands import new_identity, send_command
from loadbench.engine.journal.state import CellStatus
from loadbench.engine.run_reader import Run, RunStatus, report_path
from loadbench.errors import JournalError
from loadbench.ui.context import UiContext
from loadbench.ui.dialogs.question import Question
from loadbench.ui.following.watched import WatchedRun
from loadbench.ui.lines.actions import AGAIN, DEPEND_ON_STATE, allows, resume_kind, skipping
from loadbench.ui.messages import Quit, ResumeRun
from loadbench.ui.terminal import desktop
from loadbench.ui.widgets.panel_screen import PanelScreen
from loadbench.ui.widgets.panels import Panels
from loadbench.ui.widgets.tabs import TabLine

P = ParamSpec("P")

_SHORT_ROWS = 20
_ROOMY_COLUMNS = 160
"""Minimum width for charts over load beside those over time."""

SKIP_KEY = Binding("s", "skip", "skip", tooltip="Skip the selected cell")
AGAIN_KEY = Binding("a", "again", "remeasure", tooltip="Measure the selected cell again")
OPEN_KEY = Binding("o", "open", "open report", tooltip="Open Locust's report of the selected cell")
COPY_KEY = Binding("y", "copy", "copy path", show=False, tooltip="Copy the path of Locust's report")
DETACH_KEY = Binding("q", "detach", "detach", tooltip="Detach; the run continues")


class BaseRunScreen(PanelScreen):
    """Base class of the screens that show a run.

    Args:
        context: The context of the screen.
        watched: The run, shared by all its screens.
    """

    _allowed: Sequence[str] = ()

    def __init__(self, context: UiContext, watched: WatchedRun) -> None:
        super().__init__()
        self.context, self.watched = context, watched

    def on_mount(self) -> None:
        """Register the screen, so that it is redrawn when the run has been read."""
        self.watched.screens.append(self)

    def repaint(self) -> None:
        """Redraw the screen if it is visible, and call `painted` of the watched run."""
        if self.is_in_view:
            self.paint()
            self.watched.painted()

    async def on_unmount(self) -> None:
        """Unregister the screen."""
        self.watched.screens.remove(self)

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return self.watched.folder

    @property
    def run(self) -> Run | None:
        """The run as last read, or None if it has not been read yet."""
        return self.watched.run

    @property
    def shown(self) -> str | None:
        """Key of the cell that commands apply to, or None if there is none."""
        raise NotImplementedError

    @property
    def is_chosen(self) -> bool:
        """Whether the user selected that cell. Otherwise it is the current or last one."""
        return True

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enable the actions that the state of the run and of the cell allows."""
        if action in DEPEND_ON_STATE:
            return self._allows(action)
        return super().check_action(action, parameters)

    def update_keys(self) -> None:
        """Update the footer if other actions are allowed than before."""
        allowed = [name for name in DEPEND_ON_STATE if self._allows(name)]
        if self.run and (kind := resume_kind(self.run)):
            allowed.append(kind.value)
        if allowed != self._allowed:
            self._allowed = allowed
            self.refresh_bindings()

    def _allows(self, action: str) -> bool:
        run = self.run
        if run is None or self.watched.problem:
            return False
        return allows(run, action, cell=self.shown, chosen=self.is_chosen)

    def action_skip(self) -> None:
        """Skip the cell. Ask first if it is being measured."""
        key, run = self.shown, self.run
        if key is None or run is None or key != run.state.current:
            self.ask("skip", cell=key)
            return
        question = Question(f"Skip {key}?", skipping(key), [("y", "Skip")], safe="Cancel")
        self.confirm(question, lambda: self.ask("skip", cell=key))

    def action_detach(self) -> None:
        """Quit the program. The run continues."""
        self.request(Quit())

    def action_again(self) -> None:
        """Measure the cell again. Ask first if it has a result, or show the preview of a resume."""
        key, run = self.shown, self.run
        if key is None or run is None:
            return
        if run.status is not RunStatus.LIVE:
            self.request(ResumeRun(run, again=(key,)))
            return
        if run.state.cells[key].status is not CellStatus.FINISHED:
            self.ask("again", cell=key)
            return
        question = Question(f"Measure {key} again?", AGAIN, [("y", "Measure")], safe="Cancel")
        self.confirm(question, lambda: self.ask("again", cell=key))

    def action_open(self) -> None:
        """Open Locust's report of the cell."""
        if path := self._report():
            desktop.open_file(self.app, path)

    def action_copy(self) -> None:
        """Copy the path of Locust's report of the cell."""
        if path := self._report():
            desktop.copy_path(self.app, path)

    def ask(
        self, command: str, *, cell: str | None = None, args: dict[str, float] | None = None
    ) -> None:
        """Send a command to the runner. The answer is shown when it arrives."""
        identity = self.expect_answer()
        self.enqueue(send_command, self.folder, command, cell=cell, args=args, identity=identity)

    def expect_answer(self) -> str:
        """Return the id for a command. Its answer is shown when it arrives, even immediately."""
        identity = new_identity()
        self.watched.unanswered.add(identity)
        return identity

    def enqueue(self, work: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Run a job in the background, after the jobs added before it, and show its error."""
        done = self.watched.commands.add(work, *args, **kwargs)
        # The app owns the worker, because this screen may be closed before the job ends.
        self.app.run_worker(self._show_error_of(done))

    async def _show_error_of(self, done: asyncio.Task[object]) -> None:
        try:
            # The app cancels its workers when it exits; the command must still be sent.
            await asyncio.shield(done)
        except JournalError as error:
            self.app.notify(str(error), severity="error")

    def confirm(self, question: Question, then: Callable[[], None]) -> None:
        """Ask a question, and call a function if the user confirms."""
        self.app.push_screen(question, lambda answer: then() if answer else None)

    def _report(self) -> Path | None:
        run = self.run
        return report_path(run, self.shown) if run and self.shown else None


class TabbedRunScreen(BaseRunScreen):
    """Base class of the screens of a run that use tabs on a small terminal."""

    WIDE: ClassVar[tuple[int, int]]
    """Minimum columns and rows to show all panels at once."""

    @property
    def panels(self) -> Panels:
        """The panels below the header."""
        return self.query_one(Panels)

    def on_resize(self, event: events.Resize) -> None:
        """Show all panels at once, or one tab at a time on a small terminal."""
        columns, rows = self.WIDE
        is_narrow = event.size.width < columns or event.size.height < rows
        self.set_class(is_narrow, "-narrow")
        self.set_class(event.size.height < _SHORT_ROWS, "-short")
        self.set_class(event.size.width >= _ROOMY_COLUMNS and not is_narrow, "-roomy")
        self.panels.narrow = is_narrow

    @on(TabLine.Chosen)
    def show_tab(self, event: TabLine.Chosen) -> None:
        """Show the tab that was clicked."""
        self.action_panel(event.tab)

    def reveal(self, panel: Widget) -> None:
        """Show the tab of a panel, unless the panel is visible."""
        self.panels.reveal(panel.id or "")

    def action_panel(self, tab: str) -> None:
        """Show a tab and focus its first panel."""
        self.panels.choose(tab)
        self.app.call_later(self.keep_maximised)
        self.call_after_refresh(self.repaint)
