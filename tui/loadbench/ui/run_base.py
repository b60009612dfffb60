"""The base of the screens of one run: commands to the run, and to the cell that is shown."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, ParamSpec

from textual import events, on
from textual.binding import Binding
from textual.widget import Widget

from loadbench.engine.journal.commands import new_identity, send_command
from loadbench.engine.journal.state import CellStatus
from loadbench.engine.run_reader import Run, report_of
from loadbench.errors import JournalError
from loadbench.ui.context import UiContext
from loadbench.ui.dialogs.question import Question
from loadbench.ui.following.watched import WatchedRun
from loadbench.ui.lines.actions import AGAIN, DEPEND_ON_STATE, allows, skipping
from loadbench.ui.terminal import desktop
from loadbench.ui.widgets.panel_screen import PanelScreen
from loadbench.ui.widgets.panels import Panels
from loadbench.ui.widgets.tabs import TabLine

P = ParamSpec("P")

_SHORT_ROWS = 20

SKIP_KEY = Binding("s", "skip", "skip", tooltip="skip the cell that is shown")
AGAIN_KEY = Binding("a", "again", "again", tooltip="measure the cell that is shown again")
OPEN_KEY = Binding("o", "open", "report", tooltip="open Locust's report of the cell that is shown")
COPY_KEY = Binding("y", "copy", "copy path", show=False, tooltip="copy the path of that report")


class BaseRunScreen(PanelScreen):
    """One of the screens of a run.

    Args:
        context: The surroundings.
        watched: The run; the same for all screens of one run.
    """

    _allowed: Sequence[str] = ()

    def __init__(self, context: UiContext, watched: WatchedRun) -> None:
        super().__init__()
        self.context, self.watched = context, watched

    def on_mount(self) -> None:
        """Be painted when something of the run has been read."""
        self.watched.screens.append(self)

    def repaint(self) -> None:
        """Paint, if the screen can be seen, and report that."""
        if self.is_to_be_seen:
            self.paint()
            self.watched.painted()

    async def on_unmount(self) -> None:
        """Be painted no more."""
        self.watched.screens.remove(self)

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return self.watched.folder

    @property
    def run(self) -> Run | None:
        """The run, as it was last read."""
        return self.watched.run

    @property
    def shown(self) -> str | None:
        """The key of the cell that commands are about; None: there is none."""
        raise NotImplementedError

    @property
    def is_chosen(self) -> bool:
        """Whether the user chose that cell; else it is the current one, or the last."""
        return True

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what the state of the run, and of the cell, allows."""
        if action in DEPEND_ON_STATE:
            return self._allows(action)
        return super().check_action(action, parameters)

    def note_allowed(self) -> None:
        """Offer other keys where the state allows others than before."""
        allowed = [name for name in DEPEND_ON_STATE if self._allows(name)]
        if allowed != self._allowed:
            self._allowed = allowed
            self.refresh_bindings()

    def _allows(self, action: str) -> bool:
        run = self.run
        if run is None or self.watched.problem:
            return False
        return allows(run, action, cell=self.shown, chosen=self.is_chosen)

    def action_skip(self) -> None:
        """Skip the cell; if it is being measured, once that was confirmed."""
        key, run = self.shown, self.run
        if key is None or run is None or key != run.state.current:
            self.ask("skip", cell=key)
            return
        question = Question(f"skip {key}", skipping(key), [("y", "skip it")], safe="measure it")
        self.ask_if(question, lambda: self.ask("skip", cell=key))

    def action_again(self) -> None:
        """Measure the cell again; if it has numbers, once that was confirmed."""
        key, run = self.shown, self.run
        if key is None or run is None:
            return
        if run.state.cells[key].status is not CellStatus.FINISHED:
            self.ask("again", cell=key)
            return
        question = Question(f"measure {key} again", AGAIN, [("y", "again")], safe="keep them")
        self.ask_if(question, lambda: self.ask("again", cell=key))

    def action_open(self) -> None:
        """Open Locust's report of the cell."""
        if path := self._report():
            desktop.open_file(self.app, path)

    def action_copy(self) -> None:
        """Copy the path of that report."""
        if path := self._report():
            desktop.copy_path(self.app, path)

    def ask(
        self, command: str, *, cell: str | None = None, args: dict[str, float] | None = None
    ) -> None:
        """Send a command to the runner; its answer is shown when it comes."""
        # Known before it is sent: the answer may come at once.
        identity = new_identity()
        self.watched.asked.add(identity)
        self.in_order(send_command, self.folder, command, cell=cell, args=args, identity=identity)

    def in_order(self, work: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Do work for the run in the background, after what was added before; show its error."""
        done = self.watched.commands.add(work, *args, **kwargs)
        # A worker of the app: this screen may be closed before.
        self.app.run_worker(self._show_error_of(done))

    async def _show_error_of(self, done: asyncio.Task[object]) -> None:
        try:
            # The app cancels its workers as it ends; the command is sent all the same.
            await asyncio.shield(done)
        except JournalError as error:
            self.app.notify(str(error), severity="error")

    def ask_if(self, question: Question, then: Callable[[], None]) -> None:
        """Do something once a question was answered with yes."""
        self.app.push_screen(question, lambda answer: then() if answer else None)

    def _report(self) -> Path | None:
        run = self.run
        return report_of(run, self.shown) if run and self.shown else None


class TabbedRunScreen(BaseRunScreen):
    """A screen of a run whose panels are behind tabs where there is no room for all."""

    WIDE: ClassVar[tuple[int, int]]
    """The columns and rows from which on all panels have room."""

    @property
    def panels(self) -> Panels:
        """Everything below the header."""
        return self.query_one(Panels)

    def on_resize(self, event: events.Resize) -> None:
        """Show one panel at a time where there is no room for all."""
        columns, rows = self.WIDE
        narrow = event.size.width < columns or event.size.height < rows
        self.set_class(narrow, "-narrow")
        self.set_class(event.size.height < _SHORT_ROWS, "-short")
        self.panels.narrow = narrow

    @on(TabLine.Chosen)
    def show_tab(self, event: TabLine.Chosen) -> None:
        """Show the panel whose tab was clicked."""
        self.action_panel(event.tab)

    def reveal(self, panel: Widget) -> None:
        """Show a panel that may be behind a tab."""
        self.panels.reveal(panel.id or "")

    def action_panel(self, tab: str) -> None:
        """Show a panel, and put the focus on it."""
        self.panels.choose(tab)
        self.app.call_later(self.keep_maximised)
        self.call_after_refresh(self.repaint)
