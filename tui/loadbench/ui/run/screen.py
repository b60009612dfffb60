"""One run: live while it is measured, and in the same shape when it is over."""

import signal
from pathlib import Path
from typing import ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget

from loadbench.engine.journal.state import CellStatus, RunState
from loadbench.engine.run_reader import RunStatus, signal_runner
from loadbench.errors import JournalError
from loadbench.ui.catch_up.absence import Absence
from loadbench.ui.cell.screen import CellScreen
from loadbench.ui.dialogs.question import Question
from loadbench.ui.following.follower import Follower, View
from loadbench.ui.following.watched import Job, Watched
from loadbench.ui.lines.actions import KILLING, STOPPING
from loadbench.ui.lines.text import Tone, line
from loadbench.ui.log.screen import LogScreen
from loadbench.ui.run.add_cell import AddDialog
from loadbench.ui.run.lines import header_lines
from loadbench.ui.run.matrix import MatrixView
from loadbench.ui.run.panels import RunPanels
from loadbench.ui.run_base import AGAIN_KEY, COPY_KEY, OPEN_KEY, SKIP_KEY, OfRun
from loadbench.ui.widgets.footer import KeyLine
from loadbench.ui.widgets.line_view import TextLine
from loadbench.ui.widgets.menu import Menu
from loadbench.ui.widgets.panel_screen import MAXIMISE_KEYS
from loadbench.ui.widgets.tabs import TabLine
from loadbench.ui.widgets.too_small import TooSmall

_WIDE_COLUMNS, _WIDE_ROWS = 100, 30
_SHORT_ROWS = 20


