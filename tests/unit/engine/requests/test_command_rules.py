"""What is answered to each command in each state of a run."""

from typing import Any

import pytest

from loadbench.engine.journal.commands import NAMES, Command
from loadbench.engine.journal.events import Event
from loadbench.engine.journal.state import RunState
from loadbench.engine.requests.command_rules import Answer, answer_to
from tests.support.builders import (
    answered,
    cell_failed,
    cell_finished,
    cell_skipped,
    cell_started,
    make_cell,
    make_profile,
    run_started,
    state_after,
)

BEGUN = run_started(make_profile(models=[1, 2]))
FIRST, SECOND = "m1_u2_s2", "m2_u2_s2"


def ask(command: str, *events: Event, cell: str | None = None) -> Answer:
    """The answer to a command after the events."""
    return answer_to(Command("id", "", command, cell), state_after(BEGUN, *events))


def test_stop_is_always_accepted() -> None:
    for events in ((), (cell_started(),), (cell_started(), answered("pause"))):
        assert ask("stop", *events).accepted


def test_pause_names_the_cell_it_waits_for() -> None:
    assert ask("pause", cell_started()) == Answer(True, f"the run pauses after {FIRST}")
    assert ask("pause") == Answer(True, "the run pauses")


def test_paused_run_rejects_pause() -> None:
    assert ask("pause", answered("pause")) == Answer(False, "the run is paused already")


def test_only_a_paused_run_accepts_resume() -> None:
    assert ask("resume") == Answer(False, "the run is not paused")
    assert ask("resume", answered("pause")).accepted
    assert not ask("resume", answered("pause"), answered("resume")).accepted


def test_skip_without_a_cell_skips_the_current_cell() -> None:
    assert ask("skip", cell_started()) == Answer(True, f"{FIRST} is skipped", FIRST)
    assert ask("skip") == Answer(False, "no cell is being measured")


def test_pending_cell_can_be_skipped() -> None:
    assert ask("skip", cell_started(), cell=SECOND) == Answer(True, f"{SECOND} is skipped", SECOND)


@pytest.mark.parametrize("end", [cell_finished(), cell_failed(), cell_skipped()])
def test_ended_cell_can_be_measured_again_but_not_skipped(end: Event) -> None:
    assert ask("skip", cell_started(), end, cell=FIRST) == Answer(
        False, f"{FIRST} is over already", FIRST
    )
    assert ask("again", cell_started(), end, cell=FIRST) == Answer(
        True, f"{FIRST} is measured again", FIRST
    )


def test_running_or_pending_cell_is_not_scheduled_again() -> None:
    assert ask("again", cell_started(), cell=FIRST) == Answer(
        False, f"{FIRST} is being measured", FIRST
    )
    assert ask("again", cell_started(), cell=SECOND) == Answer(
        False, f"{SECOND} is still to be measured", SECOND
    )
    again = answered("again", FIRST)
    assert not ask("again", cell_started(), cell_finished(), again, cell=FIRST).accepted


@pytest.mark.parametrize("command", ["skip", "again"])
def test_unknown_cell_is_named_in_the_answer(command: str) -> None:
    assert ask(command, cell="m9_u9_s9") == Answer(False, "no cell m9_u9_s9", "m9_u9_s9")


def test_again_needs_a_cell() -> None:
    assert not ask("again", cell_started()).accepted


def add(*events: Event, begun: Event = BEGUN, **changes: Any) -> Answer:
    """The answer to who asks for m3_u10_s5, or for another point of the grid."""
    args = {"models": 3, "users": 10, "spawn_rate": 5, **changes}
    return answer_to(Command("id", "", "add", args=args), state_after(begun, *events))


def test_grid_point_is_added() -> None:
    for events in ((), (cell_started(),), (answered("pause"),)):
        assert add(*events) == Answer(
            True, "m3_u10_s5 is added", "m3_u10_s5", (make_cell(3, 10, 5),)
        )


def test_grid_point_is_added_with_all_repeats() -> None:
    answer = add(begun=run_started(make_profile(repeats=3)))

    assert answer.message == "m3_u10_s5 is added, 3 times"
    assert [cell.key for cell in answer.added] == ["m3_u10_s5", "m3_u10_s5_r2", "m3_u10_s5_r3"]


