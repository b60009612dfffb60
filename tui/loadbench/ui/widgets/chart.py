"""A chart that is drawn when its data or its size change, and only where it changed."""

from textual import events

from loadbench.ui.lines.plot import Chart, draw
from loadbench.ui.lines.series import legend
from loadbench.ui.lines.text import Line, Piece, Tone, line
from loadbench.ui.widgets.line_view import LineView

NOTHING = "no request has been answered yet"
_LEAST_COLUMNS, _LEAST_ROWS = 20, 4


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
        self._empty = ""

    def show_chart(self, chart: Chart | None, *, empty: str = "") -> None:
        """Show a chart; where there is none, why."""
        if (chart, empty) == (self._chart, self._empty):
            return
        self._chart, self._empty = chart, empty
        series, by = (chart.series, chart.by or self._by) if chart else ((), self._by)
        title = Piece(f"{_entitled(self._what, by)} ")
        self.entitle((title, *legend(series, signs=self._signs)))
        # Numbers first: before the first chart a library is imported.
        self.call_after_refresh(self._redraw)

    def on_resize(self, _: events.Resize) -> None:
        """Draw it anew in its new size."""
        self._redraw()

    def _redraw(self) -> None:
        columns, rows = self.size
        if self._chart is None or not self._chart.has_points:
            self.show([line((self._empty or NOTHING, Tone.DIM))])
        elif columns < _LEAST_COLUMNS or rows < _LEAST_ROWS:
            self.show([line(("too small for a chart", Tone.DIM))][:rows])
        else:
            self.show(self._drawn(self._chart, columns, rows))

    def _drawn(self, chart: Chart, columns: int, rows: int) -> list[Line]:
        return draw(chart, columns, rows, signs=self._signs, ascii_frame=self._ascii_frame)


def _entitled(what: str, by: str) -> str:
    return f"{what} by {by}" if by else what
