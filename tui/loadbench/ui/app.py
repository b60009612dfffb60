"""The program on the screen: which screens there are, and what all of them can do."""

import asyncio
import time
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from rich.text import Text
from textual import events, work
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.css.query import NoMatches
from textual.notifications import SeverityLevel
from textual.screen import Screen

from loadbench import wording
from loadbench.engine.catalog import Catalog, CatalogReader
from loadbench.engine.journal.state import CellStatus
from loadbench.engine.locks import state_folder
from loadbench.engine.profile.model import Profile
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.errors import JournalError
from loadbench.ui.background import in_background
from loadbench.ui.dialogs.dialog import Dialog
from loadbench.ui.dialogs.help import HelpScreen
from loadbench.ui.dialogs.keys import keys_of
from loadbench.ui.dialogs.lines import help_lines
from loadbench.ui.dialogs.palette import Palette
from loadbench.ui.dialogs.question import Question
from loadbench.ui.following.follower import utc
from loadbench.ui.lines.actions import leaving
from loadbench.ui.lines.glyphs import ASCII, UNICODE, in_ascii
from loadbench.ui.preview.intention import to_resume, to_run
from loadbench.ui.preview.screen import PreviewScreen
from loadbench.ui.profiles.screen import ProfilesScreen
from loadbench.ui.reports.screen import ReportsScreen
from loadbench.ui.run.screen import RunScreen
from loadbench.ui.terminal.alerts import alert
from loadbench.ui.terminal.capabilities import Terminal
from loadbench.ui.terminal.cell_diff import CellDiffApp, cell_driver
from loadbench.ui.terminal.shutdown import ExitHandler
from loadbench.ui.terminal.themes import OTHER, THEMES
from loadbench.ui.widgets.too_small import is_too_small
from loadbench.workspace import Workspace

CATALOG_S = 2.0
"""How often the workspace is looked at for new profiles and runs."""
_FIRST = 2
"""How many screens there are with the first one: below it is Textual's own, which is empty."""
_ARROWS = ("up", "down", "left", "right")
OPENING_S = 0.005
"""How often a screen that is being opened is looked at before a key is given to it."""
FIRST_LOOK_S = 0.1
"""When it is looked at for runs the first time."""


