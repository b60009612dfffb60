"""How far a run is, by the estimates of its plan."""

from loadbench.engine.journal.events import Event
from loadbench.engine.journal.progress import remaining_s
from loadbench.engine.profile.plan import SCALING_S, estimate_cell_s, estimate_s, plan_cells
from tests.support.builders import (
    cell_finished,
    cell_started,
    make_profile,
    run_started,
    state_after,
)

PROFILE = make_profile(models=[1, 2], users=[2, 4], spawn_rates=[4], run_time="10s")
CELLS = plan_cells(PROFILE)
EACH_S = estimate_cell_s(PROFILE, CELLS[0])


def left_after(*events: Event) -> float:
    """What is left of the run after the events; one passes a second."""
    return remaining_s(PROFILE, state_after(run_started(PROFILE), *events))


def test_before_the_first_cell_it_is_the_estimate_of_the_plan() -> None:
    assert left_after() == estimate_s(PROFILE, CELLS)


def test_a_current_cell_counts_for_what_is_left_of_it() -> None:
    begun = cell_started(CELLS[0].key)
    assert left_after(begun) == 4 * EACH_S + SCALING_S
    phase = [cell_finished("none of this plan")] * 5
    assert left_after(begun, *phase) == 4 * EACH_S + SCALING_S - 5


def test_a_cell_that_takes_longer_than_estimated_counts_for_nothing() -> None:
    late = [cell_finished("none of this plan")] * 100
    assert left_after(cell_started(CELLS[0].key), *late) == 3 * EACH_S + SCALING_S


def test_the_last_cell_leaves_nothing() -> None:
    ends = [event for cell in CELLS for event in (cell_started(cell.key), cell_finished(cell.key))]
    assert left_after(*ends) == 0
