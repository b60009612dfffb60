"""The grid of a run's cells, with their states and p90s.

It has one column per number of models and one row per load.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from loadbench.engine.journal.events import CellFinished, Verdict
from loadbench.engine.journal.state import CellState, CellStatus, RunState
from loadbench.engine.measure.buckets import percentile, successes
from loadbench.engine.numbers import number
from loadbench.engine.profile.levels import Level
from loadbench.engine.profile.plan import Cell
from loadbench.ui.lines.glyphs import Glyphs
from loadbench.ui.lines.text import Line, Piece, Tone, line
from loadbench.wording import counted

CELL_COLUMNS = 10
_HEAD_COLUMNS = CELL_COLUMNS - 1
MARKS = {Verdict.VALID: "  ", Verdict.SUSPECT: "! ", Verdict.INVALID: "!!"}
VERDICT_TONES = {Verdict.VALID: Tone.GOOD, Verdict.SUSPECT: Tone.WARN, Verdict.INVALID: Tone.BAD}

P90 = Callable[[CellFinished], float | None]


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
    keys = {(rows.index(_row(cell)), models.index(cell.models)): cell.key for cell in cells}
    return Grid(models, rows, keys)


def p90_of(finished: CellFinished) -> float | None:
    """Return the p90 of a cell's successful requests in ms, or None if there are none."""
    return percentile(successes(finished.requests), 0.9)


def matrix_lines(
    grid: Grid,
    state: RunState,
    glyphs: Glyphs,
    *,
    live: bool,
    cursor: str | None = None,
    p90: P90 = p90_of,
) -> list[Line]:
    """Return the matrix: a header, then one line per row of the grid.

    Args:
        grid: The positions of the cells.
        state: The state of the run.
        glyphs: The terminal's character set.
        live: Whether the run is live. If not, its current cell is shown as pending.
        cursor: Key of the highlighted cell.
        p90: Function that returns the p90 of a finished cell, possibly from a cache.
    """
    state = state if live else replace(state, current=None)
    label, lines = grid.label_columns, [_heads(grid)]
    for row, name in enumerate(grid.row_names()):
        pieces = [Piece(f"{name:>{label}}", Tone.STRONG)]
        for column in range(len(grid.models)):
            key = grid.keys.get((row, column))
            pieces += (
                _cell(state.cells[key], state, glyphs, p90, chosen=key == cursor)
                if key
                else [Piece(" " * CELL_COLUMNS)]
            )
        lines.append(tuple(pieces))
    return lines


def plan_lines(grid: Grid, glyphs: Glyphs) -> list[Line]:
    """Return the matrix of a plan, in which every cell is pending."""
    label, lines = grid.label_columns, [_heads(grid)]
    for row, name in enumerate(grid.row_names()):
        symbols = (
            _centred(glyphs.pending) if (row, column) in grid.keys else " " * CELL_COLUMNS
            for column in range(len(grid.models))
        )
        lines.append(line((f"{name:>{label}}", Tone.STRONG), ("".join(symbols), Tone.DIM)))
    return lines


def _heads(grid: Grid) -> Line:
    heads = [counted(models, "model") for models in grid.models]
    # Each column ends with a gap, but the first heading also needs a gap before it.
    widths = [len(head) + (number == 0) for number, head in enumerate(heads)]
    if any(columns > _HEAD_COLUMNS for columns in widths):
        heads = [f"{models} m" for models in grid.models]
    columns = "".join(f"{head:>{_HEAD_COLUMNS}} " for head in heads)
    return line((f"{grid.unit:>{grid.label_columns}}{columns}", Tone.DIM))


def _row(cell: Cell) -> RowKey:
    return RowKey(cell.recheck, cell.level, cell.repeat)


def _centred(content: str) -> str:
    return f"{content:>{CELL_COLUMNS - 3}}   "


def _cell(
    cell: CellState, state: RunState, glyphs: Glyphs, p90: P90, *, chosen: bool
) -> list[Piece]:
    value, mark, tone = _cell_text(cell, state, glyphs, p90)
    body = f"{value:>{CELL_COLUMNS - 4}}{mark:<2}"
    if chosen:
        return [Piece(f"[{body}]", Tone.CURSOR)]
    return [Piece(" "), Piece(body, tone), Piece(" ")]


def _cell_text(cell: CellState, state: RunState, glyphs: Glyphs, p90: P90) -> tuple[str, str, Tone]:
    match cell.status:
        case CellStatus.FINISHED if cell.finished:
            verdict = cell.finished.verdict
            return _short(p90(cell.finished)), MARKS[verdict], VERDICT_TONES[verdict]
        case CellStatus.FAILED:
            return "fail", glyphs.failed, Tone.BAD
        case CellStatus.SKIPPED:
            return "skip", glyphs.skipped, Tone.WARN
        case CellStatus.RUNNING if cell.cell.key == state.current:
            return glyphs.running + _current_p90(state), "  ", Tone.ACCENT
        case _:
            return glyphs.pending, "  ", Tone.DIM


def _current_p90(state: RunState) -> str:
    """Return the p90 of the current cell's newest second, or an empty text if it has none."""
    if not state.samples:
        return ""
    newest = percentile(successes(state.samples[-1].requests), 0.9)
    return "" if newest is None else _short(newest, 4)


def _short(milliseconds: float | None, columns: int = 5) -> str:
    """Return a latency in ms. If that does not fit the columns, use seconds or minutes."""
    content = number(milliseconds)
    for unit_ms, unit in ((1_000, "s"), (60_000, "m")):
        if milliseconds is not None and milliseconds >= unit_ms and len(content) > columns:
            content = f"{milliseconds / unit_ms:.0f}{unit}"
    return content[:columns]
