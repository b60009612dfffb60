"""The answer to each command in each state of a run."""

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

STARTED = run_started(make_profile(models=[1, 2]))
FIRST, SECOND = "m1_u2_s2", "m2_u2_s2"


def ask(command: str, *events: Event, cell: str | None = None) -> Answer:
    """Return the answer to a command after the events."""
    return answer_to(Command("id", "", command, cell), state_after(STARTED, *events))


def test_stop_is_always_accepted() -> None:
    for events in ((), (cell_started(),), (cell_started(), answered("pause"))):
        assert ask("stop", *events).accepted


@pytest.mark.parametrize(
    ("args", "answer"),
    [
        ({"text": " new\nimages "}, Answer(True, "Label: new images", label="new images")),
        ({"text": ""}, Answer(True, "Label removed")),
        ({"text": "x" * 61}, Answer(False, "the label is too long: at most 60 characters")),
        ({"text": 7}, Answer(False, "No label: args must be an object with a text")),
        (None, Answer(False, "No label: args must be an object with a text")),
        (["text"], Answer(False, "No label: args must be an object with a text")),
    ],
)
def test_label_is_accepted_if_its_text_is_valid(args: object, answer: Answer) -> None:
    assert answer_to(Command("id", "", "label", args=args), state_after(STARTED)) == answer


def test_pause_names_the_cell_it_waits_for() -> None:
    assert ask("pause", cell_started()) == Answer(True, f"Pausing the run after {FIRST}")
    assert ask("pause") == Answer(True, "Pausing the run")


def test_paused_run_rejects_pause() -> None:
    assert ask("pause", answered("pause")) == Answer(False, "The run is already paused")


def test_only_a_paused_run_accepts_resume() -> None:
    assert ask("resume") == Answer(False, "The run is not paused")
    assert ask("resume", answered("pause")).accepted
    assert not ask("resume", answered("pause"), answered("resume")).accepted


def test_skip_without_a_cell_skips_the_current_cell() -> None:
    assert ask("skip", cell_started()) == Answer(True, f"Skipping {FIRST}", FIRST)
    assert ask("skip") == Answer(False, "No cell is being measured")


def test_pending_cell_can_be_skipped() -> None:
    assert ask("skip", cell_started(), cell=SECOND) == Answer(True, f"Skipping {SECOND}", SECOND)


@pytest.mark.parametrize("end", [cell_finished(), cell_failed(), cell_skipped()])
def test_ended_cell_can_be_measured_again_but_not_skipped(end: Event) -> None:
    assert ask("skip", cell_started(), end, cell=FIRST) == Answer(
        False, f"{FIRST} has already ended", FIRST
    )
    assert ask("again", cell_started(), end, cell=FIRST) == Answer(
        True, f"Scheduled {FIRST} to be measured again", FIRST
    )


def test_running_or_pending_cell_is_not_scheduled_again() -> None:
    assert ask("again", cell_started(), cell=FIRST) == Answer(
        False, f"{FIRST} is being measured", FIRST
    )
    assert ask("again", cell_started(), cell=SECOND) == Answer(
        False, f"{SECOND} is already scheduled", SECOND
    )
    again = answered("again", FIRST)
    assert not ask("again", cell_started(), cell_finished(), again, cell=FIRST).accepted


@pytest.mark.parametrize("command", ["skip", "again"])
def test_unknown_cell_is_named_in_the_answer(command: str) -> None:
    assert ask(command, cell="m9_u9_s9") == Answer(False, "No such cell: m9_u9_s9", "m9_u9_s9")


def test_again_needs_a_cell() -> None:
    assert not ask("again", cell_started()).accepted


def add(*events: Event, started: Event = STARTED, **changes: Any) -> Answer:
    """Return the answer to a request to add m3_u10_s5, or another grid point."""
    args = {"models": 3, "users": 10, "spawn_rate": 5, **changes}
    return answer_to(Command("id", "", "add", args=args), state_after(started, *events))


def test_grid_point_is_added() -> None:
    for events in ((), (cell_started(),), (answered("pause"),)):
        assert add(*events) == Answer(True, "Added m3_u10_s5", "m3_u10_s5", (make_cell(3, 10, 5),))


def test_grid_point_is_added_with_all_repeats() -> None:
    answer = add(started=run_started(make_profile(repeats=3)))

    assert answer.message == "Added m3_u10_s5 with 3 repeats"
    assert [cell.key for cell in answer.added] == ["m3_u10_s5", "m3_u10_s5_r2", "m3_u10_s5_r3"]


