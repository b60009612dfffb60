"""The program on the screen, as a table of contents: which screens there are, what opens them, and
the keys that work everywhere.

All screens but that of a run are imported when they are opened: the first one must not wait for
the others.
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
from loadbench.errors import JournalError
from loadbench.ui import messages
from loadbench.ui.app_base import BaseApp
from loadbench.ui.catalog_feed import CatalogFeed
from loadbench.ui.context import UiContext
from loadbench.ui.dialogs.question import Question
from loadbench.ui.following.follower import utc
from loadbench.ui.lines.actions import leaving
from loadbench.ui.run.screen import RunScreen
from loadbench.ui.terminal.capabilities import Terminal
from loadbench.workspace import Workspace

CATALOG_S = 2.0
"""How often the workspace is searched for new profiles and runs."""
FIRST_LOOK_S = 0.1
"""When it is searched for runs the first time."""
_FIRST = 2
"""How many screens there are with the first one: below it is Textual's own, which is empty."""


class LoadbenchApp(BaseApp, inherit_bindings=False):
    """Shows profiles, runs and reports; ends with the run that was looked at last, if it is live.

    Args:
        workspace: Where everything is.
        terminal: How to draw.
        folder: A run to show at once; None: begin with the profiles.
        leave_at_end: End the program when that run has ended.
        clock: Monotonic seconds.
        now: The time of day, in UTC.
    """

    TITLE = "loadbench-tui"
    CSS_PATH = "app.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit_app", "quit", tooltip="leave; what runs goes on"),
        Binding(
            "ctrl+c",
            "ask_to_quit",
            "leave or stop",
            show=False,
            priority=True,
            tooltip="leave; of a live run, choose whether it goes on or stops",
        ),
        Binding("question_mark", "help", "help", key_display="?", tooltip="every key, explained"),
        Binding(
            "t", "toggle_theme", "light or dark", show=False, tooltip="light for dark, or back"
        ),
        Binding(
            "b", "toggle_alerts", "alerts", show=False, tooltip="bell and notification, or none"
        ),
        Binding("ctrl+p", "command_palette", "palette", show=False, tooltip="every action by name"),
        Binding("ctrl+l", "redraw", "redraw", show=False, tooltip="paint the whole screen"),
    ]

    def __init__(
        self,
        workspace: Workspace,
        terminal: Terminal,
        *,
        folder: Path | None = None,
        leave_at_end: bool = False,
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
        self._opening = RunScreen(context, folder) if folder else None
        self._leave_at_end = leave_at_end
        self._reports: Screen[None] | None = None
        self._question: Screen[Any] | None = None

    def on_mount(self) -> None:
        """Show the first screen; read the rest of the workspace in the background."""
        if self._opening:
            self.push_screen(self._opening)
        else:
            self._show_profiles()
        # The first screen comes first, and its run: reading long journals holds up all others.
        self.set_timer(CATALOG_S if self._opening else FIRST_LOOK_S, self._read_catalog)
        self.set_interval(CATALOG_S, self._read_catalog)

    @work
    async def _read_catalog(self) -> None:
        async for catalog in self.context.catalog.changes():
            self.send(messages.CatalogRead(catalog))

    # What screens ask for

    async def answer(self, request: messages.Request) -> None:
        """Carry out what a screen asks for."""
        match request:
            case messages.OpenRun(folder=folder, cell=cell):
                self.push_screen(RunScreen(self.context, folder, cell))
            case messages.OpenCell(watched=watched, cell=key):
                from loadbench.ui.cell.screen import CellScreen

                self.push_screen(CellScreen(self.context, watched, key))
            case messages.OpenLog(watched=watched, containers=containers, name=name):
                from loadbench.ui.log.screen import LogScreen

                self.push_screen(LogScreen(self.context, watched, containers, name))
            case messages.OpenReports():
                self._show_reports()
            case messages.RunProfile(file=file):
                await self._preview_profile(file)
            case messages.ResumeRun(run=run):
                self._preview_rest(run)
            case messages.GoBack(profile=profile):
                self._go_back(profile)
            case messages.Quit():
                self.action_quit_app()

    async def _preview_profile(self, file: Path) -> None:
        """Show what a run of a profile would do, as its file is now."""
        from loadbench.ui.preview.intention import to_run
        from loadbench.ui.preview.screen import PreviewScreen

        saved = await self.context.catalog.read_profile(file)
        self.send(messages.CatalogRead(self.context.catalog.newest))
        if saved is not None and saved.profile is None:
            text = f"{saved.name} is not valid; e opens it in your editor"
            self.notify(text, severity="warning")
        elif saved is not None and saved.profile is not None:
            intended = to_run(self.context.workspace, file, saved.profile)
            self.push_screen(PreviewScreen(*intended), self._show_started)

    def _preview_rest(self, run: Run) -> None:
        """Show what resuming a run would do."""
        from loadbench.ui.preview.intention import to_resume
        from loadbench.ui.preview.screen import PreviewScreen

        try:
            intended = to_resume(self.context.workspace, run)
        except JournalError as error:
            self.notify(str(error), severity="error")
            return
        if intended:
            self.push_screen(PreviewScreen(*intended), self._show_started)

    def _show_started(self, folder: Path | None) -> None:
        if folder:
            self.push_screen(RunScreen(self.context, folder))

    def _show_reports(self) -> None:
        """Show all runs; where they are behind the screen in front, go back to them."""
        from loadbench.ui.reports.screen import ReportsScreen

        if self._reports in self.screen_stack:
            self.pop_screen()
            return
        self._reports = ReportsScreen(self.context)
        self.push_screen(self._reports)

    def _go_back(self, profile: str) -> None:
        first = len(self.screen_stack) <= _FIRST
        self.pop_screen()
        if first:
            self._show_profiles(profile)

    def _show_profiles(self, begin_at: str = "") -> None:
        from loadbench.ui.profiles.screen import ProfilesScreen

        self.push_screen(ProfilesScreen(self.context, begin_at))

    # What screens report

    @on(messages.RunRead)
    def _keep_run(self, report: messages.RunRead) -> None:
        self._runs[report.screen] = report.run

    @on(messages.RunEnded)
    def _show_end(self, report: messages.RunEnded) -> None:
        """Call the user; end the program with the run that it was opened for, if that is wanted."""
        run = report.run
        outcome, title = wording.outcome_line(run.state), f"{run.name}: {run.status.value}"
        if report.was_live:
            self.call_user(f"{title}, {outcome}")
        if self._leave_at_end and report.screen is self._opening:
            # The command line prints its outcome.
            self.send(messages.UserActive())
            self.exit(run)
        elif report.was_live:
            good = run.status is RunStatus.DONE and not run.state.count(CellStatus.FAILED)
            severity: SeverityLevel = "information" if good else "warning"
            self.notify(outcome, title=title, severity=severity, timeout=10)

    @on(messages.Alert)
    def _pass_on(self, report: messages.Alert) -> None:
        self.call_user(report.text)

    # What can be done everywhere

    def action_quit_app(self) -> None:
        """End the program; every run goes on."""
        self.exit(self._live_run())

    def action_ask_to_quit(self) -> None:
        """Ask whether to leave or to stop, where a live run is on the screen; else leave."""
        live = self._live_run()
        if live is None:
            self.exit(None)
            return
        if self._question in self.screen_stack:
            return

        def answered(answer: str | None) -> None:
            if answer == "d":
                self.exit(live)
            elif answer == "x":
                self.send(messages.StopRun(live.folder))

        answers = [("d", "detach"), ("x", "stop it")]
        self._question = Question("leave", leaving(live), answers, safe="stay")
        self.push_screen(self._question, answered)

    def action_command_palette(self) -> None:
        """Find an action by its name."""
        from loadbench.ui.dialogs.palette import Palette

        if self.screen.id != Palette.ID:
            self.push_screen(Palette())

    def action_help(self) -> None:
        """Explain every key that does something now."""
        from loadbench.ui.dialogs.help import HelpScreen
        from loadbench.ui.dialogs.keys import keys_of
        from loadbench.ui.dialogs.lines import help_lines

        if not self.screen.is_modal:
            self.push_screen(HelpScreen(help_lines(keys_of(self.screen), self.context.glyphs)))

    def _live_run(self) -> Run | None:
        runs = (self._runs.get(screen) for screen in self.screen_stack[::-1])
        return next((it for it in runs if it and it.status is RunStatus.LIVE), None)
