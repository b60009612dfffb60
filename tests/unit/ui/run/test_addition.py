"""What is said of one more point of the grid, as it is typed."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadbench.engine.journal.events import Event
from loadbench.engine.journal.progress import added_s
from loadbench.engine.profile.plan import SCALING_S, estimate_cell_s
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.ui.lines.text import Tone, plain, width
from loadbench.ui.run.addition import Addition, addition, addition_lines, proposal
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


def run(*events: Event, begun: Event | None = None) -> Run:
    """A live run of two cells, m1_u2_s2 and m2_u2_s2."""
    state = state_after(begun or run_started(PROFILE), *events)
    return Run(Path("/nowhere/reports/demo/20261122-072100"), state, RunStatus.LIVE)


def asked(of: Run, models: str = "3", users: str = "2", spawn_rate: str = "2") -> Addition:
    return addition(of, {"models": models, "users": users, "spawn_rate": spawn_rate})


def test_a_cell_is_told_with_its_time_and_its_place() -> None:
    found = asked(run(cell_started()), models="1", users="6")

    # Two seconds more to start its users, 15 s to settle, 10 s to measure.
    assert plain(found.told) == f"m1_u6_s2, about 28 s more; it is measured after {FIRST}"
    assert found.args == {"models": 1, "users": 6, "spawn_rate": 2.0}


def test_scaling_to_another_number_of_models_is_part_of_the_time() -> None:
    state = run(cell_started()).state

    here, elsewhere = (added_s(PROFILE, state, [make_cell(models, 6)]) for models in (1, 3))

    assert here == estimate_cell_s(PROFILE, make_cell(1, 6))
    assert elsewhere == here + SCALING_S


def test_what_is_paused_at_the_end_measures_it_next() -> None:
    over = (cell_finished(), cell_finished("m2_u2_s2"))

    assert plain(asked(run(*over)).told).endswith("; it is measured next")


def test_repeats_are_told() -> None:
    begun = run_started(make_profile(repeats=3, run_time="10s", settle={"max": 0}))

    told = plain(asked(run(begun=begun), models="1", users="4").told)

    assert told == "m1_u4_s2, 3 times, about 36 s more; it is measured after m1_u2_s2"


@pytest.mark.parametrize(
    ("typed", "told", "tone"),
    [
        ({"users": "x"}, "users: expected a whole number, got 'x'", Tone.BAD),
        ({"models": "1"}, f"{FIRST} is already in the plan", Tone.WARN),
    ],
)
def test_what_the_runner_would_refuse_is_not_asked_for(
    typed: dict[str, str], told: str, tone: Tone
) -> None:
    found = asked(run(cell_started()), **typed)

    assert plain(found.told) == told
    assert [piece.tone for piece in found.told] == [tone]
    assert found.args is None


def test_a_run_that_ended_meanwhile_takes_no_cell() -> None:
    over = replace(run(cell_started()), status=RunStatus.INTERRUPTED)

    assert plain(asked(over).told) == "the run is not live any more"
    assert asked(run(answered("stop"))).args is None


@given(st.integers(1, 1_000_000), st.integers(1, 1_000_000), st.floats(0.001, 1000))
def test_the_numbers_of_a_cell_are_those_of_its_fields(
    models: int, users: int, spawn_rate: float
) -> None:
    cell = make_cell(models, users, spawn_rate)

    # As it is proposed it can be typed: it is another cell of the plan.
    found = addition(run(), proposal(cell))

    assert found.answer.cell == cell.key


@given(st.text(max_size=30), st.integers(20, 80))
def test_no_line_is_wider_than_the_window(typed: str, columns: int) -> None:
    lines = addition_lines(asked(run(), users=typed, spawn_rate=typed), columns)

    assert all(width(one) <= columns for one in lines)


def test_the_window_is_as_high_for_a_short_sentence_as_for_a_longer_one() -> None:
    short, longer = asked(run(), users="x"), asked(run(), users="0", models="0.5")

    assert len(addition_lines(short, 66)) == len(addition_lines(longer, 66))
