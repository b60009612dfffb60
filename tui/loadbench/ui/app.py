"""The app: its screens, the requests that open them, and the keys that work everywhere.

Every screen except the run screen is imported only when it is opened, so that the first screen
appears sooner.
"""

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from textual import on, work
from textual.binding import Binding, BindingType
from textual.notifications import SeverityLevel
from textual.screen import Screen

from loadbench import wording
from loadbench.engine.journal.state import CellStatus
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.ui import messages
from loadbench.ui.app_profiles import ProfileApp
from loadbench.ui.catalog_feed import CatalogFeed
from loadbench.ui.context import UiContext
from loadbench.ui.dialogs.question import Question
from loadbench.ui.following.follower import utc
from loadbench.ui.lines.actions import leaving
from loadbench.ui.run.screen import RunScreen
from loadbench.ui.terminal.capabilities import Terminal
from loadbench.workspace import Workspace

CATALOG_S = 2.0
"""Seconds between two scans of the workspace for new profiles and runs."""
FIRST_SCAN_S = 0.1
"""Seconds before the first scan."""
_ONE_SCREEN = 2
"""Size of the screen stack with one screen open: Textual's empty default screen lies below it."""


class LoadbenchApp(ProfileApp, inherit_bindings=False):
    """The app of the TUI. Its result is the run that was on the screen at exit, or None.

    Args:
        workspace: The workspace.
        terminal: The capabilities of the terminal.
        folder: The folder of a run to open first, or None to start with the profiles.
        study: Name of a study to open first, such as `studies/devices`. Empty for none.
        quit_at_end: Quit when that run ends.
        clock: Returns monotonic seconds.
        now: Returns the time of day, in UTC.
    """

    TITLE = "loadbench-tui"
    CSS_PATH = "app.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit_app", "quit", tooltip="Quit; live runs continue"),
        Binding(
            "ctrl+c",
            "ask_to_quit",
            "quit or stop",
            show=False,
            priority=True,
            tooltip="Quit; if a run is live, choose between detaching and stopping it",
        ),
        Binding("question_mark", "help", "help", key_display="?", tooltip="Show all keys"),
        Binding(
            "t",
            "toggle_theme",
            "switch theme",
            show=False,
            tooltip="Switch between the light and the dark theme",
        ),
        Binding(
            "b",
            "toggle_alerts",
            "toggle alerts",
            show=False,
            tooltip="Turn the bell and desktop notifications on or off",
        ),
        Binding(
            "ctrl+g",
            "notifications",
            "notifications",
            show=False,
            tooltip="Show all notifications",
        ),
        Binding(
            "ctrl+p",
            "command_palette",
            "command palette",
            show=False,
            tooltip="Find an action by name",
        ),
        Binding("ctrl+l", "redraw", "redraw", show=False, tooltip="Redraw the screen"),
    ]

    def __init__(
        self,
        workspace: Workspace,
        terminal: Terminal,
        *,
        folder: Path | None = None,
        study: str = "",
        quit_at_end: bool = False,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utc,
    ) -> None:
        context = UiContext(
            workspace=workspace,
            terminal=terminal,
            catalog=CatalogFeed(workspace),
            clock=clock,
            now=now,
        )
        super().__init__(context)
        self._runs: WeakKeyDictionary[Screen[Any], Run] = WeakKeyDictionary()
        self._first_run = RunScreen(context, folder) if folder else None
        self._first_study = study
        self._quits_at_end = quit_at_end
        self._reports: Screen[None] | None = None
        self._question: Screen[Any] | None = None

    def on_mount(self) -> None:
        """Show the first screen; read the rest of the workspace in the background."""
        if self._first_run:
            self.push_screen(self._first_run)
        elif self._first_study:
            self._show_study(self._first_study)
        else:
            self._show_profiles()
        # Reading long journals would delay the run that is opened first.
        self.set_timer(CATALOG_S if self._first_run else FIRST_SCAN_S, self._read_catalog)
        self.set_interval(CATALOG_S, self._read_catalog)

    @work
    async def _read_catalog(self) -> None:
        async for catalog in self.context.catalog.changes():
            self.send(messages.CatalogRead(catalog))

    # Requests from screens

    def show_started(self, folder: Path | None) -> None:
        """Show a started run. A screen that shows it already continues to follow it."""
        if folder is None:
            return
        known = (screen for screen in self.screen_stack if self._is_of(screen, folder))
        if shown := next(known, None):
            # The preview may have been opened from the reports, in front of that screen.
            while self.screen is not shown:
                self.pop_screen()
            self.send(messages.FollowRun(folder))
        else:
            self.push_screen(RunScreen(self.context, folder))

    def _is_of(self, screen: Screen[Any], folder: Path) -> bool:
        """Return whether a screen follows the run in a folder."""
        run = self._runs.get(screen)
        return run is not None and run.folder.resolve() == folder.resolve()

    async def answer(self, request: messages.Request) -> None:
        """Carry out a request from a screen."""
        match request:
            case messages.OpenRun(folder=folder, cell=cell):
                self.push_screen(RunScreen(self.context, folder, cell))
            case messages.OpenCell(watched=watched, cell=key):
                from loadbench.ui.cell.screen import CellScreen

                self.push_screen(CellScreen(self.context, watched, key))
            case messages.OpenLog(watched=watched, containers=containers, name=name):
                from loadbench.ui.log.screen import LogScreen

                self.push_screen(LogScreen(self.context, watched, containers, name))
            case messages.OpenReports(run=run):
                self._show_reports(run)
            case messages.OpenStudy(name=name):
                self._show_study(name)
            case messages.OpenComparison(before=before, after=after):
                from loadbench.ui.compare.screen import CompareScreen

                self.push_screen(CompareScreen(self.context, before, after))
            case messages.RunProfile(file=file):
                await self.preview_profile(file)
            case messages.NewProfile():
                self.ask_for_template()
            case messages.EditProfile(file=file):
                await self.edit_profile(file)
            case messages.ResumeRun():
                self.preview_rest(request)
            case messages.GoBack(profile=profile):
                self._go_back(profile)
            case messages.Quit():
                self.action_quit_app()

    def _show_reports(self, run: str) -> None:
        """Show all runs, or return to them if they are open behind the current screen."""
        from loadbench.ui.reports.screen import ReportsScreen

        if self._reports in self.screen_stack:
            self.pop_screen()
            return
        self._reports = ReportsScreen(self.context, run)
        self.push_screen(self._reports)

    def _show_study(self, name: str) -> None:
        from loadbench.ui.study.screen import StudyScreen

        self.push_screen(StudyScreen(self.context, name))

    def _go_back(self, profile: str) -> None:
        is_first = len(self.screen_stack) <= _ONE_SCREEN
        self.pop_screen()
        if is_first:
            self._show_profiles(profile)

    def _show_profiles(self, start_at: str = "") -> None:
        from loadbench.ui.profiles.screen import ProfilesScreen

        self.push_screen(ProfilesScreen(self.context, start_at))

    # Reports from screens

    @on(messages.RunRead)
    def _keep_run(self, report: messages.RunRead) -> None:
        self._runs[report.screen] = report.run

    @on(messages.RunEnded)
    def _show_end(self, report: messages.RunEnded) -> None:
        """Alert the user. Quit if the app was opened to follow this run to its end."""
        run = report.run
        outcome, title = wording.outcome_line(run.state), f"{run.name}: {run.status.value}"
        if report.was_live:
            self.call_user(f"{title}, {outcome}")
        if self._quits_at_end and report.screen is self._first_run:
            # The command line prints the outcome.
            self.send(messages.UserActive())
            self.exit(run)
        elif report.was_live and report.screen is not self.screen:
            # The screen of the run itself shows how it ended.
            is_good = run.status is RunStatus.DONE and not run.state.count(CellStatus.FAILED)
            severity: SeverityLevel = "information" if is_good else "warning"
            self.notify(outcome, title=title, severity=severity, timeout=10)

    @on(messages.RunsChanged)
    def _read_changed_runs(self) -> None:
        self._read_catalog()

    @on(messages.Alert)
    def _alert_user(self, report: messages.Alert) -> None:
        self.call_user(report.text)

    # Actions that work everywhere

    def action_quit_app(self) -> None:
        """Quit; live runs continue. A screen with unsaved changes asks first."""
        if self.front_may_quit:
            self.exit(self._live_run())

    def action_ask_to_quit(self) -> None:
        """Ask whether to detach from the live run or stop it. Quit if no run is live."""
        live = self._live_run()
        if live is None:
            self.action_quit_app()
            return
        if self._question in self.screen_stack:
            return

        def answered(answer: str | None) -> None:
            if answer == "d":
                self.exit(live)
            elif answer == "x":
                self.send(messages.StopRun(live.folder))

        answers = [("d", "detach"), ("x", "stop run")]
        self._question = Question("Detach or stop the run?", leaving(live), answers, safe="stay")
        self.push_screen(self._question, answered)

    def action_command_palette(self) -> None:
        """Open the command palette."""
        from loadbench.ui.dialogs.palette import Palette

        if self.screen.id != Palette.ID:
            self.push_screen(Palette())

    def action_notifications(self) -> None:
        """Show all notifications."""
        from loadbench.ui.dialogs.notifications import NotificationsWindow

        self.push_screen(NotificationsWindow(lambda: self.notifications))

    def action_help(self) -> None:
        """Show all keys that are currently active."""
        from loadbench.ui.dialogs.help import HelpScreen
        from loadbench.ui.dialogs.keys import active_actions, keys_by_place
        from loadbench.ui.dialogs.lines import help_lines

        if not self.screen.is_modal:
            keys = keys_by_place(active_actions(self.screen))
            self.push_screen(HelpScreen(help_lines(keys, self.context.glyphs)))

    def _live_run(self) -> Run | None:
        runs = (self._runs.get(screen) for screen in self.screen_stack[::-1])
        return next((run for run in runs if run and run.status is RunStatus.LIVE), None)
