"""One run: live while it is measured, and in the same shape when it is over."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from loadbench.engine.journal.events import CellFailed
from loadbench.engine.run_reader import RunStatus
from loadbench.errors import JournalError
from loadbench.ui.background import Job
from loadbench.ui.catch_up.controller import CatchUp
from loadbench.ui.context import UiContext
from loadbench.ui.following.follower import Follower, View
from loadbench.ui.following.watched import WatchedRun
from loadbench.ui.lines.text import Tone, line
from loadbench.ui.messages import (
    Alert,
    GoBack,
    OpenCell,
    OpenLog,
    OpenReports,
    Quit,
    RunEnded,
    RunRead,
)
from loadbench.ui.run.commands import CommandScreen
from loadbench.ui.run.lines import header_lines, new_failures
from loadbench.ui.run.matrix import MatrixView
from loadbench.ui.run.panels import RunPanels
from loadbench.ui.run_base import AGAIN_KEY, COPY_KEY, OPEN_KEY, SKIP_KEY
from loadbench.ui.widgets.footer import KeyLine
from loadbench.ui.widgets.line_view import TextLine
from loadbench.ui.widgets.menu import Menu
from loadbench.ui.widgets.panel_screen import MAXIMISE_KEYS
from loadbench.ui.widgets.too_small import TooSmall

SEND_TIMEOUT_S = 2.0
"""How long a screen that is closed waits for its commands: a stuck disk may never take them."""


class RunScreen(CommandScreen):
    """Follows one run.

    Args:
        context: The surroundings.
        folder: The run's folder.
        cell: The cell to show; None: the current one, whichever that is.
    """

    WIDE = (100, 30)
    AUTO_FOCUS = "#sweep"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "look", "cell", tooltip="look at the cell alone"),
        Binding("space", "pause", "pause", tooltip="pause after the current cell"),
        Binding("space", "continue", "go on", tooltip="go on with a paused run"),
        SKIP_KEY,
        AGAIN_KEY,
        Binding("plus", "add", "add", key_display="+", tooltip="add a cell to the run"),
        Binding("x", "stop", "stop", tooltip="stop the run in order"),
        Binding("x", "kill", "kill", tooltip="kill a runner that does not stop"),
        Binding("r", "resume", "resume", tooltip="go on with what is left of the run"),
        Binding("f", "follow", "follow", tooltip="show the current cell, whichever it is"),
        Binding("w", "catch_up", "since you left", show=False, tooltip="what happened meanwhile"),
        Binding("v", "reports", "reports", show=False, tooltip="look at all runs"),
        Binding("n", "next_log", "next log", show=False, tooltip="logs: stack, Locust, runner"),
        OPEN_KEY,
        COPY_KEY,
        Binding("q", "detach", "detach", tooltip="leave; the run goes on"),
        *MAXIMISE_KEYS,
        Binding("escape", "back", "back", tooltip="to the screen before"),
        *(
            Binding(key, f"panel('{tab}')", tab, show=False, tooltip=f"show {tab}")
            for key, tab in RunPanels.TABS
        ),
    ]

    def __init__(self, context: UiContext, folder: Path, cell: str | None = None) -> None:
        watched = WatchedRun(
            folder=folder,
            start=self._start,
            changed=self._repaint_all,
            fail=self._on_unreadable,
            painted=self._on_painted,
            cursor=cell,
        )
        super().__init__(context, watched)
        self._newest: View | None = None
        self._is_stale = False
        self._follower: Follower | None = None
        self.catch_up = CatchUp(self, self._choose)

    def compose(self) -> ComposeResult:
        """Lay out header, panels and footer."""
        yield TextLine(id="header")
        narrow_tab = "charts" if self.watched.cursor else "sweep"
        yield RunPanels(self.folder, self.context, narrow_tab=narrow_tab).add_class("-unread")
        yield KeyLine()
        yield TooSmall()

    def on_mount(self) -> None:
        """Begin to follow the run."""
        self.query_one("#header", TextLine).show([line((" reading the journal…", Tone.DIM)), ()])
        self._follower = Follower(
            self.folder,
            tell=self._tell,
            fail=lambda error: self.app.call_later(self._on_unreadable, error),
            clock=self.context.clock,
            now=self.context.now,
        )
        self._follower.start()
        self.set_interval(1 / self.context.terminal.refresh_hz, self._tick)

    async def on_unmount(self) -> None:
        """Stop following the run, which continues; send the commands that wait to be sent."""
        if self._follower:
            self._follower.stop()
        self.catch_up.save()
        await self.watched.commands.drain(timeout_s=SEND_TIMEOUT_S)

    def on_screen_suspend(self) -> None:
        """Save how far the run was seen."""
        self.catch_up.save()

    # What there is to see

    @property
    def status(self) -> RunStatus | None:
        """How the run stands; None: it was not read yet."""
        return self.watched.status

    @property
    def shown(self) -> str | None:
        """The key of the cell that is shown: the chosen one, else the current, else the last."""
        return self.watched.chosen_cell

    @property
    def is_chosen(self) -> bool:
        """Whether the user chose that cell."""
        return self.watched.cursor is not None

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
            self._report_failures(new_failures(self.run.state, view.run.state))
        self.watched.view = view
        if problem := view.run.state.profile_problem:
            self._on_unreadable(JournalError(problem))
            return
        self._tell_answers(view)
        self._is_stale = True
        over = view.run.status is not RunStatus.LIVE
        if first or over:
            self._repaint_all()
        self.post_message(RunRead(self, view.run))
        if over:
            self.post_message(RunEnded(self, view.run, was_live))

    def _on_unreadable(self, error: JournalError) -> None:
        """Say that the journal cannot be read (any more); nothing is followed from here on."""
        if self._follower:
            self._follower.stop()
        if self.is_attached and not self.watched.problem:
            self.watched.problem = str(error)
            self.app.notify(self.watched.problem, severity="error", timeout=15)
            self._repaint_all()

    def _report_failures(self, failures: Sequence[CellFailed]) -> None:
        for it in failures:
            self.app.notify(it.reason, title=f"{it.cell} failed", severity="error", timeout=10)
        if failures:
            more = f", and {len(failures) - 1} more" if len(failures) > 1 else ""
            first = f"{failures[0].cell} failed: {failures[0].reason}"
            self.post_message(Alert(f"{self.folder.parent.name}: {first}{more}"))

    def _tell_answers(self, view: View) -> None:
        for identity in [it for it in self.watched.asked if it in view.answers]:
            self.watched.asked.discard(identity)
            answer = view.answers[identity]
            self.app.notify(
                answer.message, severity="information" if answer.accepted else "warning"
            )

    def _tick(self) -> None:
        if self._is_stale or self.status is RunStatus.LIVE:
            self._repaint_all()

    def _repaint_all(self) -> None:
        """Paint whichever screens of this run can be seen."""
        self._is_stale = False
        self.watched.repaint()

    def _on_painted(self) -> None:
        view, profile = self.watched.view, self.watched.profile
        if view and profile:
            self.catch_up.on_view_shown(view, profile)

    def on_user_active(self) -> None:
        """Take note that the user is there, if the run is what they look at."""
        if self.watched.is_looked_at:
            self.catch_up.on_user_input()

    def paint(self) -> None:
        """Show the run as it was last read."""
        header, watched = self.query_one("#header", TextLine), self.watched
        if (watched.view or watched.problem) and self.panels.has_class("-unread"):
            # Not before they have something to show: they would be laid out and sent twice.
            self.panels.remove_class("-unread")
            self.call_after_refresh(self.query_one(MatrixView).focus)
        if watched.problem:
            header.show([line((f" {watched.problem}", Tone.BAD)), ()])
            self.note_allowed()
            return
        view, profile, key = watched.view, watched.profile, self.shown
        if view is None or profile is None or key is None:
            return
        now, columns = view.elapsed_s(self.context.clock()), self.size.width or 80
        header.show(header_lines(view.run, profile, now, self.context.glyphs, columns))
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
        if action == "catch_up":
            return self.catch_up.has_news
        return super().check_action(action, parameters)

    def on_matrix_view_chosen(self, event: MatrixView.Chosen) -> None:
        """Show the cell that was chosen, until the current one is followed again."""
        self.watched.cursor = event.key
        self._repaint_all()

    def on_matrix_view_opened(self, event: MatrixView.Opened) -> None:
        """Open the cell that was clicked twice."""
        self.watched.cursor = event.key
        self.action_look()

    def on_menu_selected(self, event: Menu.Selected) -> None:
        """Listen to the container."""
        event.stop()
        containers = list(self.query_one(RunPanels).containers)
        self.request(OpenLog(self.watched, containers, event.key))

    def action_next_log(self) -> None:
        """Show the next log."""
        self.query_one(RunPanels).next_log()

    def action_look(self) -> None:
        """Open the cell; when that is closed, the cursor is on the cell that it showed last."""
        if self.shown:
            self.request(OpenCell(self.watched, self.shown))

    def _choose(self, key: str) -> None:
        self.watched.choose(key)
        self._repaint_all()

    def action_follow(self) -> None:
        """Show the current cell, whichever it is."""
        self.watched.cursor = None
        self._repaint_all()

    def action_back(self) -> None:
        """Go to the screen before; the run goes on."""
        self.request(GoBack(f"{self.folder.parent.name}.yaml"))

    def action_catch_up(self) -> None:
        """Show again what happened while the user was away."""
        self.catch_up.open_window()

    def action_reports(self) -> None:
        """Look at all runs."""
        self.request(OpenReports())

    def action_detach(self) -> None:
        """Leave the program; the run goes on."""
        self.request(Quit())
