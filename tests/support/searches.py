"""Searches for the capacity without a service: each chosen cell gets a given result at once."""

from collections.abc import Callable
from itertools import count
from typing import Any

from loadbench.engine.journal.codec import Entry
from loadbench.engine.journal.events import (
    CellEnd,
    CellFinished,
    CellPhase,
    CellsPlanned,
    CellStarted,
    Event,
    Phase,
    SearchEnded,
)
from loadbench.engine.journal.state import EMPTY, RunState
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.plan import Cell
from loadbench.engine.search.model import Probe, Stop
from loadbench.engine.search.strategy import next_step
from tests.support.builders import cell_finished, make_profile, requests, run_started

GOAL_MS = 100.0
_numbers = count(1)
"""Numbers of the entries."""
_REQUESTS = 400
_TAIL = 40
"""Requests of a cell that have its p95. They are more than 5 %."""


def search_profile(**keys: Any) -> Profile:
    """Return a profile with a search, by default over 5 loads and 2 numbers of models."""
    defaults: dict[str, Any] = {
        "models": [1, 2],
        "users": [10, 20, 30, 40, 50],
        "spawn_rates": [50],
        "goals": {"p95_ms": GOAL_MS},
        "search": {"strategy": "bisection"},
    }
    return make_profile(**{**defaults, **keys})


def search_started(profile: Profile) -> RunState:
    """Return the state of a run that has not planned any cell."""
    return applied(EMPTY, run_started(profile, cells=()))


def applied(state: RunState, *events: Event) -> RunState:
    """Return the state after further events."""
    for event in events:
        state = state.apply(Entry(next(_numbers), "2026-11-22T07:21:00.000Z", 0.0, event))
    return state


def with_p95(cell: Cell, p95_ms: float, rps: float = 40.0, attempt: int = 1) -> CellFinished:
    """Return results of a cell with a p95."""
    p95_ms = float(f"{p95_ms:.4g}")
    return cell_finished(
        cell.key,
        attempt,
        completed=round(10 * rps),
        requests=requests(((p95_ms / 2, _REQUESTS - _TAIL), (p95_ms, _TAIL))),
    )


def planned(probe: Probe) -> CellsPlanned:
    """Return the event with which a runner records a probe."""
    return CellsPlanned(cells=(probe.cell,), why=probe.why, bracket=probe.bracket)


def ended(stop: Stop) -> SearchEnded:
    """Return the event with which a runner records the end of a search."""
    return SearchEnded(reason=stop.reason, brackets=stop.brackets, grid=stop.grid)


def searched(
    state: RunState,
    measure: Callable[[Cell], CellEnd],
    choose: Callable[[RunState], Probe | Stop] = next_step,
) -> tuple[RunState, list[Probe], Stop]:
    """Search until the strategy stops, and return the state, all probes and the stop.

    Args:
        state: The state of a run without outstanding cells.
        measure: Returns the result of a cell.
        choose: The strategy.

    Raises:
        AssertionError: The strategy chose a cell that has ended, which could go on for ever.
    """
    probes: list[Probe] = []
    while True:
        step = choose(state)
        if isinstance(step, Stop):
            return applied(state, ended(step)), probes, step
        assert step.cell in {one.cell for one in applied(state, planned(step)).outstanding}
        probes.append(step)
        started = CellStarted(cell=step.cell.key, attempt=1)
        ramp = CellPhase(cell=step.cell.key, phase=Phase.RAMPING)
        state = applied(state, planned(step), started, ramp, measure(step.cell))
