"""A run whose cells have every state of their goals."""

from pathlib import Path

from loadbench.engine.journal.events import Event, Result, RunFinished, Verdict
from loadbench.engine.journal.state import RunState
from tests.support.builders import (
    cell_failed,
    cell_finished,
    cell_skipped,
    cell_started,
    entries,
    make_profile,
    requests,
    run_started,
    state_after,
    write_entries,
)

GOAL_MS = 100
PROFILE = make_profile(
    models=[1, 2, 3],
    users=[2, 4, 8],
    goals={"p95_ms": GOAL_MS, "failure_ratio": 0.02},
)
PASSED, NEAR, MISSED = "m1_u2_s2", "m2_u2_s2", "m3_u2_s2"
UNDECIDED, SUSPECT, INVALID = "m1_u4_s2", "m2_u4_s2", "m3_u4_s2"
FAILING, FAILED, SKIPPED = "m1_u8_s2", "m2_u8_s2", "m3_u8_s2"
"""The cell `FAILING` meets the goal for p95, but not the one for failures."""


def goal_events() -> list[Event]:
    """Return the events of the run."""
    results: dict[str, Event] = {
        PASSED: cell_finished(PASSED, requests=requests(((50.0, 400),))),
        NEAR: cell_finished(NEAR, requests=requests(((95.0, 400),))),
        MISSED: cell_finished(MISSED, requests=requests(((150.0, 400),))),
        UNDECIDED: cell_finished(UNDECIDED, requests=requests(((50.0, 40),)), completed=40),
        SUSPECT: cell_finished(
            SUSPECT,
            requests=requests(((60.0, 400),)),
            verdict=Verdict.SUSPECT,
            reasons=("not settled",),
        ),
        INVALID: cell_finished(
            INVALID,
            requests=requests(((50.0, 400),)),
            verdict=Verdict.INVALID,
            reasons=("2 of 4 users ran",),
        ),
        FAILING: cell_finished(
            FAILING, requests=requests(((40.0, 390),), ((5.0, 10),)), completed=390
        ),
        FAILED: cell_failed(FAILED),
        SKIPPED: cell_skipped(SKIPPED),
    }
    events: list[Event] = [run_started(PROFILE, run="20261122-111101")]
    for key, result in results.items():
        events += [cell_started(key), result]
    return [*events, RunFinished(result=Result.DONE, reason="all cells measured")]


def goal_state_run() -> RunState:
    """Return the state of the run."""
    return state_after(*goal_events())


def add_goal_run(root: Path) -> Path:
    """Add the run to a workspace, and return its folder."""
    folder = root / "reports" / "demo" / "20261122-111101"
    return write_entries(folder, entries(goal_events()))
