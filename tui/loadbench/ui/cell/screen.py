"""One cell of a run, alone: everything that is known of it, while the run goes on."""

from dataclasses import replace
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from loadbench.engine.journal.state import CellState, RunState
from loadbench.ui.cell.lines import cell_header_lines
from loadbench.ui.cell.panels import LINES_OF_A_CELL, CellPanels
from loadbench.ui.context import UiContext
from loadbench.ui.following.watched import WatchedRun
from loadbench.ui.run_base import AGAIN_KEY, COPY_KEY, OPEN_KEY, SKIP_KEY, TabbedRunScreen
from loadbench.ui.widgets.footer import KeyLine
from loadbench.ui.widgets.line_view import TextLine
from loadbench.ui.widgets.panel_screen import MAXIMISE_KEYS
from loadbench.ui.widgets.too_small import TooSmall


class CellScreen(TabbedRunScreen):
    """Shows one cell, and those beside it.

    Args:
        context: The surroundings.
        watched: The run, of which something was read.
        cell: The key of the cell.
    """

    WIDE = (110, 34)
    AUTO_FOCUS = "#verdict"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left_square_bracket", "move(-1)", "before", tooltip="to the cell before"),
        Binding("right_square_bracket", "move(1)", "next", tooltip="to the next cell"),
        SKIP_KEY,
        AGAIN_KEY,
        OPEN_KEY,
        COPY_KEY,
        *MAXIMISE_KEYS,
        Binding("escape", "back", "back", tooltip="to the run"),
        *(
            Binding(key, f"panel('{tab}')", tab, show=False, tooltip=f"show {tab}")
            for key, tab in CellPanels.TABS
        ),
    ]

    def __init__(self, context: UiContext, watched: WatchedRun, cell: str) -> None:
        super().__init__(context, watched)
        self._cell = cell

    @property
    def shown(self) -> str:
        """The key of the cell."""
        return self._cell

    def compose(self) -> ComposeResult:
        """Lay out header, panels and footer."""
        yield TextLine(id="header")
        yield CellPanels(self.context)
        yield KeyLine()
        yield TooSmall()

    def paint(self) -> None:
        """Show the cell as it was last read."""
        view, profile = self.watched.view, self.watched.profile
        if view is None or profile is None:
            return
        run, key = view.run, self._cell
        now, columns = view.elapsed_s(self.context.clock()), self.size.width or 80
        lines = cell_header_lines(run, profile, key, now, self.context.glyphs, columns)
        self.query_one("#header", TextLine).show(lines)
        self.query_one(CellPanels).show_cell(
            self.watched.shown(key),
            _repeats(run.state, key),
            self.watched.earlier(key),
            self.watched.log_of(key, most=LINES_OF_A_CELL),
        )
        self.note_allowed()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what the state of the run, and of the cell, allows."""
        if action == "move":
            return True if self._beside(int(str(parameters[0]))) else None
        return super().check_action(action, parameters)

    def action_move(self, by: int) -> None:
        """Go to a cell beside this one, in the order of the plan."""
        if beside := self._beside(by):
            self._cell = beside
            self.refresh_bindings()
            self.repaint()

    def action_back(self) -> None:
        """Go back to the run, with its cursor on this cell."""
        self.watched.choose(self._cell)
        self.dismiss()

    def _beside(self, by: int) -> str | None:
        keys = list(self.watched.run.state.cells) if self.watched.run else []
        at = keys.index(self._cell) + by if self._cell in keys else -1
        return keys[at] if 0 <= at < len(keys) else None


def _repeats(state: RunState, key: str) -> list[CellState]:
    """Return the other repeats of a cell, and what it came to when it was measured once more."""
    of = replace(state.cells[key].cell, repeat=1, recheck=False)
    return [
        it
        for other, it in state.cells.items()
        if other != key and replace(it.cell, repeat=1, recheck=False) == of
    ]
