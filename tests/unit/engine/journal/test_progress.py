"""Progress of a live run, estimated from its plan and its finished cells."""

from dataclasses import replace

import pytest

from loadbench.engine.journal.events import CellPhase, Event, Phase, StackProgress
from loadbench.engine.journal.state import fold
from loadbench.engine.journal.timing.durations import SCALING_S, durations_of
from loadbench.engine.journal.timing.progress import (
    added_s,
    phase_detail,
    phase_length_s,
    remaining_s,
    total_s,
)
from loadbench.engine.profile.plan import plan_cells
from tests.support.builders import (
    cell_finished,
    cell_started,
    make_cell,
    make_profile,
    run_started,
    state_after,
    timed_attempt,
    timed_entries,
)

PROFILE = make_profile(models=[1, 2], users=[2, 4], spawn_rates=[4], run_time="10s")
CELLS = plan_cells(PROFILE)
FIRST, SECOND, THIRD, _ = CELLS
EACH_S = durations_of(PROFILE).cell_s(FIRST)
UNKNOWN = cell_finished("not in the plan")


def remaining_after(*steps: Event | float) -> float:
    """Return the remaining seconds after the events, with times in seconds between them."""
    return remaining_s(PROFILE, fold(timed_entries(run_started(PROFILE), *steps)))


def phase(name: Phase, cell: str = FIRST.key) -> CellPhase:
    return CellPhase(cell=cell, phase=name)


def test_remaining_time_before_the_first_cell_is_the_estimate_of_the_plan() -> None:
    assert remaining_after() == durations_of(PROFILE).total_s(CELLS) == 4 * EACH_S + 2 * SCALING_S


def test_the_current_cell_counts_with_its_remaining_time() -> None:
    ramping = (cell_started(FIRST.key), phase(Phase.SCALING), 2, phase(Phase.RAMPING))
    assert remaining_after(*ramping) == 4 * EACH_S + SCALING_S
    assert remaining_after(*ramping, 5, UNKNOWN) == 4 * EACH_S + SCALING_S - 5
    assert (
        remaining_after(*ramping, 3, phase(Phase.SETTLING), 4, UNKNOWN)
        == 4 * EACH_S + SCALING_S - 7
    )


def test_scaling_of_the_current_cell_counts_with_its_remaining_time() -> None:
    scaling = (cell_started(FIRST.key), phase(Phase.SCALING))
    assert remaining_after(*scaling) == 4 * EACH_S + 2 * SCALING_S
    assert remaining_after(*scaling, 2, UNKNOWN) == 4 * EACH_S + 2 * SCALING_S - 2
    # The cell itself has not started to count.
    assert remaining_after(*scaling, 100, UNKNOWN) == 4 * EACH_S + SCALING_S


def test_a_cell_with_the_same_number_of_models_needs_no_scaling() -> None:
    first = timed_attempt(FIRST, settling_s=EACH_S - 11)
    assert remaining_after(*first, cell_started(SECOND.key)) == 3 * EACH_S


def test_an_overdue_cell_adds_no_remaining_time() -> None:
    overdue = (cell_started(FIRST.key), phase(Phase.RAMPING), 100, UNKNOWN)
    assert remaining_after(*overdue) == 3 * EACH_S + SCALING_S


def test_after_long_settling_at_least_the_rest_of_the_window_remains() -> None:
    settled = (cell_started(FIRST.key), phase(Phase.SETTLING), 100, phase(Phase.MEASURING))
    assert remaining_after(*settled, 4, UNKNOWN) == 3 * EACH_S + SCALING_S + 6


def test_during_long_settling_at_least_the_window_remains() -> None:
    settling = (cell_started(FIRST.key), phase(Phase.SETTLING), 100, UNKNOWN)
    assert remaining_after(*settling) == 3 * EACH_S + SCALING_S + 10


def test_settling_that_takes_longer_than_usual_has_no_known_length() -> None:
    settling = (run_started(PROFILE), cell_started(FIRST.key), phase(Phase.SETTLING))

    assert phase_length_s(PROFILE, fold(timed_entries(*settling, 30, UNKNOWN))) == 30
    assert phase_length_s(PROFILE, fold(timed_entries(*settling, 31, UNKNOWN))) is None


def test_automatic_windows_have_their_expected_length() -> None:
    auto = make_profile(models=[1], users=[2], spawn_rates=[4], run_time="auto")
    started = replace(run_started(auto), window_s={FIRST.key: 70.0})
    measuring = (started, cell_started(FIRST.key), phase(Phase.MEASURING))

    state = fold(timed_entries(*measuring, 40, UNKNOWN))

    assert remaining_s(auto, state) == durations_of(auto, (), started.window_s).cell_s(FIRST) - 40
    assert phase_length_s(auto, state) == 600
    # The expected length has passed: it may end at any time.
    assert remaining_s(auto, fold(timed_entries(*measuring, 200, UNKNOWN))) == 0


def test_no_time_remains_after_the_last_cell() -> None:
    ends = [event for cell in CELLS for event in (cell_started(cell.key), cell_finished(cell.key))]
    assert remaining_s(PROFILE, state_after(run_started(PROFILE), *ends)) == 0


def test_finished_cells_of_the_run_determine_its_remaining_time() -> None:
    first = timed_attempt(FIRST, scaling_s=60, settling_s=30, draining_s=5)

    # Three cells with the settling and draining of the first, and one more scaling.
    assert remaining_after(*first) == 3 * (10 + 30 + 5) + 60

    second = timed_attempt(SECOND, settling_s=20, draining_s=5)
    assert remaining_after(*first, *second) == 2 * (10 + 30) + 60


@pytest.mark.parametrize("ended", range(len(CELLS) + 1))
def test_remaining_and_finished_cells_add_up_to_the_total(ended: int) -> None:
    steps = [
        step
        for cell in CELLS[:ended]
        for step in timed_attempt(cell, scaling_s=60 if cell in (FIRST, THIRD) else 0)
    ]
    state = fold(timed_entries(run_started(PROFILE), *steps))

    assert total_s(PROFILE, state) == remaining_s(PROFILE, state) + state.elapsed_s


def test_an_added_cell_takes_as_long_as_the_finished_ones() -> None:
    first = timed_attempt(FIRST, scaling_s=60, settling_s=30, draining_s=5)
    state = fold(timed_entries(run_started(PROFILE), *first))

    assert added_s(PROFILE, state, [make_cell(1, 3, 4)]) == 10 + 30 + 5
    assert added_s(PROFILE, state, [make_cell(3, 3, 4)]) == 10 + 30 + 5 + 60


# Progress within a phase


@pytest.mark.parametrize(
    ("step", "current", "detail"),
    [
        ("measure", Phase.MEASURING, "140 of 200 requests for p95"),
        ("measure", Phase.DRAINING, ""),
        ("settle", Phase.SETTLING, "140 of 200 requests for p95"),
        # Progress of the phase before.
        ("settle", Phase.MEASURING, ""),
        ("wait", Phase.MEASURING, ""),
    ],
)
def test_progress_counts_within_its_own_phase(step: str, current: Phase, detail: str) -> None:
    progress = StackProgress(step=step, line="Phase: 140 of 200 requests for p95")
    state = state_after(run_started(PROFILE), cell_started(FIRST.key), phase(current), progress)

    assert phase_detail(state) == detail
    assert phase_detail(state_after(run_started(PROFILE), cell_started(FIRST.key))) == ""
