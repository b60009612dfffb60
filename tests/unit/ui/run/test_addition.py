"""The text of the dialog that adds a cell, while the user types."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadbench.engine.journal.events import Event
from loadbench.engine.journal.timing.durations import SCALING_S, durations_of
from loadbench.engine.journal.timing.progress import added_s
from loadbench.engine.requests.command_rules import answer_to_add
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.ui.lines.text import Tone, plain, width
from loadbench.ui.run.addition import (
    FIELDS,
    Addition,
    addition,
    addition_lines,
    field_label,
    proposal,
)
from tests.support.builders import (
    answered,
    cell_finished,
    cell_started,
    make_cell,
    make_profile,
    run_started,
    state_after,
)

PROFILE = make_profile(models=[1, 2], run_time="10s", settle={"max": "15s", "window": "5s"})
FIRST = "m1_u2_s2"


def run(*events: Event, started: Event | None = None) -> Run:
    """A live run of the cells m1_u2_s2 and m2_u2_s2."""
    state = state_after(started or run_started(PROFILE), *events)
    return Run(Path("/nowhere/reports/demo/20261122-072100"), state, RunStatus.LIVE)


def entered(current: Run, models: str = "3", users: str = "2", spawn_rate: str = "2") -> Addition:
    return addition(current, {"models": models, "users": users, "spawn_rate": spawn_rate})


def test_a_new_cell_has_its_duration_and_its_place() -> None:
    found = entered(run(cell_started()), models="1", users="6")

    # Two more seconds to ramp up, 15 s to settle, 10 s to measure.
    assert plain(found.text) == f"m1_u6_s2: about 28 s, measured after {FIRST}"
    assert found.args == {"models": 1, "users": 6, "spawn_rate": 2.0}


def test_the_duration_includes_scaling_to_another_number_of_models() -> None:
    state = run(cell_started()).state

    here, elsewhere = (added_s(PROFILE, state, [make_cell(models, 6)]) for models in (1, 3))

    assert here == durations_of(PROFILE).cell_s(make_cell(1, 6))
    assert elsewhere == here + SCALING_S


def test_after_all_other_cells_it_is_measured_next() -> None:
    over = (cell_finished(), cell_finished("m2_u2_s2"))

    assert plain(entered(run(*over)).text).endswith(", measured next")


def test_repeats_are_counted() -> None:
    started = run_started(make_profile(repeats=3, run_time="10s", settle={"max": 0}))

    text = plain(entered(run(started=started), models="1", users="4").text)

    assert text == "m1_u4_s2: 3 repeats, about 36 s, measured after m1_u2_s2"


@pytest.mark.parametrize(
    ("typed", "tone"),
    [({"users": "x"}, Tone.BAD), ({"models": "1"}, Tone.WARN)],
)
def test_a_rejected_cell_has_the_answer_of_the_runner(typed: dict[str, str], tone: Tone) -> None:
    current = run(cell_started())
    numbers = {"models": "3", "users": "2", "spawn_rate": "2", **typed}

    found = entered(current, **typed)

    assert plain(found.text) == answer_to_add(numbers, current.state).message
    assert [piece.tone for piece in found.text] == [tone]
    assert found.args is None


def test_a_run_that_is_not_live_accepts_a_cell_even_if_it_was_killed_while_stopping() -> None:
    over = replace(run(cell_started(), answered("stop")), status=RunStatus.INTERRUPTED)

    assert entered(over).args == entered(run(cell_started())).args is not None
    assert entered(run(answered("stop"))).args is None


@given(st.integers(1, 1_000_000), st.integers(1, 1_000_000), st.floats(0.001, 1000))
def test_the_proposal_describes_the_cell_it_was_made_from(
    models: int, users: int, spawn_rate: float
) -> None:
    cell = make_cell(models, users, spawn_rate)

    found = addition(run(), proposal(cell))

    assert found.answer.cell == cell.key


@given(st.text(max_size=30), st.integers(20, 80))
def test_every_line_fits_the_dialog(typed: str, columns: int) -> None:
    lines = addition_lines(entered(run(), users=typed, spawn_rate=typed), columns)

    assert all(width(one) <= columns for one in lines)


def test_the_height_does_not_depend_on_the_text() -> None:
    short, longer = entered(run(), users="x"), entered(run(), users="0", models="0.5")

    assert len(addition_lines(short, 66)) == len(addition_lines(longer, 66))


def test_the_hint_names_the_keys() -> None:
    assert plain(addition_lines(entered(run()), 60)[-1]) == "Enter add · Esc cancel"


def test_every_field_has_a_label() -> None:
    assert [field_label(name) for name in FIELDS] == ["Models", "Users", "Spawn rate (users/s)"]
