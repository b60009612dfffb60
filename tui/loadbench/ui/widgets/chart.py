"""A chart that is drawn when its data or its size change, and only where it changed."""

from textual import events, work

from loadbench.ui.background import in_background
from loadbench.ui.lines.plot import Chart, draw, is_loaded, load
from loadbench.ui.lines.series import legend
from loadbench.ui.lines.text import Line, Piece, Tone, line
from loadbench.ui.widgets.line_view import LineView

NOTHING = "no request has been answered yet"
LOADING = "loading…"
_MIN_COLUMNS, _MIN_ROWS = 20, 4


class ChartView(LineView, inherit_bindings=False):
    """Draws one chart into all the room that it has.

    Args:
        title: What the y axis is, with its unit.
        by: What the x axis counts where there is no chart yet; empty: seconds.
        signs: Draw series with ASCII signs instead of braille and colour.
        ascii_frame: Draw the frame with ASCII characters.
    """

    DEFAULT_CSS = "ChartView { overflow: hidden; }"

    def __init__(
        self,
        title: str,
        *,
        by: str = "",
        id: str | None = None,  # noqa: A002  # Textual's own name for it
        signs: bool = False,
        ascii_frame: bool = False,
    ) -> None:
        super().__init__(id=id, title=_entitled(title, by))
        self._what, self._by = title, by
        self._signs, self._ascii_frame = signs, ascii_frame
        self._chart: Chart | None = None
        self._empty = LOADING

    def show_chart(self, chart: Chart | None, *, empty: str = "") -> None:
        """Show a chart; where there is none, why."""
        empty = empty or NOTHING
        if (chart, empty) == (self._chart, self._empty):
            return
        self._chart, self._empty = chart, empty
        series, by = (chart.series, chart.by or self._by) if chart else ((), self._by)
        title = Piece(f"{_entitled(self._what, by)} ")
        self.entitle((title, *legend(series, signs=self._signs)))
        # Numbers first: a chart takes longer.
        self.call_after_refresh(self._redraw)

    def on_resize(self, _: events.Resize) -> None:
        """Draw it anew in its new size."""
        self._redraw()

    def _redraw(self) -> None:
        columns, rows = self.size
        if self._chart is None or not self._chart.has_points:
            self.show([line((self._empty, Tone.DIM))])
        elif columns < _MIN_COLUMNS or rows < _MIN_ROWS:
            self.show([line(("too small for a chart", Tone.DIM))][:rows])
        elif not is_loaded():
            self.show([line((LOADING, Tone.DIM))])
            self._load()
        else:
            self.show(self._drawn(self._chart, columns, rows))

    @work(exclusive=True)
    async def _load(self) -> None:
        """Import the library that draws charts, and draw."""
        await in_background(load)
        self._redraw()

    def _drawn(self, chart: Chart, columns: int, rows: int) -> list[Line]:
        return draw(chart, columns, rows, signs=self._signs, ascii_frame=self._ascii_frame)


def _entitled(what: str, by: str) -> str:
    return f"{what} by {by}" if by else what
