"""The grid of a run's cells, with their states, results and goals.

It has one column per number of models and one row per load. A cell shows one metric, or several if
there is room. Its first sign is that of its goals, the second that of its verdict.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from loadbench.engine.journal.events import Verdict
from loadbench.engine.journal.state import CellState, CellStatus, RunState
from loadbench.engine.measure.main_request import main_of
from loadbench.engine.profile.levels import Level
from loadbench.engine.profile.plan import Cell
from loadbench.engine.report.measurements.metric import MeasurementMetric
from loadbench.engine.report.metrics import AnyMetric, Metric, goal_state, own_state
from loadbench.engine.report.rows import Row
from loadbench.ui.lines.glyphs import Glyphs
from loadbench.ui.lines.metric import (
    GOAL_TONES,
    bottleneck_word,
    goal_sign,
    live_text,
    metric_text,
)
from loadbench.ui.lines.text import Line, Piece, Tone, fit_middle, line
from loadbench.wording import counted

CELL_COLUMNS = 10
_VALUE_COLUMNS, _MARK_COLUMNS = 6, 2
_HEADS = {Metric.FAILURES: "fails"}
_SHORT_BOTTLENECK = "bottl."
MARKS = {Verdict.VALID: "  ", Verdict.SUSPECT: "! ", Verdict.INVALID: "!!"}
VERDICT_TONES = {Verdict.VALID: Tone.GOOD, Verdict.SUSPECT: Tone.WARN, Verdict.INVALID: Tone.BAD}
_STATUS_TONES = {
    CellStatus.FAILED.value: Tone.BAD,
    CellStatus.SKIPPED.value: Tone.WARN,
    CellStatus.PENDING.value: Tone.DIM,
    CellStatus.RUNNING.value: Tone.ACCENT,
}


def verdict_tone(row: Row) -> Tone:
    """Return the tone of the verdict or the status of a cell."""
    if row.verdict in set(Verdict):
        return VERDICT_TONES[Verdict(row.verdict)]
    return _STATUS_TONES.get(row.verdict, Tone.PLAIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class CellLayout:
    """The values that every cell of a matrix shows. The signs follow the first value."""

    metric: AnyMetric
    """The first value."""
    others: tuple[AnyMetric, ...] = ()
    word_columns: int = _VALUE_COLUMNS
    """Width of a bottleneck."""

    @property
    def columns(self) -> int:
        """Width of a cell, with the brackets of the cursor."""
        others = sum(1 + self.width(metric) for metric in self.others)
        return 2 + self.width(self.metric) + _MARK_COLUMNS + others

    @property
    def header_rows(self) -> int:
        """Number of lines above the cells. Several values need a head each."""
        return 2 if self.others else 1

    @property
    def has_long_words(self) -> bool:
        """Whether a bottleneck is shown as a longer word."""
        return self.word_columns > _VALUE_COLUMNS

    def width(self, metric: AnyMetric) -> int:
        """Return the width of a value."""
        if metric is Metric.BOTTLENECK:
            return self.word_columns
        return _VALUE_COLUMNS if metric is self.metric else _VALUE_COLUMNS - 1

    def head(self, metric: AnyMetric) -> str:
        """Return the name of a value."""
        if metric is Metric.BOTTLENECK and not self.has_long_words:
            return _SHORT_BOTTLENECK
        if isinstance(metric, MeasurementMetric):
            return fit_middle(metric.name, self.width(metric) - 1)
        return _HEADS.get(metric, metric.value)

    def text(self, row: Row, metric: AnyMetric) -> str:
        """Return a value of a cell, padded to its width."""
        if metric is Metric.BOTTLENECK and self.has_long_words:
            return self.padded(metric, bottleneck_word(row.bottleneck, is_long=True))
        return self.padded(metric, metric_text(row, metric))

    def padded(self, metric: AnyMetric, text: str) -> str:
        """Return a value or a head padded to the width of the value. Words are left-aligned."""
        columns = self.width(metric)
        is_word = metric is Metric.BOTTLENECK and metric is not self.metric
        return f"{text:<{columns}}" if is_word else f"{text:>{columns}}"


def wide_layout(
    metric: AnyMetric, latency: Metric, rows: Sequence[Row], models: int, columns: int
) -> CellLayout:
    """Return a layout with throughput, a latency and the bottleneck, as far as they fit.

    If not even two values fit, the matrix must be scrolled to the side, so all are shown.

    Args:
        metric: The metric of the sweep, which comes first.
        latency: The percentile to show.
        rows: The cells.
        models: Number of columns of the matrix.
        columns: Width that the columns may use.
    """
    others = tuple(one for one in (latency, Metric.RPS, Metric.BOTTLENECK) if one is not metric)
    words = [bottleneck_word(row.bottleneck, is_long=True) for row in rows]
    full = CellLayout(
        metric=metric,
        others=others,
        word_columns=max(map(len, (Metric.BOTTLENECK.value, *words))),
    )
    short = CellLayout(metric=metric, others=others)
    layouts = (full, short, CellLayout(metric=metric, others=others[:1]))
    return next((one for one in layouts if one.columns * models <= columns), short)


@dataclass(frozen=True, slots=True)
class RowKey:
    """The properties that the cells of a row share."""

    recheck: bool
    level: Level
    repeat: int

    @property
    def order(self) -> tuple[object, ...]:
        """Sort key of the row. A recheck comes last."""
        return self.recheck, self.level.order, self.repeat


@dataclass(frozen=True, slots=True)
class Grid:
    """The positions of a run's cells in its matrix."""

    models: tuple[int, ...]
    rows: tuple[RowKey, ...]
    keys: dict[tuple[int, int], str]
    """Keys of the cells, by row and column from 0."""

    def place(self, key: str | None) -> tuple[int, int] | None:
        """Return the row and column of a cell, or None if it is not in the grid."""
        return next((place for place, other in self.keys.items() if other == key), None)

    @property
    def label_columns(self) -> int:
        """Width of the row labels."""
        return max(map(len, (self.unit, *self.row_names())))

    @property
    def unit(self) -> str:
        """The unit of the row labels, such as `users`."""
        return self.rows[0].level.unit if self.rows else ""

    def row_names(self) -> list[str]:
        """Return the row labels: the load, with the spawn rate and repeat if they differ by row."""
        has_details = len({row.level.detail for row in self.rows}) > 1
        has_repeats = len({row.repeat for row in self.rows}) > 1
        return [
            row.level.label
            + (f" @{row.level.detail}" if has_details and row.level.detail else "")
            + (" recheck" if row.recheck else f" #{row.repeat}" if has_repeats else "")
            for row in self.rows
        ]


