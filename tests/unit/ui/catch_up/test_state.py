"""States of the catch-up window: one test per state and event."""

from collections.abc import Callable
from pathlib import Path

import pytest

from loadbench.ui.catch_up import state as state_module
from loadbench.ui.catch_up.state import CatchUpAction, State, StateMachine

EVENTS: dict[str, Callable[[StateMachine], CatchUpAction | None]] = {
    "view shown in front": lambda machine: machine.on_view_shown(is_in_front=True),
    "view shown covered": lambda machine: machine.on_view_shown(is_in_front=False),
    "nothing missed": lambda machine: machine.on_nothing_missed(),
    "journal unreadable": lambda machine: machine.on_journal_unreadable(),
    "news in front": lambda machine: machine.on_news_found(is_in_front=True),
    "news covered": lambda machine: machine.on_news_found(is_in_front=False),
    "request in front": lambda machine: machine.on_window_requested(is_in_front=True),
    "request covered": lambda machine: machine.on_window_requested(is_in_front=False),
    "user input": lambda machine: machine.on_user_input(),
}

PATHS: dict[State, tuple[str, ...]] = {
    State.IDLE: (),
    State.LOADING: ("view shown in front",),
    State.UNREADABLE: ("view shown in front", "journal unreadable"),
    State.UP_TO_DATE: ("view shown in front", "nothing missed"),
    State.PENDING: ("view shown in front", "news covered"),
    State.OPEN: ("view shown in front", "news in front"),
    State.ACKNOWLEDGED: ("view shown in front", "news in front", "user input"),
    State.REOPENING: ("view shown in front", "news in front", "user input", "request covered"),
}
"""Events that lead from a new machine to each state."""

LOAD, OPEN_WINDOW = CatchUpAction.LOAD, CatchUpAction.OPEN_WINDOW
TRANSITIONS: dict[tuple[State, str], tuple[State, CatchUpAction | None]] = {
    (State.IDLE, "view shown in front"): (State.LOADING, LOAD),
    (State.IDLE, "view shown covered"): (State.LOADING, LOAD),
    (State.LOADING, "nothing missed"): (State.UP_TO_DATE, None),
    (State.LOADING, "journal unreadable"): (State.UNREADABLE, None),
    (State.LOADING, "news in front"): (State.OPEN, OPEN_WINDOW),
    (State.LOADING, "news covered"): (State.PENDING, None),
    (State.PENDING, "view shown in front"): (State.OPEN, OPEN_WINDOW),
    (State.PENDING, "request in front"): (State.OPEN, OPEN_WINDOW),
    (State.OPEN, "request in front"): (State.OPEN, OPEN_WINDOW),
    (State.OPEN, "request covered"): (State.PENDING, None),
    (State.OPEN, "user input"): (State.ACKNOWLEDGED, None),
    (State.ACKNOWLEDGED, "request in front"): (State.ACKNOWLEDGED, OPEN_WINDOW),
    (State.ACKNOWLEDGED, "request covered"): (State.REOPENING, None),
    (State.REOPENING, "view shown in front"): (State.ACKNOWLEDGED, OPEN_WINDOW),
    (State.REOPENING, "request in front"): (State.ACKNOWLEDGED, OPEN_WINDOW),
    (State.REOPENING, "user input"): (State.PENDING, None),
}
"""All other pairs of state and event keep the state and return no action."""


def machine_in(state: State) -> StateMachine:
    machine = StateMachine()
    for event in PATHS[state]:
        EVENTS[event](machine)
    return machine


@pytest.mark.parametrize("state", State)
def test_every_state_is_reachable(state: State) -> None:
    assert machine_in(state).state is state


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("state", State)
def test_each_event_in_each_state(state: State, event: str) -> None:
    after, action = TRANSITIONS.get((state, event), (state, None))
    machine = machine_in(state)
    assert EVENTS[event](machine) is action
    assert machine.state is after


@pytest.mark.parametrize(
    ("state", "is_ready", "has_news", "may_mark_seen"),
    [
        (State.IDLE, False, False, False),
        (State.LOADING, False, False, False),
        (State.UNREADABLE, False, False, False),
        (State.UP_TO_DATE, True, False, True),
        (State.PENDING, True, True, False),
        (State.OPEN, True, True, False),
        (State.ACKNOWLEDGED, True, True, True),
        (State.REOPENING, True, True, True),
    ],
)
def test_properties_of_each_state(
    state: State, is_ready: bool, has_news: bool, may_mark_seen: bool
) -> None:
    machine = machine_in(state)
    assert (machine.is_ready, machine.has_news, machine.may_mark_seen) == (
        is_ready,
        has_news,
        may_mark_seen,
    )


def test_each_event_of_the_machine_is_in_the_table() -> None:
    methods = {name for name in vars(StateMachine) if name.startswith("on_")}
    assert {name for event in EVENTS.values() for name in event.__code__.co_names} == methods


def test_the_states_need_no_textual_no_clock_and_no_files() -> None:
    imported = {
        line.split()[1]
        for line in Path(state_module.__file__).read_text(encoding="utf-8").splitlines()
        if line.startswith(("import ", "from "))
    }
    assert imported == {"enum"}
