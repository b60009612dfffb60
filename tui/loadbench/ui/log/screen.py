"""Screen that shows the log of one container, with follow and search."""

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
from loadbench.ui.lines.charts.usage import usage_in_slices, usage_line
from loadbench.ui.lines.containers import container_line
from loadbench.ui.lines.run import breadcrumb_line
from loadbench.ui.lines.text import Line, Tone, line, width
from loadbench.ui.run_base import DETACH_KEY, BaseRunScreen
from loadbench.ui.widgets.footer import KeyLine
from loadbench.ui.widgets.line_view import TailView, TextLine
from loadbench.ui.widgets.log_view import MAX_LOG_LINES, LogView
from loadbench.ui.widgets.notification_line import NotificationLine
from loadbench.ui.widgets.too_small import TooSmall
from loadbench.wording import counted


class LogScreen(BaseRunScreen):
    """Show the log of one container, and follow it until the user scrolls up.

    Args:
        context: Objects that all screens share.
        watched: The run, which must have been read.
        containers: Containers of the run at the time when the screen opens.
        name: Name of the container to show first.
    """

    AUTO_FOCUS = "#log"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "search", key_display="/", tooltip="Search the log lines"),
        Binding("f", "follow_end", "follow", tooltip="Go to the end and follow new lines"),
        Binding(
            "left_square_bracket", "move(-1)", "previous", tooltip="Show the previous container"
        ),
        Binding("right_square_bracket", "move(1)", "next", tooltip="Show the next container"),
        DETACH_KEY,
        Binding("escape", "end_search", "clear search", tooltip="Show all lines again"),
        Binding("escape", "back", "back", tooltip="Return to the run"),
    ]

    def __init__(
        self, context: UiContext, watched: WatchedRun, containers: Sequence[Container], name: str
    ) -> None:
        super().__init__(context, watched)
        self._seen = {container.name: container for container in containers}
        self._selected = name
        self._is_read = False

    @property
    def shown(self) -> None:
        """Always None, which disables the commands for a cell."""
        return

    @property
    def _is_live(self) -> bool:
        return self.watched.status is RunStatus.LIVE

    @property
    def is_reading(self) -> bool:
        """Whether the log is being read."""
        return not self._is_read

    def compose(self) -> ComposeResult:
        """Compose the header, log, search field and footer."""
        yield TextLine(id="header")
        yield LogView(id="log")
        yield Input(placeholder="Search", id="filter")
        yield NotificationLine()
        yield KeyLine()
        yield TooSmall()

    def on_mount(self) -> None:
        """Read the log."""
        self.query_one(Input).cursor_blink = False
        self._read()

    def reveal(self, panel: Widget) -> None:
        """Do nothing, since this screen has no tabs."""

    def paint(self) -> None:
        """Show the container's state and new log lines."""
        view = self.watched.view
        if view is None:
            return
        is_live, glyphs = self._is_live, self.context.glyphs
        containers = self._seen
        if is_live:
            containers = {container.name: container for container in view.run.state.containers}
            # Removed containers stay in the list, since their logs are kept.
            self._seen |= containers
        container = containers.get(self._selected)
        removed = line((f"{glyphs.dead} removed", Tone.BAD))
        last_seen = "" if is_live else (" (last seen)", Tone.DIM)
        position = f"container {list(self._seen).index(self._selected) + 1} of {len(self._seen)} "
        columns = self.size.width or 80
        state = container_line(container, glyphs) if container else removed
        self.query_one("#header", TextLine).show(
            [
                breadcrumb_line(view.run, self._selected, [line(position)], glyphs, columns),
                line(" ", *state, last_seen),
                self._usage_line(columns),
            ]
        )
        log = self.query_one(LogView)
        log.refresh_tail()
        self._note_position(log)
        self.update_keys()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enable the actions that apply to the current state."""
        match action:
            case "end_search":
                return self.is_mounted and self.query_one(Input).has_class("-shown")
            case "back":
                return self.is_mounted and not self.query_one(Input).has_class("-shown")
            case "follow_end":
                return self.is_mounted and not self.query_one(LogView).follows
            case "move":
                return True if self._beside(int(str(parameters[0]))) else None
        return super().check_action(action, parameters)

    def action_follow_end(self) -> None:
        """Go to the end and follow new lines."""
        log = self.query_one(LogView)
        log.scroll_end(animate=False)
        self.call_after_refresh(self._note_position, log)

    def action_move(self, by: int) -> None:
        """Show the container that is `by` places away in the list."""
        if beside := self._beside(by):
            self._selected = beside
            self._read()
            self.refresh_bindings()

    def action_search(self) -> None:
        """Show the search field."""
        field = self.query_one(Input)
        field.add_class("-shown")
        field.focus()
        self.refresh_bindings()

    def action_end_search(self) -> None:
        """Clear the search and show all lines."""
        field = self.query_one(Input)
        field.value = ""
        field.remove_class("-shown")
        self.query_one(LogView).focus()
        self.refresh_bindings()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show only the lines that contain the search text."""
        log = self.query_one(LogView)
        log.search(event.value)
        self._note_position(log)

    def on_input_submitted(self) -> None:
        """Focus the log and keep the search, or end the search if its text is empty."""
        if self.query_one(Input).value:
            self.query_one(LogView).focus()
        else:
            self.action_end_search()

    def on_log_view_updated(self, event: LogView.Updated) -> None:
        """Update the number of lines in the lower border."""
        self._note_position(self.query_one(LogView))

    def on_tail_view_moved(self, event: TailView.Moved) -> None:
        """Update the follow status in the lower border and the available keys."""
        self._note_position(self.query_one(LogView))
        self.refresh_bindings()

    def action_back(self) -> None:
        """Return to the run."""
        self.dismiss()

    @work(exclusive=True)
    async def _read(self) -> None:
        self._is_read = False
        path, name = self.folder / FILE_NAME, self._selected
        log = self.query_one(LogView)
        log.set_title(name)
        log.wait()
        try:
            lines, offset = await in_background(
                read_last_lines, path, name, max_lines=MAX_LOG_LINES
            )
        except OSError as error:
            log.fail(path, error)
        else:
            empty = f"No log output from {name}{' yet' if self._is_live else ''}"
            log.open_service_log(path, name, lines, offset, empty=empty)
        self._is_read = True
        self.repaint()

    def _usage_line(self, columns: int) -> Line:
        """Return the container's usage over the selected cell as sparklines."""
        cell = self.watched.chosen_cell
        if cell is None:
            return ()
        label = line((f" {cell}", Tone.DIM))
        usage = usage_in_slices(self.watched.shown(cell).slices, self._selected)
        bars = usage_line(usage, self.context.glyphs, columns - width(label) - 1)
        return (*label, *bars) if bars else ()

    def _note_position(self, log: LogView) -> None:
        if log.wanted:
            log.note(f"{log.found} of {counted(log.kept, 'line')}")
        elif log.follows:
            following = " · following" if self._is_live else ""
            log.note(f"{counted(log.kept, 'line')}{following}" if log.kept else "")
        else:
            log.note(f"scrolled up · f {'follow' if self._is_live else 'go to the end'}")

    def _beside(self, by: int) -> str | None:
        names = list(self._seen)
        index = names.index(self._selected) + by
        return names[index] if 0 <= index < len(names) else None
