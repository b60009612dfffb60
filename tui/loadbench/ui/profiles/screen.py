"""The first screen: the saved profiles, and the one under the cursor in full."""

from pathlib import Path
from typing import ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Footer, Input

from loadbench.engine.catalog import Catalog, SavedProfile
from loadbench.engine.run_reader import Run, RunStatus, rest_of
from loadbench.ui.background import in_background
from loadbench.ui.context import UiContext
from loadbench.ui.dialogs.name import NameDialog
from loadbench.ui.dialogs.question import Question
from loadbench.ui.lines.text import Tone, line
from loadbench.ui.messages import OpenReports, OpenRun, ResumeRun, RunProfile
from loadbench.ui.profiles.lines import (
    broken_detail,
    mistaken_line,
    no_profiles,
    profile_detail,
    profile_entry,
)
from loadbench.ui.terminal import desktop
from loadbench.ui.widgets.line_view import LineView
from loadbench.ui.widgets.menu import Menu
from loadbench.ui.widgets.screen import BaseScreen
from loadbench.ui.widgets.too_small import TooSmall
from loadbench.wording import counted

_WIDE_COLUMNS = 100


class ProfilesScreen(BaseScreen[None]):
    """Choose a profile: run it, edit it, look at its runs.

    Args:
        context: The surroundings.
        begin_at: The file name of the profile that the cursor begins at; empty: the first one.
    """

    AUTO_FOCUS = "#list"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "run", "run", tooltip="show what it would do; start it from there"),
        Binding("a", "attach", "attach", tooltip="watch its live run"),
        Binding("r", "resume", "resume", tooltip="go on with its newest run"),
        Binding("o", "open", "last run", tooltip="look at its newest run"),
        Binding("e", "edit", "edit", tooltip="open it in your editor"),
        Binding("c", "copy", "copy", show=False, tooltip="make a new profile of it"),
        Binding("d", "delete", "delete", show=False, tooltip="delete it"),
        Binding("slash", "filter", "filter", key_display="/", tooltip="show those whose name fits"),
        Binding("v", "reports", "reports", tooltip="look at all runs"),
        Binding("escape", "clear_filter", "show all", tooltip="show all profiles again"),
    ]

    def __init__(self, context: UiContext, begin_at: str = "") -> None:
        super().__init__()
        self.context, self._begin_at = context, begin_at
        self._filter = ""

    def compose(self) -> ComposeResult:
        """Lay out the list beside the profile, or above it where there is no room."""
        with Horizontal(id="choose"):
            with Vertical(id="profiles"):
                yield Input(placeholder="part of a name", id="filter")
                yield Menu(id="list", title="profiles")
            yield LineView(id="profile")
        yield Footer(show_command_palette=False)
        yield TooSmall()

    def on_mount(self) -> None:
        """Put the focus on the list."""
        field = self.query_one(Input)
        field.cursor_blink = False
        self.query_one(Menu).focus()

        self._read()

    def on_resize(self, event: events.Resize) -> None:
        """Put the profile below the list where there is no room beside it."""
        self.set_class(event.size.width < _WIDE_COLUMNS, "-narrow")

    def on_catalog_read(self) -> None:
        """Show what there is now."""
        self.repaint()

    # What there is to see

    @property
    def _catalog(self) -> Catalog:
        return self.context.catalog.newest

    @property
    def chosen(self) -> SavedProfile | None:
        """The profile under the cursor."""
        key = self.query_one(Menu).key
        return next((it for it in self._catalog.profiles if it.file.name == key), None)

    @property
    def _runs(self) -> list[Run]:
        chosen = self.chosen
        return self._catalog.of_profile(chosen.name) if chosen else []

    def paint(self) -> None:
        """Show the profiles, and the one under the cursor."""
        menu = self.query_one(Menu)
        columns = max(20, menu.columns - 1)
        glyphs = self.context.glyphs
        wanted = [it for it in self._catalog.profiles if self._filter in it.name.lower()]
        entries = [
            profile_entry(it, self._catalog.of_profile(it.name), glyphs, columns) for it in wanted
        ]
        menu.show_entries(entries, glyphs, cursor=self._begin_at or None)
        if entries:
            self._begin_at = ""
        there = len(self._catalog.profiles)
        menu.note(f"{len(wanted)} of {there}" if self._filter else "")
        self._show_chosen()

    def _show_chosen(self) -> None:
        panel = self.query_one("#profile", LineView)
        columns = panel.columns or 50
        chosen = self.chosen
        if not self._catalog.has_profiles:
            panel.entitle("")
            panel.show([line(("loading the profiles…", Tone.DIM))])
        elif chosen is None:
            panel.entitle("")
            panel.show(no_profiles(self.context.workspace.profiles, self._filter, columns))
        elif chosen.profile is None:
            panel.entitle(chosen.name)
            panel.show(broken_detail(chosen, columns))
        else:
            panel.entitle(chosen.name)
            runs = self._runs or (None if not self._catalog.complete else [])
            panel.show(profile_detail(chosen, runs, self.context.glyphs, columns))
        self.refresh_bindings()

    def on_menu_moved(self, event: Menu.Moved) -> None:
        """Show the profile that the cursor came to."""
        event.stop()
        self.query_one("#profile", LineView).scroll_home(animate=False)
        self._show_chosen()

    def on_menu_selected(self, event: Menu.Selected) -> None:
        """Show what a run of it would be."""
        event.stop()
        self.action_run()

    # What can be done

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what the profile under the cursor, and its runs, allow."""
        if not self.is_mounted:
            return True
        chosen, runs = self.chosen, self._runs
        match action:
            case "run":
                return chosen is not None and chosen.profile is not None
            case "edit" | "copy" | "delete":
                return chosen is not None
            case "attach":
                return any(run.status is RunStatus.LIVE for run in runs)
            case "resume":
                return bool(runs) and rest_of(runs[0]) is not None
            case "open":
                return bool(runs) and runs[0].status is not RunStatus.LIVE
            case "filter":
                return not self.query_one(Input).has_class("-shown")
            case "clear_filter":
                return bool(self._filter) or self.query_one(Input).has_class("-shown")
        return True

    def action_run(self) -> None:
        """Show what a run of the profile would do, as its file is now."""
        if self.chosen:
            self.request(RunProfile(self.chosen.file))

    def action_attach(self) -> None:
        """Watch the live run."""
        live = next((run for run in self._runs if run.status is RunStatus.LIVE), None)
        if live:
            self.request(OpenRun(live.folder))

    def action_open(self) -> None:
        """Look at the newest run."""
        if self._runs:
            self.request(OpenRun(self._runs[0].folder))

    def action_resume(self) -> None:
        """Show what going on with the newest run would be."""
        if self._runs:
            self.request(ResumeRun(self._runs[0]))

    def action_reports(self) -> None:
        """Look at all runs."""
        self.request(OpenReports())

    def action_filter(self) -> None:
        """Take letters for a part of a name."""
        field = self.query_one(Input)
        field.add_class("-shown")
        field.focus()

    def action_clear_filter(self) -> None:
        """Show all profiles."""
        field = self.query_one(Input)
        field.value = ""
        field.remove_class("-shown")
        self.query_one(Menu).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show those that fit what was typed so far."""
        self._filter = event.value.strip().lower()
        self.repaint()

    def on_input_submitted(self) -> None:
        """Go back to the list, which stays filtered."""
        self.query_one(Menu).focus()
        if not self._filter:
            self.query_one(Input).remove_class("-shown")

    def on_key(self, event: events.Key) -> None:
        """Let the arrows move through the list while a filter is typed."""
        if self.focused is self.query_one(Input) and event.key in ("up", "down"):
            self.query_one(Menu).action_move(-1 if event.key == "up" else 1)
            event.stop()

    def action_edit(self) -> None:
        """Open the profile in the user's editor; it is checked on return."""
        chosen = self.chosen
        if chosen and self._writable("edited"):
            self._edit(chosen.file, mistaken_line(chosen))

    def action_copy(self) -> None:
        """Make a new profile of this one, and open it in the editor."""
        chosen = self.chosen
        if chosen is None or not self._writable("copied"):
            return
        folder = chosen.file.parent
        taken = {it.name for it in self._catalog.profiles}

        def mistake(name: str) -> str:
            if not name or name in (".", "..") or "/" in name or "\0" in name:
                return "a name without / is needed; it becomes NAME.yaml"
            return f"there is a profile {name} already" if name in taken else ""

        def named(name: str | None) -> None:
            if name is not None:
                self._copy(chosen.file, folder / f"{name}.yaml")

        proposal = f"{chosen.name}_2"
        self.app.push_screen(NameDialog(f"copy {chosen.name} to", proposal, mistake), named)

    def action_delete(self) -> None:
        """Delete the profile, once that was confirmed; its reports stay."""
        chosen = self.chosen
        if chosen is None or not self._writable("deleted"):
            return
        runs = len(self._runs)
        told = [
            line(f"{chosen.file} is deleted. It cannot be undone."),
            line(f"What its {counted(runs, 'run')} measured stays." if runs else "Never run."),
        ]

        def answered(answer: str | None) -> None:
            if answer:
                self._delete(chosen)

        question = Question(f"delete {chosen.name}", told, [("y", "delete it")], safe="keep it")
        self.app.push_screen(question, answered)

    @work
    async def _read(self) -> None:
        await self.context.catalog.read_profiles()
        self.repaint()

    @work
    async def _copy(self, file: Path, new: Path) -> None:
        try:
            await in_background(_copied, file, new)
        except OSError as error:
            self.app.notify(f"{new}: {error.strerror}", severity="error")
        else:
            self._edit(new, None, is_new=True)

    @work
    async def _delete(self, chosen: SavedProfile) -> None:
        try:
            await in_background(chosen.file.unlink)
        except OSError as error:
            self.app.notify(f"{chosen.file}: {error.strerror}", severity="error")
        else:
            self.app.notify(f"{chosen.name} is deleted")
        self._read()

    @work
    async def _edit(self, file: Path, at_line: int | None, *, is_new: bool = False) -> None:
        desktop.edit(self.app, file, at_line)
        saved = await self.context.catalog.read_profile(file)
        # The cursor is on any other already, unless the user has moved it while the file was read.
        self._begin_at = file.name if is_new else ""
        self.repaint()
        if saved is not None and saved.profile is None:
            self.app.notify(f"{saved.name} is not valid: see beside it", severity="warning")

    def _writable(self, done: str) -> bool:
        if not self.context.workspace.bundled:
            return True
        self.app.notify(
            f"These profiles came with the program and cannot be {done}; "
            "`loadbench-tui init DIR` makes a workspace of your own",
            severity="warning",
            timeout=10,
        )
        return False


def _copied(file: Path, new: Path) -> None:
    with new.open("xb") as target:
        target.write(file.read_bytes())