class LoadbenchApp(CellDiffApp[Run | None], inherit_bindings=False):
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
    ESCAPE_TO_MINIMIZE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "leave", "quit", tooltip="leave; what runs goes on"),
        Binding(
            "ctrl+c",
            "ask_to_leave",
            "leave or stop",
            show=False,
            priority=True,
            tooltip="leave; of a live run, choose whether it goes on or stops",
        ),
        Binding("question_mark", "help", "help", key_display="?", tooltip="every key, explained"),
        Binding("t", "turn_theme", "light or dark", show=False, tooltip="light for dark, or back"),
        Binding("b", "turn_alerts", "alerts", show=False, tooltip="bell and notification, or none"),
        Binding("ctrl+p", "command_palette", "palette", show=False, tooltip="every action by name"),
        Binding("ctrl+l", "draw_anew", "draw anew", show=False, tooltip="paint the whole screen"),
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
        super().__init__(driver_class=cell_driver())
        self.workspace, self.terminal = workspace, terminal
        self.clock, self.now = clock, now
        self.glyphs = ASCII if terminal.ascii else UNICODE
        self.catalog = Catalog()
        self.crash: Path | None = None
        self.animation_level = "none"
        self.ending: ExitHandler | None = None
        self._reader = CatalogReader(workspace)
        self._is_reading = False
        self._alerts = terminal.alerts
        self._opening = RunScreen(folder) if folder else None
        self._leave_at_end = leave_at_end

    def on_mount(self) -> None:
        """Show the first screen; look at the rest of the workspace beside it."""
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = self.terminal.theme
        self.set_class(self.terminal.ascii, "-ascii")
        if self.terminal.settings and not self.is_headless:
            self.ending = ExitHandler(self.action_leave, self.terminal.settings)
            self.ending.watch()
        if self._opening:
            self.push_screen(self._opening)
        else:
            self._show_profiles()
        # The first screen comes first, and its run: who reads long journals holds up all others.
        self.set_timer(CATALOG_S if self._opening else FIRST_LOOK_S, self._read_catalog)
        self.set_interval(CATALOG_S, self._read_catalog)
        self.set_class(is_too_small(*self.size), "-too-small")

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return the colours that our style sheet has beside those of every theme."""
        return dict(THEMES[0].variables)

    def on_resize(self, event: events.Resize) -> None:
        """Say so where there is no room for anything."""
        self.set_class(is_too_small(*event.size), "-too-small")

    async def on_event(self, event: events.Event) -> None:
        """Let the run that is on the screen know that somebody is there."""
        if isinstance(event, events.InputEvent):
            await self._until_open()
            if self._exit:
                return
            for screen in self.screen_stack:
                if isinstance(screen, RunScreen) and screen.is_looked_at:
                    screen.absence.on_touched()
        await super().on_event(event)

    async def _until_open(self) -> None:
        """Wait for a screen that is just being opened: what comes next is meant for it."""
        # No upstream issue known (searched 2026-11). Can go when Textual holds such keys back.
        while self.screen_stack and not (self.screen.is_mounted or self._exit):
            await asyncio.sleep(OPENING_S)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Show a message for a while. What services and paths say is no markup."""
        super().notify(message, title=title, severity=severity, timeout=timeout, markup=markup)

    def alert(self, message: str) -> None:
        """Call the user by the terminal's bell and a notification, unless that is switched off."""
        if self._alerts and self._driver and not self.is_headless:
            self._driver.write(alert(message))

    # What screens ask for

    def shows(self, screen: Screen[Any]) -> bool:
        """Return whether a screen is to be seen, if only behind a dialog.

        One that is not has no reason to paint; the terminal would be sent all of the other anew.
        One that is just being opened, or closed, lacks its panels.
        """
        if not (screen.is_mounted and screen.display and screen.children):
            return False
        for shown in self.screen_stack[::-1]:
            if shown is screen:
                return True
            if not isinstance(shown, Dialog | Palette):
                return False
        return False

    def show_run(self, folder: Path, cell: str | None = None) -> None:
        """Show a run, once however often that is asked for."""
        if not isinstance(self.screen, RunScreen):
            self.push_screen(RunScreen(folder, cell))

    def show_started(self, folder: Path | None) -> None:
        """Show the run that was just started, if one was."""
        if folder:
            self.show_run(folder)

    def run_profile(self, file: Path, profile: Profile) -> None:
        """Show what a run of a profile would be; start it if that is wanted."""
        intention, request = to_run(self.workspace, file, profile)
        self.push_screen(PreviewScreen(intention, request), self.show_started)

    def resume(self, run: Run) -> None:
        """Show what going on with a run would be; start it if that is wanted."""
        try:
            intended = to_resume(self.workspace, run)
        except JournalError as error:
            self.notify(str(error), severity="error")
            return
        if intended:
            self.push_screen(PreviewScreen(*intended), self.show_started)

    def go_back(self) -> None:
        """Go to the screen before; before the first one are the profiles."""
        first, left = len(self.screen_stack) <= _FIRST, self.screen
        self.pop_screen()
        if first:
            name = left.folder.parent.name if isinstance(left, RunScreen) else ""
            self._show_profiles(begin_at=f"{name}.yaml")

    def _show_profiles(self, begin_at: str | None = None) -> None:
        self.reload_profiles()
        self.push_screen(ProfilesScreen(begin_at))

    def show_reports(self) -> None:
        """Show all runs."""
        if not any(isinstance(it, ReportsScreen) for it in self.screen_stack):
            self.push_screen(ReportsScreen())
        elif not isinstance(self.screen, ReportsScreen):
            self.pop_screen()

    def run_ended(self, screen: RunScreen, run: Run, *, watched: bool) -> None:
        """Take note that a run on a screen is over.

        Args:
            screen: Which screen it is on.
            run: The run.
            watched: It was live on that screen before.
        """
        if watched:
            self.alert(f"{run.name}: {run.status.value}, {wording.outcome_line(run.state)}")
        if self._leave_at_end and screen is self._opening:
            # What it came to is printed where the program was started.
            screen.absence.on_touched()
            self.exit(run)
        elif watched:
            good = run.status is RunStatus.DONE and not run.state.count(CellStatus.FAILED)
            self.notify(
                wording.outcome_line(run.state),
                title=f"{run.name}: {run.status.value}",
                severity="information" if good else "warning",
                timeout=10,
            )

    def reload_profiles(self) -> Catalog:
        """Read the profiles again, now."""
        self.catalog = replace(self.catalog, profiles=self._reader.read_profiles())
        return self.catalog

    # What can be done everywhere

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer every action that a key offers now, by its name."""
        for active in screen.active_bindings.values():
            binding = active.binding
            if active.enabled and (binding.show or binding.tooltip) and binding.description:
                target = active.node

                async def call(action: str = binding.action, node: object = target) -> None:
                    await self.run_action(action, node)  # type: ignore[arg-type]  # a DOM node

                yield SystemCommand(binding.description, binding.tooltip or "", call)

    def action_leave(self) -> None:
        """End the program; every run goes on."""
        self.exit(self._live_run())

    def action_ask_to_leave(self) -> None:
        """Ask whether to leave or to stop, where a live run is on the screen; else leave."""
        if isinstance(self.screen, Question):
            return
        screen = next((it for it in self.screen_stack[::-1] if isinstance(it, RunScreen)), None)
        live = self._live_run()
        if screen is None or live is None:
            self.exit(None)
            return

        def answered(answer: str | None) -> None:
            if answer == "d":
                self.exit(live)
            elif answer == "x":
                screen.stop_run()

        answers = [("d", "detach"), ("x", "stop it")]
        self.push_screen(Question("leave", leaving(live), answers, safe="stay"), answered)

    def action_command_palette(self) -> None:
        """Find an action by its name."""
        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(placeholder="part of a name", id="--command-palette"))

    def action_help(self) -> None:
        """Explain every key that does something now."""
        if isinstance(self.screen, Dialog):
            return
        keys = keys_of(self.screen)
        self.push_screen(HelpScreen(help_lines(keys, self.glyphs)))

    def get_key_display(self, binding: Binding) -> str:
        """Return what a key is called, in signs that the terminal has."""
        display = super().get_key_display(binding)
        if self.terminal.ascii and binding.key in _ARROWS:
            return binding.key
        return in_ascii(display) if self.terminal.ascii else display

    def action_turn_theme(self) -> None:
        """Take light for dark, or dark for light."""
        self.theme = OTHER[self.theme]

    def action_turn_alerts(self) -> None:
        """Ring and notify when a run ends or a cell fails, or do neither."""
        self._alerts = not self._alerts
        with_what = (
            "the bell and a notification" if self._alerts else "neither bell nor notification"
        )
        title = "alerts are on" if self._alerts else "alerts are off"
        self.notify(f"when a run ends or a cell fails: {with_what}", title=title)

    def action_draw_anew(self) -> None:
        """Paint the whole screen, whatever was written over it."""
        self.forget_screen()
        self.refresh(layout=True)

    @work
    async def _read_catalog(self) -> None:
        # One at a time: what a look has found, only that look tells.
        if self._is_reading:
            return
        self._is_reading = True
        try:
            while (catalog := await in_background(self._reader.read)) is not None:
                self._show_catalog(catalog)
                if catalog.complete:
                    return
        finally:
            self._is_reading = False

    def _show_catalog(self, catalog: Catalog) -> None:
        self.catalog = catalog
        for screen in self.screen_stack:
            if isinstance(screen, ProfilesScreen | ReportsScreen) and self.shows(screen):
                screen.show_catalog(catalog)

    def _live_run(self) -> Run | None:
        for screen in self.screen_stack[::-1]:
            if isinstance(screen, RunScreen) and screen.status is RunStatus.LIVE:
                return screen.run
        return None

    # The end

    def _handle_exception(self, error: Exception) -> None:
        """Take no notice of what a screen misses that the end has closed already."""
        # Both can go with https://github.com/Textualize/textual/issues/5325.
        if not (self._exit and isinstance(error, NoMatches)):
            super()._handle_exception(error)

    def _fatal_error(self) -> None:
        """Write down a mistake of our own, and end without a traceback on the screen."""
        told = traceback.format_exc()
        path = state_folder() / "screen-error.txt"
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(told, encoding="utf-8")
            self.crash = path
        last = told.strip().splitlines()[-1]
        where = f"; {path} says where" if self.crash else ""
        self._exit_renderables.append(
            Text(
                f"loadbench-tui: a mistake of the program itself: {last}{where}. "
                "Runs are not touched by it: `loadbench-tui attach` shows a live one"
            )
        )
        self._close_messages_no_wait()
