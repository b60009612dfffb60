"""What is answered to each command in each state of a run."""

import pytest

from builders import (
    answered,
    cell_failed,
    cell_finished,
    cell_skipped,
    cell_started,
    make_profile,
    run_started,
    state_after,
)
from loadbench.engine.commands import NAMES, Command
from loadbench.engine.control import Answer, answer_to
from loadbench.engine.events import Event
from loadbench.engine.state import RunState

BEGUN = run_started(make_profile(models=[1, 2]))
FIRST, SECOND = "m1_u2_s2", "m2_u2_s2"


def ask(command: str, *events: Event, cell: str | None = None) -> Answer:
    """The answer to a command after the events."""
    return answer_to(Command("id", "", command, cell), state_after(BEGUN, *events))


def test_stop_is_always_followed() -> None:
    for events in ((), (cell_started(),), (cell_started(), answered("pause"))):
        assert ask("stop", *events).accepted


def test_pause_says_after_which_cell() -> None:
    assert ask("pause", cell_started()) == Answer(True, f"the run pauses after {FIRST}")
    assert ask("pause") == Answer(True, "the run pauses")


def test_a_paused_run_is_not_paused_again() -> None:
    assert ask("pause", answered("pause")) == Answer(False, "the run is paused already")


def test_only_a_paused_run_is_resumed() -> None:
    assert ask("resume") == Answer(False, "the run is not paused")
    assert ask("resume", answered("pause")).accepted
    assert not ask("resume", answered("pause"), answered("resume")).accepted


def test_skip_without_a_cell_means_the_current_one() -> None:
    assert ask("skip", cell_started()) == Answer(True, f"{FIRST} is skipped", FIRST)
    assert ask("skip") == Answer(False, "no cell is being measured")


def test_a_cell_that_is_still_to_come_can_be_skipped() -> None:
    assert ask("skip", cell_started(), cell=SECOND) == Answer(True, f"{SECOND} is skipped", SECOND)


@pytest.mark.parametrize("end", [cell_finished(), cell_failed(), cell_skipped()])
def test_a_cell_that_is_over_is_not_skipped_but_measured_again(end: Event) -> None:
    assert ask("skip", cell_started(), end, cell=FIRST) == Answer(
        False, f"{FIRST} is over already", FIRST
    )
    assert ask("again", cell_started(), end, cell=FIRST) == Answer(
        True, f"{FIRST} is measured again", FIRST
    )


def test_a_cell_that_is_not_over_is_not_measured_again() -> None:
    assert ask("again", cell_started(), cell=FIRST) == Answer(
        False, f"{FIRST} is being measured", FIRST
    )
    assert ask("again", cell_started(), cell=SECOND) == Answer(
        False, f"{SECOND} is still to be measured", SECOND
    )
    again = answered("again", FIRST)
    assert not ask("again", cell_started(), cell_finished(), again, cell=FIRST).accepted


@pytest.mark.parametrize("command", ["skip", "again"])
def test_a_cell_that_the_run_does_not_have_is_named(command: str) -> None:
    assert ask(command, cell="m9_u9_s9") == Answer(False, "no cell m9_u9_s9", "m9_u9_s9")


def test_again_needs_a_cell() -> None:
    assert not ask("again", cell_started()).accepted


def test_an_unknown_command_is_answered_with_those_there_are() -> None:
    answer = ask("fly")
    assert not answer.accepted
    assert "no command 'fly'" in answer.message
    assert all(name in answer.message for name in NAMES)


def test_every_command_has_an_answer_before_the_run_has_begun() -> None:
    assert all(answer_to(Command("id", "", name), RunState()).message for name in NAMES)