def test_numbers_can_be_text() -> None:
    assert add(models="3", users=" 10", spawn_rate="5.0") == add()


@pytest.mark.parametrize(
    ("events", "more"),
    [
        ((), ""),
        ((cell_started(),), ""),
        ((cell_started(), cell_finished()), "; `again` measures it once more"),
        ((cell_started(), cell_failed()), "; `again` measures it once more"),
    ],
)
def test_cell_in_the_plan_is_not_added_again(events: tuple[Event, ...], more: str) -> None:
    assert add(*events, models=1, users=2, spawn_rate=2) == Answer(
        False, f"{FIRST} is in the plan already{more}", FIRST
    )


def test_cell_with_the_key_of_another_is_not_added() -> None:
    # Keys and reports have six digits of the rate.
    assert not add(models=1, users=2, spawn_rate=2.0000001).accepted


def test_added_cell_is_part_of_the_plan() -> None:
    now = (answered("add", "m3_u10_s5", added=(make_cell(3, 10, 5),)), cell_started("m3_u10_s5"))

    assert add(*now).message == "m3_u10_s5 is in the plan already"
    assert ask("skip", *now, cell="m3_u10_s5").accepted
    assert ask("again", *now, cell_finished("m3_u10_s5"), cell="m3_u10_s5").accepted


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"models": 0}, "models: 0: input should be greater than or equal to 1"),
        ({"models": 1.5}, "models: 1.5: a whole number is needed"),
        ({"users": -3}, "users: -3: input should be greater than or equal to 1"),
        ({"users": ""}, "users: '': a whole number is needed"),
        ({"users": "ten"}, "users: 'ten': a whole number is needed"),
        ({"users": True}, "users: True: a number is needed"),
        ({"users": [1, 2]}, "users: [1, 2]: a whole number is needed"),
        ({"users": 10**9}, "users: 1000000000: input should be less than or equal to 1000000"),
        ({"spawn_rate": 0}, "spawn_rate: 0: input should be greater than or equal to 0.001"),
        ({"spawn_rate": "fast"}, "spawn_rate: 'fast': a number is needed"),
        ({"spawn_rate": float("nan")}, "spawn_rate: nan: input should be a finite number"),
        ({"spawn_rate": 1e9}, "spawn_rate: 1000000000.0: input should be less than or equal to"),
        (
            {"models": 0, "spawn_rate": None},
            "models: 0: input should be greater than or equal to 1; spawn_rate: nothing: a number",
        ),
        ({"repeat": 2}, "a cell is asked for by models, users, spawn_rate, a number each"),
    ],
)
def test_invalid_numbers_are_rejected(changes: dict[str, Any], message: str) -> None:
    answer = add(**changes)

    assert not answer.accepted
    assert answer.message.startswith(message)


@pytest.mark.parametrize("args", [None, {}, [], "m3_u10_s5", 3, {"models": 1, "users": 2}])
def test_arguments_without_a_grid_point_are_rejected(args: Any) -> None:
    answer = answer_to(Command("id", "", "add", args=args), state_after(BEGUN))

    assert answer == Answer(
        False, "a cell is asked for by models, users, spawn_rate, a number each"
    )


def test_external_service_accepts_only_its_models_label() -> None:
    outside = make_profile(models=[3], host="http://x:1", stack={"driver": "external"})
    begun = run_started(outside)

    assert add(begun=begun).accepted
    assert add(begun=begun, models=4) == Answer(
        False, "models: one value with stack.driver external, a label: nothing is scaled"
    )


def test_stopping_run_rejects_new_cells() -> None:
    assert add(answered("stop")) == Answer(False, "the run is being stopped")


def test_unknown_command_lists_all_commands() -> None:
    answer = ask("fly")
    assert not answer.accepted
    assert "no command 'fly'" in answer.message
    assert all(name in answer.message for name in NAMES)


def test_every_command_is_answered_before_the_run_starts() -> None:
    assert all(answer_to(Command("id", "", name), RunState()).message for name in NAMES)
