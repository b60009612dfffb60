"""What resuming a run measures: remaining cells, cells measured again and added cells."""

from collections.abc import Mapping

import pytest

from loadbench.engine.journal.events import Event, Result, RunFinished, RunResumed
from loadbench.engine.journal.state import CellStatus, RunState
from loadbench.engine.requests.resumption import plan_resumption, resumed_state
from loadbench.errors import UsageError
from tests.support.builders import (
    answered,
    cell_failed,
    cell_finished,
    cell_skipped,
    cell_started,
    make_profile,
    run_started,
    state_after,
)

FIRST, SECOND, THIRD = "m1_u2_s2", "m2_u2_s2", "m3_u2_s2"
STARTED = run_started(make_profile(models=[1, 2, 3]))
STOPPED = RunFinished(result=Result.STOPPED, reason="asked for")
OVER = (
    *(cell_started(FIRST), cell_finished(FIRST)),
    *(cell_started(SECOND), cell_failed(SECOND)),
    cell_skipped(THIRD, attempt=0),
)
POINT = {"models": 2, "users": 8, "spawn_rate": 2}


def after(*events: Event) -> RunState:
    """Return the state of the run after these events."""
    return state_after(STARTED, *events)


def keys(state: RunState, *again: str, points: tuple[Mapping[str, float], ...] = ()) -> list[str]:
    """Return the keys of the cells that resuming the run measures."""
    return [cell.key for cell in plan_resumption(state, again=again, points=points).cells]


def test_a_resume_measures_the_remaining_cells_and_the_interrupted_one() -> None:
    assert keys(after(*OVER[:3])) == [SECOND, THIRD]
    assert keys(after(*OVER, STOPPED)) == []


@pytest.mark.parametrize("key", [FIRST, SECOND, THIRD])
def test_an_ended_cell_is_measured_again_whatever_its_status(key: str) -> None:
    assert keys(after(*OVER, STOPPED), key, key) == [key]


def test_cells_measured_again_keep_their_place_in_the_plan() -> None:
    assert keys(after(*OVER[:3], STOPPED), FIRST) == [FIRST, SECOND, THIRD]


def test_a_point_is_added_with_all_repeats_beside_the_cells_with_the_same_models() -> None:
    state = state_after(run_started(make_profile(models=[1, 2], repeats=2)))

    resumption = plan_resumption(state, points=[POINT])

    assert [cell.key for cell in resumption.added] == ["m2_u8_s2", "m2_u8_s2_r2"]
    assert [cell.key for cell in resumption.cells][2:] == [
        *(SECOND, "m2_u8_s2"),
        *(f"{SECOND}_r2", "m2_u8_s2_r2"),
    ]


@pytest.mark.parametrize(
    ("again", "points", "message"),
    [
        (("m9_u9_s9",), (), "No such cell: m9_u9_s9"),
        ((FIRST, THIRD), (), f"{THIRD} is already scheduled"),
        ((), (POINT, POINT), "m2_u8_s2 is already in the plan"),
        ((), ({**POINT, "users": 2},), f"{SECOND} is already in the plan"),
        ((), ({**POINT, "users": 0},), "users: expected a value ≥ 1, got 0"),
    ],
)
def test_an_impossible_cell_is_refused_as_in_a_live_run(
    again: tuple[str, ...], points: tuple[Mapping[str, float], ...], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        plan_resumption(after(*OVER[:4]), again=again, points=points)


def test_a_run_that_was_killed_while_stopping_accepts_cells() -> None:
    killed = after(*OVER, answered("stop"))

    assert keys(killed, FIRST, points=(POINT,)) == [FIRST, "m2_u8_s2"]


def test_the_numbers_of_a_point_may_be_floating_point() -> None:
    assert keys(after(*OVER), points=({"models": 2.0, "users": 8.0, "spawn_rate": 2.0},)) == [
        "m2_u8_s2"
    ]


def test_the_planned_state_is_the_state_after_the_recorded_resume() -> None:
    state = after(*OVER, STOPPED)
    resumption = plan_resumption(state, again=[FIRST], points=[POINT])
    event = RunResumed(
        pid=7, retry=resumption.again, hardware={}, versions={}, added=resumption.added
    )

    recorded = after(*OVER, STOPPED, event)

    planned = resumed_state(state, again=resumption.again, added=resumption.added)
    assert planned.cells == recorded.cells
    assert recorded.cells[FIRST].status is CellStatus.PENDING
    assert recorded.cells[FIRST].finished is not None
