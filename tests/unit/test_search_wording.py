"""Texts about searches, for the plain view, lists and reports."""

from dataclasses import replace

import pytest

from loadbench.engine.journal.codec import Entry
from loadbench.engine.journal.events import CellEnd, CellStarted
from loadbench.engine.journal.state import RunState
from loadbench.engine.journal.timing.durations import durations_of
from loadbench.engine.profile.plan import Cell
from loadbench.engine.search.model import Probe
from loadbench.engine.search.strategy import next_step, out_of_budget
from loadbench.ui.lines.text import plain
from loadbench.ui.run.search import search_line
from loadbench.wording import event_line, progress_line
from loadbench.wording.search import (
    duration_text,
    plan_limits,
    plan_text,
    position_text,
    range_text,
    search_sentences,
)
from tests.support.builders import cell_skipped, make_cell, make_profile
from tests.support.searches import (
    GOAL_MS,
    applied,
    ended,
    planned,
    search_profile,
    search_started,
    searched,
    with_p95,
)


def result(cell: Cell) -> CellEnd:
    return with_p95(cell, GOAL_MS * cell.level.amount / (25 * cell.models), rps=cell.level.amount)


def probing(number: int) -> RunState:
    """Return the state of a search during one of its cells, from 1."""
    state = search_started(search_profile())
    for _ in range(number - 1):
        step = next_step(state)
        assert isinstance(step, Probe)
        state = applied(
            state, planned(step), CellStarted(cell=step.cell.key, attempt=1), result(step.cell)
        )
    step = next_step(state)
    assert isinstance(step, Probe)
    return applied(state, planned(step), CellStarted(cell=step.cell.key, attempt=1))


def text_of(state: RunState) -> str | None:
    assert state.planned is not None
    return event_line(Entry(1, "", 0.0, state.planned), state)


def test_grid_has_one_number_of_cells_and_one_duration() -> None:
    profile = make_profile(models=[1, 2], users=[2, 8])

    assert plan_text(profile) == "4 cells"
    assert plan_limits(profile, durations_of(profile))[1].startswith("about ")


def test_search_has_a_range_of_cells_and_durations() -> None:
    profile = search_profile()
    cells, duration = plan_limits(profile, durations_of(profile))

    assert plan_text(profile) == "3 to 14 cells by search (grid: 10)"
    assert cells == "up to 14 cells"
    assert duration.startswith("up to ")
    assert " to " in duration_text(profile, durations_of(profile))


def test_range_of_a_large_search_is_below_the_grid() -> None:
    profile = search_profile(models=list(range(1, 9)), users=list(range(10, 170, 10)))

    assert plan_text(profile) == "11 to 72 cells by search (grid: 128)"
    assert plan_limits(profile, durations_of(profile))[0] == "up to 72 cells"


def test_budget_limits_the_duration() -> None:
    profile = search_profile(search={"strategy": "bisection", "budget": "10s"})

    assert duration_text(profile, durations_of(profile)) == "10 s"


def test_equal_ends_of_a_range_are_one_duration() -> None:
    assert range_text(61.0, 61.0) == range_text(61.0, 61.2)
    assert range_text(60.0, 3600.0) == "1 min to 1 h"


def test_position_in_a_search_has_no_total() -> None:
    state = probing(3)

    assert position_text(state) == "Cell 3"
    assert progress_line(state, 60.0, 120.0).startswith("Cell 3: ")
    assert progress_line(state, 60.0, 120.0).endswith("1 min to 2 min left")


def test_planned_cells_have_a_bracket_and_a_reason() -> None:
    assert text_of(probing(1)) == "1 model process: searching all loads (middle of the range)"
    assert text_of(probing(2)) == ("1 model process: searching below 30 users (no load passed yet)")


def test_result_names_the_saved_cells_and_the_edges() -> None:
    state, probes, stop = searched(search_started(search_profile()), result)
    line = event_line(Entry(1, "", 0.0, ended(stop)), state)

    assert line is not None
    first, second, cells = line.splitlines()
    assert first == "1 model process: 20 users passed, 30 missed (edge found, confirmed)"
    assert second.startswith("2 model processes: 50 users passed (at least 50 users: ")
    assert (
        cells
        == f"The search measured {len(probes)} cells; the grid has 10 ({10 - len(probes)} saved)."
    )
    assert search_sentences(state) == (cells,)


def test_budget_is_named_with_what_was_left_out() -> None:
    profile = search_profile(search={"strategy": "bisection", "budget": "10m"})
    state = replace(probing(2), profile=profile)
    state = applied(state, ended(out_of_budget(state)))

    assert search_sentences(state) == (
        "The budget of 10 min ended the search.",
        "The search measured 1 cell; the grid has 10.",
        "Not searched: 2 model processes.",
        "Not finished: 1 model process, below 30 users.",
    )


def test_max_cells_is_named_with_what_was_left_out() -> None:
    profile = search_profile(users=[20, 30], max_cells=4)
    state, _, _ = searched(search_started(profile), result)

    assert search_sentences(state) == (
        "The search ended at max_cells: 4.",
        "The search measured 4 cells; the grid has 4.",
        "Not searched: 2 model processes.",
    )


def test_an_unconfirmed_edge_is_named_once_at_the_end() -> None:
    skipped = make_cell(users=20, spawn_rate=50, repeat=2).key
    state, _, stop = searched(
        search_started(search_profile(models=[1])),
        lambda cell: cell_skipped(cell.key) if cell.key == skipped else result(cell),
    )
    line = event_line(Entry(1, "", 0.0, ended(stop)), state)

    assert line is not None
    assert line.count("not confirmed") == 1
    assert "not confirmed" in search_sentences(state)[-1]


def test_grid_has_no_sentences_about_a_search() -> None:
    assert search_sentences(RunState()) == ()


@pytest.mark.parametrize("columns", [20, 40, 60, 80, 120])
def test_line_of_a_live_search_fits_and_keeps_the_bracket(columns: int) -> None:
    text = plain(search_line(probing(4), columns))

    assert len(text) <= columns
    assert "searching" in text or "edge found" in text or columns == 20


def test_line_of_a_live_search_shows_the_other_numbers_of_models() -> None:
    state = search_started(search_profile())
    while isinstance(step := next_step(state), Probe) and step.cell.models == 1:
        state = applied(state, planned(step), result(step.cell))
    assert isinstance(step, Probe)
    text = plain(search_line(applied(state, planned(step)), 200))

    assert text.startswith(" 2 model processes: ")
    assert "1 model process: 20 users passed, 30 missed" in text
