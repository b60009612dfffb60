"""Progress of a run, estimated from its plan."""

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


def remaining_after(*events: Event) -> float:
    """Return the remaining seconds after the events, which are one second apart."""
    return remaining_s(PROFILE, state_after(run_started(PROFILE), *events))


def test_remaining_time_before_the_first_cell_is_the_estimate_of_the_plan() -> None:
    assert remaining_after() == estimate_s(PROFILE, CELLS)


def test_the_current_cell_counts_with_its_remaining_time() -> None:
    started = cell_started(CELLS[0].key)
    assert remaining_after(started) == 4 * EACH_S + SCALING_S
    five_seconds = [cell_finished("not in the plan")] * 5
    assert remaining_after(started, *five_seconds) == 4 * EACH_S + SCALING_S - 5


def test_an_overdue_cell_adds_no_remaining_time() -> None:
    overdue = [cell_finished("not in the plan")] * 100
    assert remaining_after(cell_started(CELLS[0].key), *overdue) == 3 * EACH_S + SCALING_S


def test_no_time_remains_after_the_last_cell() -> None:
    ends = [event for cell in CELLS for event in (cell_started(cell.key), cell_finished(cell.key))]
    assert remaining_after(*ends) == 0