class RunScreen(OfRun):
    """Follows one run.

    Args:
        folder: The run's folder.
        cell: The cell to show; None: the current one, whichever that is.
    """

    AUTO_FOCUS = "#sweep"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "look", "cell", tooltip="look at the cell alone"),
        Binding("space", "pause", "pause", tooltip="pause after the current cell"),
        Binding("space", "go_on", "go on", tooltip="go on with a paused run"),
        SKIP_KEY,
        AGAIN_KEY,
        Binding("plus", "add", "add", key_display="+", tooltip="add a cell to the run"),
        Binding("x", "stop", "stop", tooltip="stop the run in order"),
        Binding("x", "kill", "kill", tooltip="kill a runner that does not stop"),
        Binding("r", "resume", "resume", tooltip="go on with what is left of the run"),
        Binding("f", "follow", "follow", tooltip="show the current cell, whichever it is"),
        Binding("w", "since", "since you left", show=False, tooltip="what happened meanwhile"),
        Binding("v", "reports", "reports", show=False, tooltip="look at all runs"),
        Binding("n", "next_log", "next log", show=False, tooltip="logs: stack, Locust, runner"),
        OPEN_KEY,
        COPY_KEY,
        Binding("q", "detach", "detach", tooltip="leave; the run goes on"),
        *MAXIMISE_KEYS,
        Binding("escape", "back", "back", tooltip="to the screen before"),
        *(
            Binding(key, f"panel('{name}')", name, show=False, tooltip=f"show {name}")
            for key, name in (
                ("1", "sweep"),
                ("2", "charts"),
                ("3", "stats"),
                ("4", "failures"),
                ("5", "events"),
                ("6", "logs"),
            )
        ),
    ]

    def __init__(self, folder: Path, cell: str | None = None) -> None:
        super().__init__()
        self.watched = Watched(
            folder=folder, start=self._start, changed=self._paint, fail=self._on_unreadable
        )
        self._cursor = cell
        self._newest: View | None = None
        self._is_stale = False
        self._follower: Follower | None = None
        self.absence = Absence(self, self._choose)

    def compose(self) -> ComposeResult:
        """Lay out header, panels and footer."""
        yield TextLine(id="header")
        narrow_tab = "charts" if self._cursor else "sweep"
        app = self.app
        yield RunPanels(self.folder, app.terminal, app.glyphs, narrow_tab=narrow_tab)
        yield KeyLine()
        yield TooSmall()

    def on_mount(self) -> None:
        """Begin to follow the run."""
        self.query_one("#header", TextLine).show([line((" reading the journal…", Tone.DIM)), ()])
        self._follower = Follower(
            self.folder,
            tell=self._tell,
            fail=lambda error: self.app.call_later(self._on_unreadable, error),
            clock=self.app.clock,
            now=self.app.now,
        )
        self._follower.start()
        self.set_interval(1 / self.app.terminal.refresh_hz, self._tick)
        self.query_one(MatrixView).focus()

    def on_unmount(self) -> None:
        """Follow it no more; the run goes on."""
        if self._follower:
            self._follower.stop()
        self.absence.keep()

    def on_screen_suspend(self) -> None:
        """Remember how far the run was seen, whatever happens to the program."""
        self.absence.keep()

    def on_screen_resume(self) -> None:
        """Show what has changed while another screen was shown."""
        self._paint()

    def on_resize(self, event: events.Resize) -> None:
        """Show one panel at a time where there is no room for all."""
        narrow = event.size.width < _WIDE_COLUMNS or event.size.height < _WIDE_ROWS
        self.set_class(narrow, "-narrow")
        self.set_class(event.size.height < _SHORT_ROWS, "-short")
        self.query_one(RunPanels).set_narrow(narrow)
        self.call_after_refresh(self._paint)

    # What there is to see

    @property
    def status(self) -> RunStatus | None:
        """How the run stands; None: it was not read yet."""
        return self.watched.status

    @property
    def shown(self) -> str | None:
        """The key of the cell that is shown: the chosen one, else the current, else the last."""
        if self.run is None:
            return None
        state = self.run.state
        if self._cursor in state.cells:
            return self._cursor
        if state.current in state.cells:
            return state.current
        begun = [key for key, cell in state.cells.items() if cell.attempt]
        return begun[-1] if begun else next(iter(state.cells), None)

    @property
    def chosen(self) -> bool:
        """Whether somebody chose that cell."""
        return self._cursor is not None

    def _tell(self, view: View) -> None:
        """Keep the newest view for the screen; called from the follower's thread."""
        self._newest = view
        self.app.call_later(self._take_newest)

    def _take_newest(self) -> None:
        view, self._newest = self._newest, None
        if view and self.is_attached:
            self._on_view(view)

    def _on_view(self, view: View) -> None:
        first, was_live = self.run is None, self.status is RunStatus.LIVE
        if was_live and self.run:
            self._tell_failures(self.run.state, view.run.state)
        self.watched.view = view
        if problem := view.run.state.profile_problem:
            self._on_unreadable(JournalError(problem))
            return
        self._tell_answers(view)
        self._is_stale = True
        over = view.run.status is not RunStatus.LIVE
        if first or over:
            self._paint()
        if over:
            self.app.run_ended(self, view.run, watched=was_live)

    def _on_unreadable(self, error: JournalError) -> None:
        """Say that the journal cannot be read (any more); nothing is followed from here on."""
        if self._follower:
            self._follower.stop()
        if self.is_attached and not self.watched.problem:
            self.watched.problem = str(error)
            self.app.notify(self.watched.problem, severity="error", timeout=15)
            self._paint()

    def _tell_failures(self, before: RunState, now: RunState) -> None:
        told = []
        for key, cell in now.cells.items():
            failed = cell.failed if cell.status is CellStatus.FAILED else None
            known = before.cells.get(key)
            if failed and (known is None or known.failed is not failed):
                self.app.notify(failed.reason, title=f"{key} failed", severity="error", timeout=10)
                told.append(f"{key} failed: {failed.reason}")
        if told:
            more = f", and {len(told) - 1} more" if len(told) > 1 else ""
            self.app.alert(f"{self.folder.parent.name}: {told[0]}{more}")

    def _tell_answers(self, view: View) -> None:
        for identity in [it for it in self.watched.asked if it in view.answers]:
            self.watched.asked.discard(identity)
            answer = view.answers[identity]
            self.app.notify(
                answer.message, severity="information" if answer.accepted else "warning"
            )

    def _tick(self) -> None:
        if self._is_stale or self.status is RunStatus.LIVE:
            self._paint()

    def _paint(self) -> None:
        """Paint whichever screen of this run is to be seen."""
        self._is_stale = False
        for screen in self._of_this_run():
            screen.paint()
        view, profile = self.watched.view, self.watched.profile
        if view and profile and self.is_looked_at:
            self.absence.on_shown(view, profile)

    @property
    def is_looked_at(self) -> bool:
        """Whether this screen, or one of a part of the run, is to be seen."""
        return any(screen.is_to_be_seen for screen in self._of_this_run())

    def _of_this_run(self) -> list[OfRun]:
        shown = self.app.screen_stack
        return [it for it in shown if isinstance(it, OfRun) and it.watched is self.watched]

    def paint(self) -> None:
        """Show the run as it was last read."""
        if not self.is_to_be_seen:
            return
        header, watched = self.query_one("#header", TextLine), self.watched
        if watched.problem:
            header.show([line((f" {watched.problem}", Tone.BAD)), ()])
            self.note_allowed()
            return
        view, profile, key = watched.view, watched.profile, self.shown
        if view is None or profile is None or key is None:
            return
        now = view.elapsed_s(self.app.clock())
        header.show(header_lines(view.run, profile, now, self.app.glyphs, self.size.width or 80))
        self.query_one(RunPanels).show_run(view, watched.shown(key), cursor=key)
        self.note_allowed()

    @work
    async def _start(self, job: Job) -> None:
        await job()

    # What can be done

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what the state of the run, and of the cell under the cursor, allows."""
        if action == "panel" and parameters == ("charts",):
            return self.query_one(RunPanels).narrow
        if action == "since":
            return self.absence.is_told
        return super().check_action(action, parameters)

    def on_matrix_view_chosen(self, event: MatrixView.Chosen) -> None:
        """Show the cell that was chosen, until somebody follows the current one again."""
        self._cursor = event.key
        self._paint()

    def on_matrix_view_opened(self, event: MatrixView.Opened) -> None:
        """Open the cell that was clicked twice."""
        self._cursor = event.key
        self.action_look()

    def on_menu_selected(self, event: Menu.Selected) -> None:
        """Listen to the container."""
        event.stop()
        containers = list(self.query_one(RunPanels).containers)
        self.app.push_screen(LogScreen(self.watched, containers, event.key))

    def on_tab_line_chosen(self, event: TabLine.Chosen) -> None:
        """Show the panel that was clicked."""
        self.action_panel(event.tab)

    def reveal(self, panel: Widget) -> None:
        """Show a panel that may be behind a tab."""
        self.query_one(RunPanels).reveal(panel.id or "")

    def action_panel(self, name: str) -> None:
        """Show a panel."""
        self.query_one(RunPanels).choose(name)
        self.app.call_later(self.keep_maximised)
        self.call_after_refresh(self._paint)

    def action_next_log(self) -> None:
        """Show the next log."""
        self.query_one(RunPanels).next_log()

    def action_look(self) -> None:
        """Open the cell; the cursor is on the one that was looked at last when it is closed."""
        if self.shown is None:
            return
        opened = CellScreen(self.watched, self.shown)
        self.app.push_screen(opened, lambda _: self._choose(opened.shown))

    def _choose(self, key: str) -> None:
        # One that follows the current cell and comes back from it follows it still.
        if key != self.shown:
            self._cursor = key
            self._paint()

    def action_follow(self) -> None:
        """Show the current cell, whichever it is."""
        self._cursor = None
        self._paint()

    def action_back(self) -> None:
        """Go to the screen before; the run goes on."""
        self.app.go_back()

    def action_since(self) -> None:
        """Tell again what happened while nobody looked."""
        self.absence.tell()

    def action_reports(self) -> None:
        """Look at all runs."""
        self.app.show_reports()

    def action_detach(self) -> None:
        """Leave the program; the run goes on."""
        self.app.action_leave()

    def action_pause(self) -> None:
        """Ask for a pause after the current cell."""
        self.ask("pause")

    def action_go_on(self) -> None:
        """Ask a paused run to go on."""
        self.ask("resume")

    def action_add(self) -> None:
        """Have the run measure one more point of the grid, once that was named."""
        run, key = self.run, self.shown
        if run and key:
            dialog = AddDialog(lambda: self.run or run, run.state.cells[key].cell)
            self.app.push_screen(dialog, lambda args: self.ask("add", args=args) if args else None)

    def action_stop(self) -> None:
        """Stop the run, once that was confirmed."""
        question = Question("stop the run", STOPPING, [("y", "stop it")], safe="let it run")
        self.ask_if(question, self.stop_run)

    def stop_run(self) -> None:
        """Ask the runner to stop."""
        self.ask("stop")

    def action_kill(self) -> None:
        """Kill a runner that does not stop, once that was confirmed."""
        question = Question("kill the runner", KILLING, [("y", "kill it")], safe="wait")
        self.ask_if(question, self._kill)

    def _kill(self) -> None:
        if self.run:
            signal_runner(self.run, signal.SIGKILL)

    def action_resume(self) -> None:
        """Go on with what is left of the run, once that was confirmed."""
        if self.run:
            self.app.resume(self.run)
