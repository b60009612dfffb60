"""The first screen: a list of saved profiles, and the selected one in detail."""

import dataclasses
from typing import ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input

from loadbench.engine.catalog import Catalog, SavedProfile
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.ui.context import UiContext
from loadbench.ui.dialogs.recommendation import RECOMMENDATION_KEY, RecommendationWindow
from loadbench.ui.dialogs.resume import RESUME_KEYS, is_kind, resume_run
from loadbench.ui.lines.text import Tone, line
from loadbench.ui.messages import OpenReports, OpenRun, RunProfile
from loadbench.ui.profiles.editing import EditingScreen
from loadbench.ui.profiles.invalid import invalid_detail
from loadbench.ui.profiles.lines import (
    answered_run,
    first_profile,
    no_profiles,
    profile_detail,
    profile_entry,
)
from loadbench.ui.widgets.footer import KeyLine
from loadbench.ui.widgets.line_view import LineView
from loadbench.ui.widgets.menu import Menu
from loadbench.ui.widgets.notification_line import NotificationLine
from loadbench.ui.widgets.too_small import TooSmall

_WIDE_COLUMNS = 100


class ProfilesScreen(EditingScreen):
    """Select a profile to run, edit or inspect.

    Args:
        context: The context of the screen.
        start_at: The file name of the profile to select first. If empty, see `first_profile`.
    """

    AUTO_FOCUS = "#list"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "run", "run", tooltip="Preview or change a run of the profile"),
        Binding("enter", "fix", "edit", tooltip="Edit the invalid profile"),
        Binding("a", "attach", "attach", tooltip="Attach to the live run"),
        *RESUME_KEYS,
        Binding("o", "open", "open run", tooltip="Open the newest run"),
        Binding("n", "new", "new", tooltip="Create a profile"),
        Binding("i", "examples", "examples", tooltip="Add the example profiles"),
        Binding("e", "edit", "edit", tooltip="Edit the profile"),
        Binding("c", "copy", "copy", tooltip="Copy the profile"),
        Binding("m", "rename", "rename", tooltip="Rename the profile"),
        Binding("d", "delete", "delete", tooltip="Delete the profile"),
        Binding("u", "undo", "undo", tooltip="Restore the profile that was deleted last"),
        Binding("slash", "filter", "filter", key_display="/", tooltip="Filter profiles by name"),
        dataclasses.replace(RECOMMENDATION_KEY, show=False),
        Binding("v", "reports", "reports", tooltip="Show all runs"),
        Binding("escape", "clear_filter", "show all", tooltip="Clear the filter"),
    ]

    def __init__(self, context: UiContext, start_at: str = "") -> None:
        super().__init__(context)
        self._start_at = start_at
        self._filter = ""
        self._cursor_is_placed = False
        """Whether the cursor has its initial position, or the user has been active."""

    def compose(self) -> ComposeResult:
        """Lay out the list and the details of the selected profile."""
        with Horizontal(id="choose"):
            with Vertical(id="profiles"):
                yield Input(placeholder="Filter by name", id="filter")
                yield Menu(id="list", title="Profiles")
            yield LineView(id="profile")
        yield NotificationLine()
        yield KeyLine()
        yield TooSmall()

    def on_mount(self) -> None:
        """Focus the list and read the profiles."""
        field = self.query_one(Input)
        field.cursor_blink = False
        self.query_one(Menu).focus()
        self.read()
        self.find_deleted()

    def on_resize(self, event: events.Resize) -> None:
        """On a narrow screen, put the details below the list."""
        self.set_class(event.size.width < _WIDE_COLUMNS, "-narrow")

    def on_catalog_read(self) -> None:
        """Show the new catalog."""
        self.repaint()

    def on_user_active(self) -> None:
        """Stop moving the cursor automatically."""
        self._cursor_is_placed = True

    # Display

    @property
    def _catalog(self) -> Catalog:
        return self.context.catalog.newest

    @property
    def selected(self) -> SavedProfile | None:
        """The profile under the cursor."""
        key = self.query_one(Menu).key
        return next((saved for saved in self._catalog.profiles if saved.file.name == key), None)

    @property
    def runs(self) -> list[Run]:
        """The runs of that profile, newest first."""
        selected = self.selected
        return self._catalog.of_profile(selected.name) if selected else []

    def paint(self) -> None:
        """Show the list and the selected profile."""
        menu = self.query_one(Menu)
        columns = max(20, menu.columns - 1)
        glyphs = self.context.glyphs
        matches = [saved for saved in self._catalog.profiles if self._filter in saved.name.lower()]
        entries = [
            profile_entry(saved, self._catalog.of_profile(saved.name), glyphs, columns)
            for saved in matches
        ]
        menu.show_entries(entries, glyphs, cursor=self._start())
        if entries:
            self._start_at = ""
        total = len(self._catalog.profiles)
        menu.note(f"{len(matches)} of {total}" if self._filter else "")
        self._show_selected()

    def _start(self) -> str | None:
        """Return the file name of the profile to select, or None to leave the cursor where it is.

        Runs are read after the profiles, so the profile to select first may change until the
        catalog is complete.
        """
        if self._start_at:
            self._cursor_is_placed = True
            return self._start_at
        if self._cursor_is_placed:
            return None
        self._cursor_is_placed = self._catalog.complete
        return first_profile(self._catalog)

    def _show_selected(self) -> None:
        panel = self.query_one("#profile", LineView)
        columns = panel.columns or 50
        selected = self.selected
        if not self._catalog.has_profiles:
            panel.set_title("")
            panel.show([line(("Loading profiles…", Tone.DIM))])
        elif selected is None:
            panel.set_title("")
            panel.show(no_profiles(self.context.workspace.profiles, self._filter, columns))
        elif selected.profile is None:
            panel.set_title(selected.name)
            panel.show(invalid_detail(selected, columns))
        else:
            panel.set_title(selected.name)
            runs = self.runs or (None if not self._catalog.complete else [])
            panel.show(profile_detail(selected, runs, self.context.glyphs, columns))
        self.refresh_bindings()

    def on_menu_moved(self, event: Menu.Moved) -> None:
        """Show the profile under the cursor."""
        event.stop()
        self.query_one("#profile", LineView).scroll_home(animate=False)
        self._show_selected()

    def on_menu_selected(self, event: Menu.Selected) -> None:
        """Preview a run of the profile that was double-clicked, or edit it if it is invalid."""
        event.stop()
        if self.selected and self.selected.profile is None:
            self.action_fix()
        else:
            self.action_run()

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enable only the actions that apply to the selected profile and its runs."""
        if not self.is_mounted:
            return True
        selected, runs = self.selected, self.runs
        match action:
            case "run":
                return selected is not None and selected.profile is not None
            case "fix":
                return selected is not None and selected.profile is None
            case "edit" | "copy" | "rename" | "delete":
                return selected is not None
            case "undo":
                return self.can_undo
            case "examples":
                return self._catalog.has_profiles and not self._catalog.profiles
            case "attach":
                return any(run.status is RunStatus.LIVE for run in runs)
            case "resume":
                return bool(runs) and is_kind(runs[0], parameters)
            case "recommendation":
                return answered_run(runs) is not None
            case "open":
                return bool(runs) and runs[0].status is not RunStatus.LIVE
            case "filter":
                return not self.query_one(Input).has_class("-shown")
            case "clear_filter":
                return bool(self._filter) or self.query_one(Input).has_class("-shown")
        return True

    def action_run(self) -> None:
        """Preview a run of the profile."""
        if self.selected:
            self.request(RunProfile(self.selected.file))

    def action_fix(self) -> None:
        """Edit the invalid profile."""
        self.action_edit()

    def action_attach(self) -> None:
        """Open the live run."""
        if live := [run for run in self.runs if run.status is RunStatus.LIVE]:
            self.request(OpenRun(live[0].folder))

    def action_open(self) -> None:
        """Open the newest run."""
        if self.runs:
            self.request(OpenRun(self.runs[0].folder))

    def action_recommendation(self) -> None:
        """Show the recommendation of the newest run with results."""
        if run := answered_run(self.runs):
            self.app.push_screen(RecommendationWindow(run, lambda: self._catalog.run(run.name)))

    def action_resume(self, kind: str) -> None:
        """Open the preview for resuming the newest run."""
        if self.runs:
            resume_run(self, self.runs[0], kind)

    def action_reports(self) -> None:
        """Show all runs, with the cursor on the newest run of the profile."""
        runs = self.runs
        self.request(OpenReports(runs[0].name if runs else ""))

    def action_filter(self) -> None:
        """Open the filter."""
        field = self.query_one(Input)
        field.add_class("-shown")
        field.focus()

    def action_clear_filter(self) -> None:
        """Clear the filter and show all profiles."""
        field = self.query_one(Input)
        field.value = ""
        field.remove_class("-shown")
        self.query_one(Menu).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show the profiles whose names contain the filter."""
        self._filter = event.value.strip().lower()
        self.repaint()

    def on_input_submitted(self) -> None:
        """Return to the filtered list."""
        self.query_one(Menu).focus()
        if not self._filter:
            self.query_one(Input).remove_class("-shown")

    def on_key(self, event: events.Key) -> None:
        """Move the cursor of the list with the arrow keys while the filter has the focus."""
        if self.focused is self.query_one(Input) and event.key in ("up", "down"):
            self.query_one(Menu).action_move(-1 if event.key == "up" else 1)
            event.stop()

    def select(self, file_name: str) -> None:
        """Move the cursor to a profile at the next paint."""
        self._start_at = file_name

    @work
    async def read(self) -> None:
        """Read all profiles again."""
        await self.context.catalog.read_profiles()
        self.repaint()