def test_grid_point_is_not_added_beyond_the_maximum_number_of_cells() -> None:
    started = run_started(make_profile(users=[2, 4], repeats=2, max_cells=7))
    one = answered("add", "m3_u9_s5", added=(make_cell(3, 9, 5),))

    assert add(one, started=started).accepted
    more = answered("add", "m3_u8_s5", added=(make_cell(3, 8, 5),))
    assert add(one, more, started=started) == Answer(
        False,
        "8 cells would exceed the limit of 7 of this run. For more, start a new run with a larger "
        "max_cells",
    )


def test_numbers_can_be_text() -> None:
    assert add(models="3", users=" 10", spawn_rate="5.0") == add()


@pytest.mark.parametrize(
    ("events", "hint"),
    [
        ((), ""),
        ((cell_started(),), ""),
        ((cell_started(), cell_finished()), " and has ended. Remeasure it instead"),
        ((cell_started(), cell_failed()), " and has ended. Remeasure it instead"),
    ],
)
def test_cell_in_the_plan_is_not_added_again(events: tuple[Event, ...], hint: str) -> None:
    assert add(*events, models=1, users=2, spawn_rate=2) == Answer(
        False, f"{FIRST} is already in the plan{hint}", FIRST
    )


def test_cell_with_the_key_of_another_is_not_added() -> None:
    # Keys and report names contain six digits of the rate.
    assert not add(models=1, users=2, spawn_rate=2.0000001).accepted


def test_added_cell_is_part_of_the_plan() -> None:
    now = (answered("add", "m3_u10_s5", added=(make_cell(3, 10, 5),)), cell_started("m3_u10_s5"))

    assert add(*now).message == "m3_u10_s5 is already in the plan"
    assert ask("skip", *now, cell="m3_u10_s5").accepted
    assert ask("again", *now, cell_finished("m3_u10_s5"), cell="m3_u10_s5").accepted


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"models": 0}, "models: expected a value ≥ 1, got 0"),
        ({"models": 1.5}, "models: expected a whole number, got 1.5"),
        ({"users": -3}, "users: expected a value ≥ 1, got -3"),
        ({"users": ""}, "users: expected a whole number, got ''"),
        ({"users": "ten"}, "users: expected a whole number, got 'ten'"),
        ({"users": True}, "users: expected a number, got True"),
        ({"users": [1, 2]}, "users: expected a whole number, got [1, 2]"),
        ({"users": 10**9}, "users: expected a value ≤ 1000000, got 1000000000"),
        ({"spawn_rate": 0}, "spawn_rate: expected a value ≥ 0.001, got 0"),
        ({"spawn_rate": "fast"}, "spawn_rate: expected a number, got 'fast'"),
        ({"spawn_rate": float("nan")}, "spawn_rate: expected a finite number, got nan"),
        ({"spawn_rate": 1e9}, "spawn_rate: expected a value ≤ 1000, got 1000000000.0"),
        (
            {"models": 0, "spawn_rate": None},
            "models: expected a value ≥ 1, got 0; spawn_rate: expected a number, got no value",
        ),
        ({"repeat": 2}, "expected one number for each of models, users, spawn_rate"),
    ],
)
def test_invalid_numbers_are_rejected(changes: dict[str, Any], message: str) -> None:
    answer = add(**changes)

    assert not answer.accepted
    assert answer.message.startswith(message)


@pytest.mark.parametrize("args", [None, {}, [], "m3_u10_s5", 3, {"models": 1, "users": 2}])
def test_arguments_without_a_grid_point_are_rejected(args: Any) -> None:
    answer = answer_to(Command("id", "", "add", args=args), state_after(STARTED))

    assert answer == Answer(False, "expected one number for each of models, users, spawn_rate")


def test_external_service_accepts_only_its_models_label() -> None:
    external = make_profile(models=[3], host="http://x:1", stack={"driver": "external"})
    started = run_started(external)

    assert add(started=started).accepted
    assert add(started=started, models=4) == Answer(
        False, "models: expected one value: driver external does not scale the service"
    )


def test_stopping_run_rejects_new_cells() -> None:
    assert add(answered("stop")) == Answer(False, "The run is stopping")


def test_unknown_command_lists_all_commands() -> None:
    answer = ask("fly")
    assert not answer.accepted
    assert "Unknown command 'fly'" in answer.message
    assert all(name in answer.message for name in NAMES)


def test_every_command_is_answered_before_the_run_starts() -> None:
    assert all(answer_to(Command("id", "", name), RunState()).message for name in NAMES)