def grid_of(cells: tuple[Cell, ...]) -> Grid:
    """Return the grid of a plan's cells."""
    models = tuple(dict.fromkeys(cell.models for cell in cells))
    rows = tuple(sorted({_row(cell) for cell in cells}, key=lambda row: row.order))
    row_numbers = {row: number for number, row in enumerate(rows)}
    columns = {number: column for column, number in enumerate(models)}
    keys = {(row_numbers[_row(cell)], columns[cell.models]): cell.key for cell in cells}
    return Grid(models, rows, keys)


def matrix_lines(
    grid: Grid,
    state: RunState,
    rows: Sequence[Row],
    glyphs: Glyphs,
    *,
    layout: CellLayout,
    live: bool,
    cursor: str | None = None,
) -> list[Line]:
    """Return the matrix: its heads, then one line per row of the grid.

    Args:
        grid: The positions of the cells.
        state: The state of the run.
        rows: The results of the cells.
        glyphs: The terminal's character set.
        layout: The values to show.
        live: Whether the run is live. If not, its current cell is shown as pending.
        cursor: Key of the highlighted cell.
    """
    state = state if live else replace(state, current=None)
    results = {row.cell: row for row in rows}
    label, lines = grid.label_columns, _heads(grid, layout)
    for row, name in enumerate(grid.row_names()):
        pieces = [Piece(f"{name:>{label}}", Tone.STRONG)]
        for column in range(len(grid.models)):
            key = grid.keys.get((row, column))
            if key is None:
                pieces.append(Piece(" " * layout.columns))
                continue
            body = _body(state.cells[key], state, results, glyphs, layout)
            if key == cursor:
                pieces.append(Piece(f"[{''.join(piece.text for piece in body)}]", Tone.CURSOR))
            else:
                pieces += [Piece(" "), *body, Piece(" ")]
        lines.append(tuple(pieces))
    return lines


