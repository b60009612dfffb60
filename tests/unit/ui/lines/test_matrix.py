"""The matrix of a run."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from loadbench.engine.journal.events import Event, Verdict
from loadbench.engine.journal.state import RunState
from loadbench.engine.profile.plan import plan_cells
from loadbench.engine.report.metrics import Metric
from loadbench.engine.report.rows import rows
from loadbench.engine.report.running_totals import Accumulator
from loadbench.ui.lines.cell import CellView
from loadbench.ui.lines.glyphs import ASCII, UNICODE, Glyphs
from loadbench.ui.lines.matrix import CELL_COLUMNS, CellLayout, grid_of, matrix_lines, plan_lines
from loadbench.ui.lines.text import Line, Tone, plain, width
from tests.support.builders import (
    answered,
    cell_failed,
    cell_finished,
    cell_skipped,
    cell_started,
    make_cell,
    make_profile,
    requests,
    run_started,
    sample,
    state_after,
)

FIRST, SECOND, THIRD = "m1_u2_s2", "m2_u2_s2", "m3_u2_s2"


PROFILE = make_profile(models=[1, 2, 3], run_time="10s", settle={"max": "15s", "window": "5s"})
P90 = CellLayout(metric=Metric.P90)


STARTED = run_started(PROFILE)


def texts(lines: Iterable[Line]) -> list[str]:
    """The text of the lines."""
    return [plain(one).rstrip() for one in lines]


def tone_of(one: Line, text: str) -> Tone:
    """The tone of the first piece that contains a text."""
    return next(piece.tone for piece in one if text in piece.text)


def shown(*events: Event, totals: bool = True, attempt: bool = True) -> CellView:
    """The first cell, with the totals of its attempt if it has one."""
    state = state_after(STARTED, *events)
    return CellView(
        state.cells[FIRST],
        state if attempt else None,
        Accumulator().of(state) if totals and state.samples else None,
    )


# The grid


def test_models_are_columns_and_users_are_rows() -> None:
    grid = grid_of(plan_cells(make_profile(models=[1, 2], users=[5, 10])))

    assert (grid.models, grid.row_names()) == ((1, 2), ["5", "10"])
    assert grid.keys == {
        (0, 0): "m1_u5_s2",
        (0, 1): "m2_u5_s2",
        (1, 0): "m1_u10_s2",
        (1, 1): "m2_u10_s2",
    }


def test_columns_are_in_the_order_of_the_plan() -> None:
    assert grid_of(plan_cells(make_profile(models=[4, 1]))).models == (4, 1)


def test_row_labels_have_the_spawn_rate_if_there_are_several() -> None:
    grid = grid_of(plan_cells(make_profile(users=[5, 10], spawn_rates=[2, 0.5])))

    assert grid.row_names() == ["5 @0.5/s", "5 @2/s", "10 @0.5/s", "10 @2/s"]
    assert grid.place("m1_u10_s0.5") == (2, 0)
    assert grid.label_columns == len("10 @0.5/s")


def test_row_labels_have_the_repeat_if_there_are_several() -> None:
    grid = grid_of(plan_cells(make_profile(repeats=2, spawn_rates=[1, 2])))

    assert grid.row_names() == ["2 @1/s #1", "2 @1/s #2", "2 @2/s #1", "2 @2/s #2"]
    assert grid.place("m1_u2_s1_r2") == (1, 0)


def test_the_recheck_has_its_own_row_at_the_end() -> None:
    grid = grid_of(
        plan_cells(make_profile(models=[1, 2], users=[5, 10], repeats=2, recheck_first=True))
    )

    assert grid.row_names() == ["5 #1", "5 #2", "10 #1", "10 #2", "5 recheck"]
    assert grid.place("m1_u5_s2_recheck") == (4, 0)
    assert (4, 1) not in grid.keys


def test_every_cell_has_its_own_place() -> None:
    cells = plan_cells(make_profile(models=[1, 2, 3], users=[2, 4], spawn_rates=[1, 2], repeats=2))
    grid = grid_of(cells)

    assert len({grid.place(cell.key) for cell in cells}) == len(cells)


def test_a_cell_that_is_not_in_the_plan_has_no_place() -> None:
    grid = grid_of(plan_cells(PROFILE))

    assert grid.place("m9_u9_s9") is None
    assert grid.place(None) is None


# The matrix


def matrix(*events: Event, live: bool = True, **options: Any) -> list[Line]:
    """The matrix of a run of three cells side by side."""
    return drawn(state_after(STARTED, *events), live=live, **options)


def drawn(
    state: RunState, *, glyphs: Glyphs = UNICODE, layout: CellLayout = P90, **options: Any
) -> list[Line]:
    """The matrix of a run, by default with p90."""
    cells = tuple(cell.cell for cell in state.cells.values())
    return matrix_lines(grid_of(cells), state, rows(state), glyphs, layout=layout, **options)


def finished_as(verdict: Verdict, p90_ms: float = 10.0) -> tuple[Event, ...]:
    """The first cell has finished with a verdict."""
    return (
        cell_started(),
        cell_finished(verdict=verdict, requests=requests(((p90_ms, 400),))),
    )


def test_every_cell_of_a_new_run_is_pending() -> None:
    assert texts(matrix()) == [
        "users  1 model  2 models  3 models",
        "    2      ·         ·         ·",
    ]


@pytest.mark.parametrize(
    ("events", "shown", "tone"),
    [
        (finished_as(Verdict.VALID), "10.0  ", Tone.GOOD),
        (finished_as(Verdict.SUSPECT), "10.0! ", Tone.WARN),
        (finished_as(Verdict.INVALID), "10.0!!", Tone.BAD),
        (finished_as(Verdict.VALID, 12_300.0), "12300  ", Tone.GOOD),
        ((cell_started(), cell_failed()), "fail✖ ", Tone.BAD),
        ((cell_started(), cell_skipped()), "skip– ", Tone.WARN),
        ((), "·  ", Tone.DIM),
        ((cell_started(),), "▶  ", Tone.ACCENT),
        ((cell_started(), sample()), "▶10.0  ", Tone.ACCENT),
        ((cell_started(), sample(requests=())), "▶  ", Tone.ACCENT),
    ],
)
def test_a_cell_shows_its_state(events: tuple[Event, ...], shown: str, tone: Tone) -> None:
    row = matrix(*events)[1]

    assert plain(row)[5 : 5 + CELL_COLUMNS].strip(" ") == shown.rstrip()
    assert tone_of(row, shown) is tone
    assert width(row) == 5 + 3 * CELL_COLUMNS


def test_a_finished_cell_without_a_success_has_no_p90() -> None:
    row = matrix(cell_started(), cell_finished(requests=(), verdict=Verdict.INVALID))[1]

    assert plain(row)[5:15].strip() == "-!!"


def test_a_cell_that_is_measured_again_is_running() -> None:
    row = matrix(*finished_as(Verdict.VALID), cell_started(attempt=2))[1]

    assert plain(row)[5:15].strip() == "▶"


def test_a_cell_that_is_to_be_measured_again_is_pending() -> None:
    row = matrix(*finished_as(Verdict.VALID), answered("again", FIRST))[1]

    assert plain(row)[5:15].strip() == "·"


def test_a_run_that_is_not_live_has_no_running_cell() -> None:
    row = matrix(cell_started(), sample(), live=False)[1]

    assert plain(row).split() == ["2", "·", "·", "·"]


def test_only_the_selected_cell_has_brackets() -> None:
    events = (*finished_as(Verdict.SUSPECT), cell_started(SECOND))
    without, selected = matrix(*events)[1], matrix(*events, cursor=FIRST)[1]

    assert plain(selected)[5:15] == "[  10.0! ]"
    assert plain(selected).replace("[", " ").replace("]", " ") == plain(without)
    assert tone_of(selected, "10.0") is Tone.CURSOR


def test_an_unknown_key_selects_no_cell() -> None:
    assert "[" not in "".join(texts(matrix(cursor="m9_u9_s9")))


def test_gaps_in_the_grid_are_blank() -> None:
    cells = (make_cell(1, 2), make_cell(2, 4), make_cell(3, 2))
    started = replace(STARTED, cells=cells)

    lines = drawn(state_after(started), live=True)

    assert texts(lines) == [
        "users  1 model  2 models  3 models",
        "    2      ·                   ·",
        "    4                ·",
    ]
    assert len({width(one) for one in lines[1:]}) == 1
    assert texts(plan_lines(grid_of(cells), UNICODE)) == texts(lines)


def test_the_matrix_in_ascii() -> None:
    events = (
        *(cell_started(), cell_failed(), cell_started(SECOND), cell_skipped(SECOND)),
        *(cell_started(THIRD), sample(THIRD)),
    )

    lines = matrix(*events, glyphs=ASCII)

    assert texts(lines)[1].split() == ["2", "failx", "skip-", ">10.0"]


def test_column_heads_are_short_if_they_do_not_fit() -> None:
    grid = grid_of((make_cell(10), make_cell(100)))

    assert texts(plan_lines(grid, UNICODE))[0] == "users     10 m     100 m"
    few = (make_cell(9), make_cell(10))
    assert texts(plan_lines(grid_of(few), UNICODE))[0] == "users 9 models 10 models"
    assert texts(plan_lines(grid_of(few[1:]), UNICODE))[0] == "users     10 m"
