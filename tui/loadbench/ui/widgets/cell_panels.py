"""The panels of one cell: all at once, or one after the other where there is no room."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from loadbench.engine.events import Ending
from loadbench.engine.state import CellState
from loadbench.ui.present import cell as present
from loadbench.ui.present.cell import Shown
from loadbench.ui.present.evidence import evidence
from loadbench.ui.present.glyphs import ASCII, Glyphs
from loadbench.ui.terminal import Terminal
from loadbench.ui.widgets.cell_charts import CellCharts
from loadbench.ui.widgets.lines import LineView
from loadbench.ui.widgets.tabs import TabLine

TABS = (
    ("1", "summary"),
    ("2", "charts"),
    ("3", "evidence"),
    ("4", "failures"),
)
_PANELS = {
    "summary": ("verdict", "stats", "stages"),
    "charts": ("latency", "throughput"),
    "evidence": ("evidence",),
    "failures": ("failures",),
}
"""What each tab shows where it is shown alone; the first of them has the focus."""
_PARTS = {
    "charts": ("latency", "throughput"),
    "text": ("verdict", "evidence", "stages", "failures"),
    "left": ("verdict", "evidence"),
    "right": ("stages", "failures"),
}


class CellPanels(Vertical):
    """Everything that is shown of a cell, below its header.

    Args:
        terminal: How to draw.
        glyphs: The signs.
    """

    def __init__(self, terminal: Terminal, glyphs: Glyphs) -> None:
        super().__init__(id="panels")
        # A bar without colour needs other signs for its parts.
        self._glyphs = ASCII if terminal.signs else glyphs
        self._charts = CellCharts(terminal)
        self._tab = "summary"
        self._narrow = False

    def compose(self) -> ComposeResult:
        """Lay out every panel; which of them are shown is a matter of size and tab."""
        yield TabLine(id="tabs-narrow")
        with Horizontal(id="charts"):
            yield self._charts.latency
            yield self._charts.throughput
        yield LineView(id="stats", title="statistics")
        with Horizontal(id="text"):
            with Vertical(id="left"):
                yield LineView(id="verdict", title="verdict")
                yield LineView(id="evidence", title="evidence")
            with Vertical(id="right"):
                yield LineView(id="stages", title="where the time goes")
                yield LineView(id="failures", title="failures")

    def on_mount(self) -> None:
        """Begin with the summary."""
        self.query_one("#evidence", LineView).note("! not what a rule wants")
        self._arrange()

    @property
    def tab(self) -> str:
        """The tab that was chosen last."""
        return self._tab

    def set_narrow(self, narrow: bool) -> None:
        """Show one panel at a time, or all at once."""
        self._narrow = narrow
        self._arrange()

    def choose(self, tab: str) -> None:
        """Show a tab, and put the focus on it."""
        self._tab = tab
        self._arrange()
        self.query_one(f"#{_PANELS[tab][0]}").focus()

    def show_cell(
        self,
        shown: Shown,
        repeats: Sequence[CellState],
        earlier: Sequence[tuple[int, Ending | None]],
    ) -> None:
        """Show a cell, the other repeats of it, and what its attempts before came to."""
        self._charts.show(shown)
        panel = self.query_one("#verdict", LineView)
        panel.show(present.verdict(shown, repeats, earlier, panel.columns or 50))
        panel = self.query_one("#stats", LineView)
        of, lines = present.figures(shown)
        panel.show(lines)
        panel.entitle(f"statistics · {of}" if of else "statistics")
        panel.note("latency in ms, of successes")
        panel = self.query_one("#stages", LineView)
        panel.show(present.stage_table(shown, self._glyphs, panel.columns or 50))
        of, lines = evidence(shown)
        panel = self.query_one("#evidence", LineView)
        panel.show(lines)
        panel.entitle(f"evidence · {of}" if of else "evidence")
        panel = self.query_one("#failures", LineView)
        failed, lines = present.errors(shown, panel.columns or 50)
        panel.show(lines)
        panel.entitle(f"failures: {failed}" if failed else "failures")

    def _arrange(self) -> None:
        alone = _PANELS[self._tab] if self._narrow else ()
        for name in ("stats", *_PARTS["charts"], *_PARTS["text"]):
            self.query_one(f"#{name}").set_class(self._narrow and name not in alone, "-hidden")
        for part, panels in _PARTS.items():
            hidden = self._narrow and not set(panels) & set(alone)
            self.query_one(f"#{part}").set_class(hidden, "-hidden")
        self.set_class(self._tab == "summary", "-summary")
        self.query_one(TabLine).show_tabs(TABS, self._tab)
