"""One study: its ranking, and its configurations as a list from which runs are opened."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget

from loadbench.engine.studies.ranked import RankedStudy
from loadbench.engine.studies.ranking import RankedConfiguration
from loadbench.ui.context import UiContext
from loadbench.ui.lines.glyphs import in_ascii
from loadbench.ui.lines.text import Tone, line
from loadbench.ui.messages import GoBack, OpenRun
from loadbench.ui.study.lines import (
    configuration_entries,
    configuration_key,
    entries_legend,
    ranking_lines,
)
from loadbench.ui.widgets.footer import KeyLine
from loadbench.ui.widgets.line_view import LineView, TextLine
from loadbench.ui.widgets.menu import Menu
from loadbench.ui.widgets.notification_line import NotificationLine
from loadbench.ui.widgets.page_screen import PageScreen
from loadbench.ui.widgets.panel_screen import MAXIMISE_KEYS
from loadbench.ui.widgets.too_small import TooSmall


class StudyScreen(PageScreen):
    """Show the ranking of a study and open its runs.

    Args:
        context: The context of the screen.
        name: Name of the study, such as `studies/devices`.
    """

    AUTO_FOCUS = "#configurations"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "look", "open run", tooltip="Open the run of the configuration"),
        Binding("o", "open", "open page", tooltip="Open the page of the study"),
        Binding("y", "copy", "copy path", tooltip="Copy the path of the page or study folder"),
        *MAXIMISE_KEYS,
        Binding("escape,v", "back", "back", tooltip="Go back"),
    ]

    def __init__(self, context: UiContext, name: str) -> None:
        super().__init__()
        self.context = context
        self._study = name

    def compose(self) -> ComposeResult:
        """Lay out the ranking above its configurations."""
        yield TextLine(id="header")
        yield LineView(id="ranking", title="Ranking")
        yield Menu(id="configurations", title="Configurations")
        yield NotificationLine()
        yield KeyLine()
        yield TooSmall()

    def on_catalog_read(self) -> None:
        """Show the new catalog."""
        self.repaint()

    def reveal(self, panel: Widget) -> None:
        """Do nothing, since this screen has no tabs."""

    @property
    def study(self) -> RankedStudy | None:
        """The study, or None if it has not been read yet or was deleted."""
        return self.context.catalog.newest.study(self._study)

    @property
    def selected(self) -> RankedConfiguration | None:
        """The configuration under the cursor."""
        key, study = self.query_one(Menu).key, self.study
        found = study.ranking.configurations if study else ()
        return next((one for one in found if configuration_key(one) == key), None)

    def paint(self) -> None:
        """Show the study, or why it is not shown."""
        study, glyphs = self.study, self.context.glyphs
        view, menu = self.query_one("#ranking", LineView), self.query_one(Menu)
        title = line(" studies", (f" {glyphs.arrow} ", Tone.DIM))
        name = self._study.rpartition("/")[2]
        self.query_one("#header", TextLine).show([(*title, *line((name, Tone.STRONG)))])
        if study is None:
            is_complete = self.context.catalog.newest.complete
            why = "This study was deleted or cannot be read." if is_complete else "Loading study…"
            view.show([line((why, Tone.DIM))])
            menu.show_entries((), glyphs)
        else:
            view.show(ranking_lines(study, view.columns or 60))
            # One column is reserved for the cursor.
            entries = configuration_entries(study.ranking, (menu.columns or 60) - 1)
            menu.show_entries(entries, glyphs)
            legend = entries_legend(entries)
            menu.border_subtitle = in_ascii(legend) if self.context.terminal.ascii else legend
        self.refresh_bindings()

    def on_menu_moved(self, event: Menu.Moved) -> None:
        """Update the available actions."""
        event.stop()
        self.refresh_bindings()

    def on_menu_selected(self, event: Menu.Selected) -> None:
        """Open the run of the configuration that was double-clicked."""
        event.stop()
        self.action_look()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enable only the actions that apply to the study and the selected configuration."""
        if not self.is_in_view:
            return True
        study = self.study
        match action:
            case "look":
                return self.selected is not None
            case "open" | "copy":
                return study is not None
        return super().check_action(action, parameters)

    def action_look(self) -> None:
        """Open the run of the selected configuration."""
        one = self.selected
        if one and one.member.run:
            self.request(OpenRun(one.member.run.folder))

    def action_open(self) -> None:
        """Open the page of the study."""
        if self.study:
            self.open_page(self.study.study.folder)

    def action_copy(self) -> None:
        """Copy the path of the page, or of the study folder if it has no page."""
        if self.study:
            self.copy_page(self.study.study.folder)

    def action_back(self) -> None:
        """Go back one screen."""
        self.request(GoBack())