def plan_lines(grid: Grid, glyphs: Glyphs) -> list[Line]:
    """Return the matrix of a plan, in which every cell is pending."""
    label, lines = grid.label_columns, _heads(grid, CellLayout(metric=Metric.P90))
    for row, name in enumerate(grid.row_names()):
        symbols = (
            _centred(glyphs.pending) if (row, column) in grid.keys else " " * CELL_COLUMNS
            for column in range(len(grid.models))
        )
        lines.append(line((f"{name:>{label}}", Tone.STRONG), ("".join(symbols), Tone.DIM)))
    return lines


def _heads(grid: Grid, layout: CellLayout) -> list[Line]:
    """Return the line of models and, if a cell has several values, a line that names them."""
    label, heads = grid.label_columns, [counted(models, "model") for models in grid.models]
    if layout.others:
        models = "".join(f" {head:<{layout.columns - 1}}" for head in heads)
        first, *others = (
            layout.padded(metric, layout.head(metric)) for metric in (layout.metric, *layout.others)
        )
        values = f" {first}{' ' * _MARK_COLUMNS} {' '.join(others)} " * len(heads)
        unit = f"{grid.unit:>{label}}"
        return [line((" " * label + models, Tone.STRONG)), line((unit + values, Tone.DIM))]
    # Each column ends with a gap, but the first heading also needs a gap before it.
    columns = layout.columns - 1
    widths = [len(head) + (number == 0) for number, head in enumerate(heads)]
    if any(width > columns for width in widths):
        heads = [f"{models} m" for models in grid.models]
    text = "".join(f"{head:>{columns}} " for head in heads)
    return [line((f"{grid.unit:>{label}}{text}", Tone.DIM))]


def _row(cell: Cell) -> RowKey:
    return RowKey(cell.recheck, cell.level, cell.repeat)


def _centred(content: str) -> str:
    return f"{content:>{CELL_COLUMNS - 3}}   "


def _body(
    cell: CellState, state: RunState, rows: Mapping[str, Row], glyphs: Glyphs, layout: CellLayout
) -> list[Piece]:
    """Return the values and signs of a cell."""
    if cell.status is CellStatus.FINISHED:
        return _result(rows[cell.cell.key], glyphs, layout)
    text, mark, tone = _status(cell, state, glyphs, layout)
    first = f"{text:>{layout.width(layout.metric)}}{mark:<{_MARK_COLUMNS}}"
    rest = layout.columns - 2 - len(first)
    return [Piece(first, tone), *([Piece(" " * rest)] if rest else [])]


def _result(row: Row, glyphs: Glyphs, layout: CellLayout) -> list[Piece]:
    verdict, state = Verdict(row.verdict), goal_state(row)
    value, marks = layout.text(row, layout.metric), MARKS[verdict]
    if state is None:
        pieces = [Piece(value + marks, VERDICT_TONES[verdict])]
    else:
        tone, sign = GOAL_TONES[state], goal_sign(state, glyphs)
        own = own_state(row, layout.metric)
        if own in (None, state):
            pieces = [Piece(value + sign, tone)]
        else:
            pieces = [Piece(value, GOAL_TONES[own or state]), Piece(sign, tone)]
        pieces.append(Piece(marks[:1], VERDICT_TONES[verdict]))
    for metric in layout.others:
        own = own_state(row, metric)
        tone = GOAL_TONES[own] if own else Tone.PLAIN
        pieces += [Piece(" "), Piece(layout.text(row, metric), tone)]
    return pieces


def _status(
    cell: CellState, state: RunState, glyphs: Glyphs, layout: CellLayout
) -> tuple[str, str, Tone]:
    """Return the text, the sign and the tone of a cell without results."""
    match cell.status:
        case CellStatus.FAILED:
            return "fail", glyphs.failed, Tone.BAD
        case CellStatus.SKIPPED:
            return "skip", glyphs.skipped, Tone.WARN
        case CellStatus.RUNNING if cell.cell.key == state.current:
            live = _live(state, layout.metric) if state.samples else ""
            return glyphs.running + live, "", Tone.ACCENT
        case _:
            return glyphs.pending, "", Tone.DIM


def _live(state: RunState, metric: AnyMetric) -> str:
    return live_text(state.samples[-1], metric, main_of(state.profile))
