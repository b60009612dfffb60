"""The grid of a run."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from loadbench.engine.journal.events import Event, Verdict
from loadbench.engine.profile.plan import plan_cells
from loadbench.engine.report.running_totals import Accumulator
from loadbench.ui.lines.cell import CellView
from loadbench.ui.lines.glyphs import ASCII, UNICODE
from loadbench.ui.lines.matrix import CELL_COLUMNS, grid_of, matrix_lines, plan_lines
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


BEGUN = run_started(PROFILE)


def texts(lines: Iterable[Line]) -> list[str]:
    """What stands on the lines."""
    return [plain(one).rstrip() for one in lines]


def tone_of(one: Line, text: str) -> Tone:
    """The tone of the first piece with this text in it."""
    return next(piece.tone for piece in one if text in piece.text)


def shown(*events: Event, totals: bool = True, attempt: bool = True) -> CellView:
    """The first cell, its attempt added up where it has one."""
    state = state_after(BEGUN, *events)
    return CellView(
        state.cells[FIRST],
        state if attempt else None,
        Accumulator().of(state) if totals and state.samples else None,
    )


# The grid


def test_models_stand_across_and_users_down() -> None:
    grid = grid_of(plan_cells(make_profile(models=[1, 2], users=[5, 10])))

    assert (grid.models, grid.row_names()) == ((1, 2), ["5", "10"])
    assert grid.keys == {
        (0, 0): "m1_u5_s2",
        (0, 1): "m2_u5_s2",
        (1, 0): "m1_u10_s2",
        (1, 1): "m2_u10_s2",
    }


def test_models_stand_in_the_order_they_are_measured_in() -> None:
    assert grid_of(plan_cells(make_profile(models=[4, 1]))).models == (4, 1)


def test_a_row_says_its_spawn_rate_where_there_are_several() -> None:
    grid = grid_of(plan_cells(make_profile(users=[5, 10], spawn_rates=[2, 0.5])))

    assert grid.row_names() == ["5 @0.5/s", "5 @2/s", "10 @0.5/s", "10 @2/s"]
    assert grid.place("m1_u10_s0.5") == (2, 0)
    assert grid.label_columns == len("10 @0.5/s")


def test_a_row_says_its_repeat_where_there_are_several() -> None:
    grid = grid_of(plan_cells(make_profile(repeats=2, spawn_rates=[1, 2])))

    assert grid.row_names() == ["2 @1/s #1", "2 @1/s #2", "2 @2/s #1", "2 @2/s #2"]
    assert grid.place("m1_u2_s1_r2") == (1, 0)


def test_the_first_cell_measured_again_has_a_row_of_its_own_below_all_others() -> None:
    grid = grid_of(
        plan_cells(make_profile(models=[1, 2], users=[5, 10], repeats=2, recheck_first=True))
    )

    assert grid.row_names() == ["5 #1", "5 #2", "10 #1", "10 #2", "5 again"]
    assert grid.place("m1_u5_s2_recheck") == (4, 0)
    assert (4, 1) not in grid.keys


def test_every_cell_has_a_place_of_its_own() -> None:
    cells = plan_cells(make_profile(models=[1, 2, 3], users=[2, 4], spawn_rates=[1, 2], repeats=2))
    grid = grid_of(cells)

    assert len({grid.place(cell.key) for cell in cells}) == len(cells)


def test_what_is_not_in_the_plan_has_no_place() -> None:
    grid = grid_of(plan_cells(PROFILE))

    assert grid.place("m9_u9_s9") is None
    assert grid.place(None) is None


# The matrix


def matrix(*events: Event, live: bool = True, **options: Any) -> list[Line]:
    """The matrix of a run of three cells side by side."""
    return matrix_lines(
        grid_of(BEGUN.cells), state_after(BEGUN, *events), UNICODE, live=live, **options
    )


def finished_as(verdict: Verdict, p90_ms: float = 10.0) -> tuple[Event, ...]:
    """The first cell was measured."""
    return (
        cell_started(),
        cell_finished(verdict=verdict, requests=requests(((p90_ms, 400),))),
    )


def test_a_new_run_has_a_dot_for_every_cell() -> None:
    assert texts(matrix()) == [
        "users    1m       2m       3m",
        "    2     ·        ·        ·",
    ]


@pytest.mark.parametrize(
    ("events", "shown", "tone"),
    [
        (finished_as(Verdict.VALID), "10.0  ", Tone.GOOD),
        (finished_as(Verdict.SUSPECT), "10.0! ", Tone.WARN),
        (finished_as(Verdict.INVALID), "10.0!!", Tone.BAD),
        (finished_as(Verdict.VALID, 12_300.0), "12300  ", Tone.GOOD),
        ((cell_started(), cell_failed()), "fail✖ ", Tone.BAD),
        ((cell_started(), cell_skipped()), "skip– ", Tone.DIM),
        ((), "·  ", Tone.DIM),
        ((cell_started(),), "▶  ", Tone.ACCENT),
        ((cell_started(), sample()), "▶10.0  ", Tone.ACCENT),
        ((cell_started(), sample(requests=())), "▶  ", Tone.ACCENT),
    ],
)
def test_a_cell_shows_what_became_of_it(events: tuple[Event, ...], shown: str, tone: Tone) -> None:
    row = matrix(*events)[1]

    assert plain(row)[5 : 5 + CELL_COLUMNS].strip(" ") == shown.rstrip()
    assert tone_of(row, shown) is tone
    assert width(row) == 5 + 3 * CELL_COLUMNS


def test_a_measured_cell_without_a_success_has_no_p90() -> None:
    row = matrix(cell_started(), cell_finished(requests=(), verdict=Verdict.INVALID))[1]

    assert plain(row)[5:14].strip() == "-!!"


def test_a_cell_that_is_measured_again_shows_that_it_is_running() -> None:
    row = matrix(*finished_as(Verdict.VALID), cell_started(attempt=2))[1]

    assert plain(row)[5:14].strip() == "▶"


def test_a_cell_that_is_asked_for_again_is_pending() -> None:
    row = matrix(*finished_as(Verdict.VALID), answered("again", FIRST))[1]

    assert plain(row)[5:14].strip() == "·"


def test_of_a_run_that_is_not_live_no_cell_is_running() -> None:
    row = matrix(cell_started(), sample(), live=False)[1]

    assert plain(row).split() == ["2", "·", "·", "·"]


def test_brackets_stand_around_the_chosen_cell_alone() -> None:
    events = (*finished_as(Verdict.SUSPECT), cell_started(SECOND))
    without, there = matrix(*events)[1], matrix(*events, cursor=FIRST)[1]

    assert plain(there)[5:14] == "[ 10.0! ]"
    assert plain(there).replace("[", " ").replace("]", " ") == plain(without)
    assert tone_of(there, "10.0") is Tone.CURSOR


def test_no_cell_is_chosen_by_a_key_that_is_not_in_the_plan() -> None:
    assert "[" not in "".join(texts(matrix(cursor="m9_u9_s9")))


def test_where_the_grid_has_holes_nothing_is_shown() -> None:
    cells = (make_cell(1, 2), make_cell(2, 4), make_cell(3, 2))
    begun = replace(BEGUN, cells=cells)

    lines = matrix_lines(grid_of(cells), state_after(begun), UNICODE, live=True)

    assert texts(lines) == [
        "users    1m       2m       3m",
        "    2     ·                 ·",
        "    4              ·",
    ]
    assert len({width(one) for one in lines[1:]}) == 1
    assert texts(plan_lines(grid_of(cells), UNICODE)) == texts(lines)


def test_a_matrix_of_ascii_characters_has_no_others() -> None:
    events = (
        *(cell_started(), cell_failed(), cell_started(SECOND), cell_skipped(SECOND)),
        *(cell_started(THIRD), sample(THIRD)),
    )

    lines = matrix_lines(grid_of(BEGUN.cells), state_after(BEGUN, *events), ASCII, live=True)

    assert texts(lines)[1].split() == ["2", "failx", "skip-", ">10.0"]
