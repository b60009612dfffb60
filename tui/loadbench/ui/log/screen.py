"""What one container of a run says, followed and searched."""

from collections.abc import Sequence
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input

from loadbench.engine.journal.events import Container
from loadbench.engine.journal.service_log import FILE_NAME, read_last_lines
from loadbench.engine.run_reader import RunStatus
from loadbench.ui.background import in_background
from loadbench.ui.context import UiContext
from loadbench.ui.following.watched import WatchedRun
from loadbench.ui.lines.containers import container_line
from loadbench.ui.lines.run import place_line
from loadbench.ui.lines.text import Tone, line
from loadbench.ui.run_base import BaseRunScreen
from loadbench.ui.widgets.footer import KeyLine
from loadbench.ui.widgets.line_view import TailView, TextLine
from loadbench.ui.widgets.log_view import LINES_KEPT, LogView
from loadbench.ui.widgets.too_small import TooSmall
from loadbench.wording import counted


class LogScreen(BaseRunScreen):
    """Follows the words of one container, until somebody scrolls up.

    Args:
        context: The surroundings.
        watched: The run, of which something was read.
        containers: Those that there were when it was opened.
        name: Of the one whose words are shown first.
    """

    AUTO_FOCUS = "#log"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "search", key_display="/", tooltip="lines with a text in them"),
        Binding("f", "follow_end", "follow", tooltip="to the end, and stay there"),
        Binding("left_square_bracket", "move(-1)", "before", tooltip="to the container before"),
        Binding("right_square_bracket", "move(1)", "next", tooltip="to the next container"),
        Binding("escape", "end_search", "all lines", tooltip="show all lines again"),
        Binding("escape", "back", "back", tooltip="to the run"),
    ]

    def __init__(
        self, context: UiContext, watched: WatchedRun, containers: Sequence[Container], name: str
    ) -> None:
        super().__init__(context, watched)
        self._seen = {it.name: it for it in containers}
        self._who = name
        self._is_read = False

    @property
    def shown(self) -> None:
        """No cell."""
        return

    @property
    def _is_live(self) -> bool:
        return self.watched.status is RunStatus.LIVE

    @property
    def is_reading(self) -> bool:
        """Whether what the container has said is being read."""
        return not self._is_read

    def compose(self) -> ComposeResult:
        """Lay out header, log, field of the search and footer."""
        yield TextLine(id="header")
        yield LogView(id="log")
        yield Input(placeholder="a text", id="filter")
        yield KeyLine()
        yield TooSmall()

    def on_mount(self) -> None:
        """Read what the container has said."""
        self.query_one(Input).cursor_blink = False
        self._read()

    def reveal(self, panel: Widget) -> None:
        """Nothing is behind a tab."""

    def paint(self) -> None:
        """Show how the container is, and what it said meanwhile."""
        view = self.watched.view
        if view is None:
            return
        live, glyphs = self._is_live, self.context.glyphs
        if live:
            # Those that came since; one that is gone has said something all the same.
            self._seen |= {it.name: it for it in view.run.state.containers}
        now = {it.name: it for it in view.run.state.containers} if live else self._seen
        there = now.get(self._who)
        gone = line((f"{glyphs.dead} not there any more", Tone.BAD))
        when = "" if live else ("  as it was last seen", Tone.DIM)
        number = f"container {list(self._seen).index(self._who) + 1} of {len(self._seen)} "
        columns = self.size.width or 80
        self.query_one("#header", TextLine).show(
            [
                place_line(view.run, self._who, [line(number)], glyphs, columns),
                line(" ", *(container_line(there, glyphs) if there else gone), when),
            ]
        )
        log = self.query_one(LogView)
        log.refresh_tail()
        self._tell_place(log)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what can be done now."""
        match action:
            case "end_search":
                return self.is_mounted and self.query_one(Input).has_class("-shown")
            case "back":
                return self.is_mounted and not self.query_one(Input).has_class("-shown")
            case "move":
                return True if self._beside(int(str(parameters[0]))) else None
        return super().check_action(action, parameters)

    def action_follow_end(self) -> None:
        """Go to the end, and stay there."""
        log = self.query_one(LogView)
        log.scroll_end(animate=False)
        self.call_after_refresh(self._tell_place, log)

    def action_move(self, by: int) -> None:
        """Show the container beside this one."""
        if beside := self._beside(by):
            self._who = beside
            self._read()
            self.refresh_bindings()

    def action_search(self) -> None:
        """Take letters for a part of a line."""
        field = self.query_one(Input)
        field.add_class("-shown")
        field.focus()
        self.refresh_bindings()

    def action_end_search(self) -> None:
        """Show all lines."""
        field = self.query_one(Input)
        field.value = ""
        field.remove_class("-shown")
        self.query_one(LogView).focus()
        self.refresh_bindings()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show the lines that have what was typed so far."""
        log = self.query_one(LogView)
        log.search(event.value)
        self._tell_place(log)

    def on_input_submitted(self) -> None:
        """Go back to the lines, which stay searched."""
        if self.query_one(Input).value:
            self.query_one(LogView).focus()
        else:
            self.action_end_search()

    def on_log_view_updated(self, event: LogView.Updated) -> None:
        """Count the lines."""
        self._tell_place(self.query_one(LogView))

    def on_tail_view_moved(self, event: TailView.Moved) -> None:
        """Say whether the end is followed."""
        self._tell_place(self.query_one(LogView))

    def action_back(self) -> None:
        """Go back to the run."""
        self.dismiss()

    @work(exclusive=True)
    async def _read(self) -> None:
        self._is_read = False
        path, name = self.folder / FILE_NAME, self._who
        log = self.query_one(LogView)
        log.entitle(name)
        log.wait()
        try:
            said, offset = await in_background(read_last_lines, path, name, most=LINES_KEPT)
        except OSError as error:
            log.fail(path, error)
        else:
            empty = f"{name} said nothing{' yet' if self._is_live else ''}"
            log.open_of(path, name, said, offset, empty=empty)
        self._is_read = True
        self.repaint()

    def _tell_place(self, log: LogView) -> None:
        if log.wanted:
            log.note(f"{log.found} of {counted(log.kept, 'line')}")
        elif log.follows:
            followed = ", the end is followed" if self._is_live else ""
            log.note(f"{counted(log.kept, 'line')}{followed}" if log.kept else "")
        else:
            log.note(f"scrolled up; f {'follows' if self._is_live else 'goes to'} the end again")

    def _beside(self, by: int) -> str | None:
        names = list(self._seen)
        at = names.index(self._who) + by
        return names[at] if 0 <= at < len(names) else None
