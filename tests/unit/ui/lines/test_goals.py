"""Goals in the matrix: signs, tones, metrics, and several values per cell."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from loadbench.engine.journal.events import CellFinished, Verdict
from loadbench.engine.measure.bottleneck import Bottleneck, BottleneckKind
from loadbench.engine.profile.sections.goals import Goals
from loadbench.engine.report.metrics import GoalState, Metric
from loadbench.engine.report.rows import Row, rows
from loadbench.ui.lines.glyphs import ASCII, UNICODE, Glyphs
from loadbench.ui.lines.matrix import (
    CELL_COLUMNS,
    CellLayout,
    grid_of,
    matrix_lines,
    wide_layout,
)
from loadbench.ui.lines.metric import (
    GOAL_TONES,
    bottleneck_word,
    goal_sign,
    live_text,
    metric_text,
    sweep_legend,
)
from loadbench.ui.lines.text import Line, Piece, Tone, plain, width
from tests.support.builders import make_profile, requests, sample, swept
from tests.support.goal_cells import (
    FAILED,
    FAILING,
    INVALID,
    MISSED,
    NEAR,
    PASSED,
    PROFILE,
    SKIPPED,
    SUSPECT,
    UNDECIDED,
    goal_state_run,
)

STATE = goal_state_run()
ROWS = rows(STATE)
P95 = CellLayout(metric=Metric.P95)
GRID = grid_of(tuple(cell.cell for cell in STATE.cells.values()))
LABEL = GRID.label_columns


def matrix(layout: CellLayout = P95, glyphs: Glyphs = UNICODE, **options: Any) -> list[Line]:
    return matrix_lines(GRID, STATE, ROWS, glyphs, layout=layout, live=False, **options)


def cell_pieces(key: str, layout: CellLayout = P95, glyphs: Glyphs = UNICODE) -> list[Piece]:
    """The pieces of one cell, without blank ones."""
    row, column = GRID.place(key) or (0, 0)
    pieces, at = [], 0
    begin = LABEL + column * layout.columns
    for piece in matrix(layout, glyphs)[row + layout.header_rows]:
        if begin <= at < begin + layout.columns and piece.text.strip():
            pieces.append(Piece(piece.text.strip(), piece.tone))
        at += len(piece.text)
    return pieces


@pytest.mark.parametrize(
    ("cell", "pieces", "ascii_text"),
    [
        (PASSED, [("50.0✓", Tone.GOOD)], "50.0+"),
        (NEAR, [("95.0≈", Tone.NEAR)], "95.0="),
        (MISSED, [("150✗", Tone.BAD)], "150x"),
        (UNDECIDED, [("50.0?", Tone.DIM)], "50.0?"),
        (SUSPECT, [("60.0✓", Tone.GOOD), ("!", Tone.WARN)], "60.0+!"),
        (INVALID, [("50.0!!", Tone.BAD)], "50.0!!"),
        (FAILING, [("40.0", Tone.GOOD), ("✗", Tone.BAD)], "40.0x"),
        (FAILED, [("fail✖", Tone.BAD)], "failx"),
        (SKIPPED, [("skip–", Tone.WARN)], "skip-"),
    ],
)
def test_a_cell_has_the_sign_and_the_tone_of_its_goals(
    cell: str, pieces: list[tuple[str, Tone]], ascii_text: str
) -> None:
    assert cell_pieces(cell) == [Piece(*piece) for piece in pieces]
    assert "".join(piece.text for piece in cell_pieces(cell, glyphs=ASCII)) == ascii_text


def test_a_value_without_its_own_goal_has_the_tone_of_all_goals() -> None:
    assert cell_pieces(FAILING, CellLayout(metric=Metric.P50)) == [Piece("40.0✗", Tone.BAD)]
    assert cell_pieces(FAILING, CellLayout(metric=Metric.FAILURES)) == [Piece("2.5%✗", Tone.BAD)]


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
def test_every_state_has_its_own_sign_and_tone(glyphs: Glyphs) -> None:
    signs = [goal_sign(state, glyphs) for state in GoalState]

    assert len(set(signs)) == len(set(GOAL_TONES.values())) == len(GoalState)
    assert all(cell_len(sign) == 1 for sign in signs)
    assert "!" not in signs
    assert not glyphs.ascii or "".join(signs).isascii()


@pytest.mark.parametrize("metric", Metric)
def test_every_metric_keeps_the_columns_aligned(metric: Metric) -> None:
    layout = CellLayout(metric=metric)
    lines = matrix(layout, cursor=SUSPECT)

    assert layout.columns == CELL_COLUMNS
    assert {width(one) for one in lines[1:]} == {LABEL + 3 * CELL_COLUMNS}
    assert "[" in plain(lines[2])


def test_the_selected_cell_keeps_its_signs() -> None:
    assert "[  60.0✓!]" in plain(matrix(cursor=SUSPECT)[2])


# Values


@pytest.mark.parametrize(
    ("metric", "text"),
    [
        (Metric.P50, "10.0"),
        (Metric.P99, "10.0"),
        (Metric.RPS, "40.0"),
        (Metric.FAILURES, "0%"),
        (Metric.BOTTLENECK, "-"),
    ],
)
def test_a_metric_has_a_short_text(metric: Metric, text: str) -> None:
    (row,) = rows(swept(make_profile()))

    assert metric_text(row, metric) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(None, "-"), (0.0, "0%"), (0.0004, "<0.1%"), (0.0123, "1.2%"), (0.256, "26%"), (1.0, "100%")],
)
def test_failures_are_a_percentage(ratio: float | None, text: str) -> None:
    assert metric_text(replace(ROWS[0], failure_ratio=ratio), Metric.FAILURES) == text


@pytest.mark.parametrize(
    ("rps", "text"), [(99_999.0, "99999"), (123_456.0, "123k"), (12_345_678.0, "12M")]
)
def test_a_large_rate_is_shortened(rps: float, text: str) -> None:
    assert metric_text(replace(ROWS[0], rps=rps), Metric.RPS) == text


@pytest.mark.parametrize("kind", BottleneckKind)
def test_every_kind_of_bottleneck_has_a_word_that_fits_a_cell(kind: BottleneckKind) -> None:
    found = Bottleneck(kind, "the bottleneck")

    assert 0 < len(bottleneck_word(found)) <= 6
    assert len(bottleneck_word(found, is_long=True)) <= 13
    assert metric_text(replace(ROWS[0], bottleneck=found), Metric.BOTTLENECK).islower()


@pytest.mark.parametrize(
    ("metric", "text"),
    [
        (Metric.P50, "10.0"),
        (Metric.P95, "99.0"),
        (Metric.RPS, "20.0"),
        (Metric.FAILURES, "20%"),
        (Metric.BOTTLENECK, ""),
    ],
)
def test_a_running_cell_shows_the_metric_of_its_newest_second(metric: Metric, text: str) -> None:
    newest = sample(requests=requests(((10.0, 18), (99.0, 2)), ((1.0, 5),)))

    assert live_text(newest, metric) == text


@pytest.mark.parametrize("metric", Metric)
def test_a_second_without_requests_has_no_value(metric: Metric) -> None:
    assert live_text(sample(requests=()), metric) in ("", "0")


@given(st.floats(1e-3, 1e9), st.floats(0, 1))
def test_every_value_fits_its_column(value: float, ratio: float) -> None:
    row = replace(ROWS[0], p95_ms=value, rps=value, failure_ratio=ratio)

    for metric in (Metric.P95, Metric.RPS, Metric.FAILURES):
        assert len(metric_text(row, metric)) <= 5


# Legends

GOALS = PROFILE.goals
VALID = [row for row in ROWS if row.verdict == Verdict.VALID.value]


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        (80, "p95 ≤ 100 ms · ✓ pass ≈ near ✗ miss ? undecided · ! suspect · !! invalid"),
        (55, "p95 ≤ 100 ms ✓pass ≈near ✗miss ?few !suspect !!invalid"),
        (36, "p95 ≤ 100 ms ✓pass ≈near ✗miss ?few"),
        (20, "p95 ≤ 100 ms"),
        (10, "p95 (ms)"),
    ],
)
def test_the_legend_is_as_long_as_the_border(columns: int, text: str) -> None:
    assert sweep_legend(Metric.P95, GOALS, ROWS, UNICODE, columns) == text


def test_signs_that_do_not_occur_are_omitted_first() -> None:
    few = [row for row in VALID if row.cell in (PASSED, MISSED)]

    assert sweep_legend(Metric.P95, GOALS, few, UNICODE, 36) == "p95 ≤ 100 ms · ✓ pass ✗ miss"
    assert sweep_legend(Metric.P95, GOALS, [], UNICODE, 36) == "p95 ≤ 100 ms"


@pytest.mark.parametrize(
    ("metric", "head"),
    [
        (Metric.P50, "p50 (ms)"),
        (Metric.RPS, "req/s"),
        (Metric.FAILURES, "failures ≤ 2 %"),
        (Metric.BOTTLENECK, "bottleneck"),
    ],
)
def test_the_legend_names_the_metric_and_its_goal(metric: Metric, head: str) -> None:
    assert sweep_legend(metric, GOALS, ROWS, UNICODE, 100).startswith(f"{head} · ✓ pass")


def test_without_goals_the_legend_explains_the_verdicts() -> None:
    no_goals = Goals()

    legend = sweep_legend(Metric.P90, no_goals, ROWS, UNICODE, 36)

    assert legend == "p90 (ms) · ! suspect · !! invalid"
    assert sweep_legend(Metric.P90, no_goals, ROWS, UNICODE, 20) == "p90 (ms)"


def test_the_legend_in_ascii_has_room_for_longer_signs() -> None:
    for columns in range(20, 80):
        text = sweep_legend(Metric.P95, GOALS, ROWS, ASCII, columns)
        assert len(text.replace("≤", "<=")) <= columns


# Several values per cell


def with_bottleneck(row: Row) -> Row:
    found = Bottleneck(BottleneckKind.CONSTANT_WAIT, "constant wait")
    return replace(row, bottleneck=found) if row.rps is not None else row


BOUND = [with_bottleneck(row) for row in ROWS]


def wide(columns: int, metric: Metric = Metric.P95) -> CellLayout:
    return wide_layout(metric, Metric.P95, BOUND, 3, columns)


def test_a_wide_cell_has_latency_throughput_and_bottleneck() -> None:
    lines = matrix_lines(GRID, STATE, BOUND, UNICODE, layout=wide(110), live=False, cursor=SUSPECT)

    assert [plain(one)[:66].rstrip() for one in lines[:4]] == [
        "      1 model                       2 models",
        "users    p95   req/s bottleneck        p95   req/s bottleneck",
        "    2   50.0✓   40.0 constant wait    95.0≈   40.0 constant wait",
        "    4   50.0?   4.00 constant wait [  60.0✓!  40.0 constant wait]",
    ]
    assert len({width(one) for one in lines}) == 1


@pytest.mark.parametrize(
    ("columns", "others", "has_long_words"),
    [
        (90, (Metric.RPS, Metric.BOTTLENECK), True),
        (71, (Metric.RPS, Metric.BOTTLENECK), False),
        (60, (Metric.RPS,), False),
        (30, (Metric.RPS, Metric.BOTTLENECK), False),
    ],
)
def test_a_cell_has_as_many_values_as_fit(
    columns: int, others: tuple[Metric, ...], has_long_words: bool
) -> None:
    layout = wide(columns)

    assert (layout.others, layout.has_long_words) == (others, has_long_words)
    # A matrix that does not fit at all is scrolled to the side.
    assert layout.columns * 3 <= columns or columns == 30


@pytest.mark.parametrize("metric", Metric)
def test_no_value_is_shown_twice(metric: Metric) -> None:
    layout = wide(200, metric)
    shown = (layout.metric, *layout.others)

    assert shown[0] is metric
    assert len(set(shown)) == len(shown)
    assert {Metric.P95, Metric.RPS, Metric.BOTTLENECK} <= set(shown)
    lines = matrix_lines(GRID, STATE, BOUND, UNICODE, layout=layout, live=False, cursor=PASSED)
    assert len({width(one) for one in lines}) == 1


def test_each_value_of_a_wide_cell_has_the_tone_of_its_own_goal() -> None:
    layout = CellLayout(metric=Metric.P95, others=(Metric.FAILURES, Metric.P50))

    assert cell_pieces(FAILING, layout) == [
        Piece("40.0", Tone.GOOD),
        Piece("✗", Tone.BAD),
        Piece("2.5%", Tone.BAD),
        Piece("40.0", Tone.PLAIN),
    ]


def finished(key: str) -> CellFinished:
    result = STATE.cells[key].finished
    assert result is not None
    return result


def test_invalid_cells_never_pass() -> None:
    assert finished(INVALID).requests == finished(PASSED).requests
    assert "✓" not in "".join(piece.text for piece in cell_pieces(INVALID))
