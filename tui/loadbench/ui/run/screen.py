"""The screen of one run, live or ended."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from loadbench.engine.journal.events import CellFailed
from loadbench.engine.report.metrics import metrics_of, next_metric
from loadbench.engine.run_reader import RunStatus
from loadbench.errors import JournalError
from loadbench.ui.background import Job
from loadbench.ui.catch_up.controller import CatchUp
from loadbench.ui.context import UiContext
from loadbench.ui.dialogs.label import LABEL_KEY
from loadbench.ui.dialogs.recommendation import RECOMMENDATION_KEY, RecommendationWindow
from loadbench.ui.dialogs.resume import RESUME_KEYS
from loadbench.ui.following.follower import Follower, View
from loadbench.ui.following.watched import WatchedRun
from loadbench.ui.lines.text import Tone, line
from loadbench.ui.messages import (
    Alert,
    FollowRun,
    GoBack,
    OpenCell,
    OpenLog,
    OpenReports,
    RunEnded,
    RunRead,
)
from loadbench.ui.run.commands import CommandScreen
from loadbench.ui.run.lines import header_lines, new_failures
from loadbench.ui.run.matrix import MatrixView
from loadbench.ui.run.panels import RunPanels
from loadbench.ui.run_base import AGAIN_KEY, COPY_KEY, DETACH_KEY, OPEN_KEY, SKIP_KEY
from loadbench.ui.widgets.footer import KeyLine
from loadbench.ui.widgets.line_view import TextLine
from loadbench.ui.widgets.menu import Menu
from loadbench.ui.widgets.notification_line import NotificationLine
from loadbench.ui.widgets.panel_screen import MAXIMISE_KEYS, METRIC_KEY
from loadbench.ui.widgets.tabs import tab_keys
from loadbench.ui.widgets.too_small import TooSmall
from loadbench.wording import counted

HEADER_LINES = 3
"""Lines of a header that does not state what the run measures."""
MAX_NOTIFICATIONS = 3
"""Maximum number of failures that are shown one by one if several arrive at once."""

SEND_TIMEOUT_S = 2.0
"""Maximum seconds that a closing screen waits for its commands to be written to a slow disk."""


class RunScreen(CommandScreen):
    """Shows one run, and follows it while it is live.

    Args:
        context: The context of the screen.
        folder: The run's folder.
        cell: Key of the cell to show, or None to follow the current cell.
    """

    WIDE = (100, 30)
    AUTO_FOCUS = "#sweep"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "look", "open cell", tooltip="Open the selected cell"),
        Binding("space", "pause", "pause", tooltip="Pause after the current cell"),
        Binding("space", "continue", "resume", tooltip="Resume the paused run"),
        SKIP_KEY,
        AGAIN_KEY,
        Binding("plus", "add", "add", key_display="+", tooltip="Add a cell to the run"),
        Binding("x", "stop", "stop", tooltip="Stop the run and remove its containers"),
        Binding("x", "kill", "kill", tooltip="Kill a runner that does not stop"),
        *RESUME_KEYS,
        Binding("f", "follow", "follow", tooltip="Follow the current cell"),
        RECOMMENDATION_KEY,
        METRIC_KEY,
        Binding("w", "catch_up", "catch up", show=False, tooltip="Show what you missed"),
        Binding("v", "reports", "reports", show=False, tooltip="Show all runs"),
        dataclasses.replace(LABEL_KEY, show=False),
        Binding("n", "next_log", "next log", show=False, tooltip="Show the next log file"),
        OPEN_KEY,
        COPY_KEY,
        DETACH_KEY,
        *MAXIMISE_KEYS,
        Binding("escape", "back", "back", tooltip="Return to the previous screen"),
        *tab_keys(RunPanels.TABS, "panel"),
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
        yield NotificationLine()
        yield KeyLine()
        yield TooSmall()

    def on_mount(self) -> None:
        """Start following the run."""
        self.query_one("#header", TextLine).show([line((" Reading the journal…", Tone.DIM)), ()])
        self._follower = Follower(
            self.folder,
            on_view=self._receive,
            on_error=lambda error: self.app.call_later(self._on_unreadable, error),
            clock=self.context.clock,
            now=self.context.now,
        )
        self._follower.start()
        self.set_interval(1 / self.context.terminal.refresh_hz, self._tick)

    async def on_unmount(self) -> None:
        """Stop following the run, and send pending commands. The run continues."""
        if self._follower:
            self._follower.stop()
        self.catch_up.save()
        await self.watched.commands.drain(timeout_s=SEND_TIMEOUT_S)

    def on_screen_suspend(self) -> None:
        """Save which part of the run the user has seen."""
        self.catch_up.save()

    # State

    @property
    def status(self) -> RunStatus | None:
        """The status of the run, or None if it has not been read yet."""
        return self.watched.status

    @property
    def shown(self) -> str | None:
        """Key of the selected cell, otherwise of the current or last cell."""
        return self.watched.chosen_cell

    @property
    def is_chosen(self) -> bool:
        """Whether the user selected that cell."""
        return self.watched.cursor is not None

    def _receive(self, view: View) -> None:
        """Keep the newest view for the screen. Called from the follower's thread."""
        self._newest = view
        self.app.call_later(self._take_newest)

    def _take_newest(self) -> None:
        view, self._newest = self._newest, None
        if view and self.is_attached:
            self._on_view(view)

    def _on_view(self, view: View) -> None:
        is_first, was_live = self.run is None, self.status is RunStatus.LIVE
        if was_live and self.run:
            self._report_failures(new_failures(self.run.state, view.run.state))
        self.watched.view = view
        if problem := view.run.state.profile_problem:
            self._on_unreadable(JournalError(problem))
            return
        self._show_answers(view)
        self._is_stale = True
        is_over = view.run.status is not RunStatus.LIVE
        if is_first or is_over:
            self._repaint_all()
        self.post_message(RunRead(self, view.run))
        if is_over:
            self.post_message(RunEnded(self, view.run, was_live))

    def _on_unreadable(self, error: JournalError) -> None:
        """Show why the journal is unreadable, and stop following it."""
        if self._follower:
            self._follower.stop()
        if self.is_attached and not self.watched.problem:
            self.watched.problem = str(error)
            self.app.notify(self.watched.problem, severity="error", timeout=15)
            self._repaint_all()

    def _report_failures(self, failures: Sequence[CellFailed]) -> None:
        for failure in failures[:MAX_NOTIFICATIONS]:
            title = f"{failure.cell} failed"
            self.app.notify(failure.reason, title=title, severity="error", timeout=10)
        if (rest := len(failures) - MAX_NOTIFICATIONS) > 0:
            title = f"{counted(rest, 'more cell')} failed"
            self.app.notify("See the run for the reasons.", title=title, severity="error")
        if failures:
            more = f", and {len(failures) - 1} more" if len(failures) > 1 else ""
            first = f"{failures[0].cell} failed: {failures[0].reason}"
            self.post_message(Alert(f"{self.folder.parent.name}: {first}{more}"))

    def _show_answers(self, view: View) -> None:
        for identity in [one for one in self.watched.unanswered if one in view.answers]:
            self.watched.unanswered.discard(identity)
            answer = view.answers[identity]
            if not answer.accepted:
                self.app.notify(answer.message, severity="warning")
            elif not (answer.cell or self.is_in_view):
                # The screens of the run and of the cell show the effect of other commands.
                self.app.notify(answer.message)

    def _tick(self) -> None:
        if self._is_stale or self.status is RunStatus.LIVE:
            self._repaint_all()

    def _repaint_all(self) -> None:
        """Redraw the visible screens of this run."""
        self._is_stale = False
        self.watched.repaint()

    def _on_painted(self) -> None:
        view, profile = self.watched.view, self.watched.profile
        if view and profile:
            self.catch_up.on_view_shown(view, profile)

    def on_follow_run(self, message: FollowRun) -> None:
        """Follow the current cell of the resumed run."""
        if message.folder.resolve() == self.folder.resolve():
            self.action_follow()

    def on_user_active(self) -> None:
        """Record user input if a screen of the run is visible."""
        if self.watched.is_looked_at:
            self.catch_up.on_user_input()

    def paint(self) -> None:
        """Show the run as last read."""
        header, watched = self.query_one("#header", TextLine), self.watched
        if (watched.view or watched.problem) and self.panels.has_class("-unread"):
            # Panels shown before they have content would be laid out and sent twice.
            self.panels.remove_class("-unread")
            self.call_after_refresh(self.query_one(MatrixView).focus)
        if watched.problem:
            header.show([line((f" {watched.problem}", Tone.BAD)), ()])
            self.update_keys()
            return
        view, profile, key = watched.view, watched.profile, self.shown
        if view is None or profile is None or key is None:
            return
        now, columns = view.elapsed_s(self.context.clock()), self.size.width or 80
        lines = header_lines(view.run, profile, now, self.context.glyphs, columns)
        header.show(lines)
        self.set_class(len(lines) > HEADER_LINES, "-targeted")
        chosen = self.context.metrics.get("run")
        # The measurements of another run may have been chosen.
        metric = chosen if chosen in metrics_of(view.run.state) else None
        self.query_one(RunPanels).show_run(
            view, watched.shown(key), cursor=key, is_chosen=self.is_chosen, metric=metric
        )
        self.update_keys()

    @work
    async def _start(self, job: Job) -> None:
        await job()

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enable the actions that the state of the run and of the selected cell allows."""
        if action == "panel" and parameters == ("charts",):
            return self.query_one(RunPanels).narrow
        if action == "catch_up":
            return self.catch_up.has_news
        if action == "metric":
            return self.panels.is_visible("sweep") or self.panels.is_visible("latency")
        return super().check_action(action, parameters)

    def on_matrix_view_chosen(self, event: MatrixView.Chosen) -> None:
        """Show the selected cell until the user follows the current cell again."""
        self.watched.cursor = event.key
        self._repaint_all()

    def on_matrix_view_opened(self, event: MatrixView.Opened) -> None:
        """Open the cell that was double-clicked."""
        self.watched.cursor = event.key
        self.action_look()

    def on_menu_selected(self, event: Menu.Selected) -> None:
        """Open the log of the selected container."""
        event.stop()
        containers = list(self.query_one(RunPanels).containers)
        self.request(OpenLog(self.watched, containers, event.key))

    def action_next_log(self) -> None:
        """Show the next log."""
        self.query_one(RunPanels).next_log()

    def action_metric(self) -> None:
        """Show the next metric in the sweep."""
        if self.run:
            metrics = metrics_of(self.run.state)
            now = self.query_one(MatrixView).metric
            self.context.metrics["run"] = next_metric(now, metrics)
            self.repaint()

    def action_look(self) -> None:
        """Open the screen of the selected cell."""
        if self.shown:
            self.request(OpenCell(self.watched, self.shown))

    def _choose(self, key: str) -> None:
        self.watched.choose(key)
        self._repaint_all()

    def action_follow(self) -> None:
        """Follow the current cell."""
        self.watched.cursor = None
        self._repaint_all()

    def action_back(self) -> None:
        """Return to the previous screen. The run continues."""
        self.request(GoBack(f"{self.folder.parent.name}.yaml"))

    def action_recommendation(self) -> None:
        """Show the recommendation in full."""
        if self.run:
            self.app.push_screen(RecommendationWindow(self.run, lambda: self.run))

    def action_catch_up(self) -> None:
        """Reopen the catch-up window."""
        self.catch_up.open_window()

    def action_reports(self) -> None:
        """Show all runs."""
        self.request(OpenReports(f"{self.folder.parent.name}/{self.folder.name}"))
