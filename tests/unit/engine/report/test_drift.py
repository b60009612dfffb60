"""The drift between the first measurement of the first cell and its recheck."""

from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadbench.engine.journal.events import Event, Result, RunFinished, RunResumed, Verdict
from loadbench.engine.measure.limits import MAX_DRIFT
from loadbench.engine.measure.rules.machine import drift_text
from loadbench.engine.measure.steady import TOLERANCE
from loadbench.engine.report.drift import Drift, Figures, drift_of, drift_to, figures_of
from tests.support.builders import (
    answered,
    cell_failed,
    cell_finished,
    cell_skipped,
    cell_started,
    make_profile,
    requests,
    run_started,
    state_after,
)

FIRST, SECOND, AGAIN = "m1_u2_s2", "m2_u2_s2", "m1_u2_s2_recheck"
BEGUN = run_started(make_profile(models=[1, 2], recheck_first=True))


def measured(key: str, *, completed: int = 400, p50: float = 10.0, **changes: Any) -> list[Event]:
    """The events of a cell measured for 10 s."""
    histogram = requests(((p50, 300), (2 * p50, 100)))
    numbers = {"completed": completed, "requests": histogram, **changes}
    return [cell_started(key), cell_finished(key, **numbers)]


def drift(*events: Event) -> Drift | None:
    return drift_of(state_after(BEGUN, *events))


def test_the_text_has_both_measurements_and_the_changes() -> None:
    found = Drift(
        cell="m1_u5_s5",
        first=Figures(rps=43.1, p50_ms=41.0, p95_ms=63.0),
        again=Figures(rps=40.2, p50_ms=43.9, p95_ms=71.0),
    )

    assert found.sentence == (
        "Recheck of m1_u5_s5 at the end: 43.1 → 40.2 req/s (−6.7 %), "
        "p50 41.0 → 43.9 ms (+7.1 %), p95 63.0 → 71.0 ms (+13 %)"
    )
    assert found.reason is None


@pytest.mark.parametrize(
    ("completed", "p50", "drifted"),
    [
        (400, 10.0, False),
        (440, 11.0, False),
        (360, 9.0, False),
        (444, 10.0, True),
        (356, 10.0, True),
        (400, 11.1, True),
        (400, 8.9, True),
    ],
)
def test_a_change_of_throughput_or_median_above_ten_percent_is_drift(
    completed: int, p50: float, drifted: bool
) -> None:
    events = (*measured(FIRST), *measured(AGAIN, completed=completed, p50=p50))
    found = drift(*events)

    assert found is not None
    reason = drift_text(found.magnitude)
    assert found.reason == (reason if drifted else None)
    assert found.sentence.endswith(reason) == drifted
    assert (found.magnitude > MAX_DRIFT) == drifted


def test_a_change_of_the_tail_alone_is_not_drift() -> None:
    tail = requests(((10.0, 300), (500.0, 100)))

    found = drift(*measured(FIRST), *measured(AGAIN, requests=tail))

    assert found is not None
    assert (found.change.p95_ms, found.reason) == (24.0, None)


numbers = st.builds(
    Figures,
    rps=st.floats(0.01, 1e4),
    p50_ms=st.floats(0.01, 1e4),
    p95_ms=st.floats(0.01, 1e4),
)


@given(numbers, numbers)
def test_drift_of_any_figures_is_reported(first: Figures, again: Figures) -> None:
    found = Drift(cell=FIRST, first=first, again=again)

    magnitude = max(abs(again.rps / first.rps - 1), abs(again.p50_ms / first.p50_ms - 1))
    assert (found.reason is not None) == (round(magnitude, 4) > TOLERANCE)
    assert found.as_dict()["again"] == asdict(again)
    assert found.sentence.count("→") == 3


@pytest.mark.parametrize(
    "events",
    [
        (),
        measured(FIRST),
        measured(AGAIN),
        (*measured(FIRST), cell_started(AGAIN)),
        (*measured(FIRST), cell_started(AGAIN), cell_failed(AGAIN)),
        (*measured(FIRST), cell_started(AGAIN), cell_skipped(AGAIN)),
        (cell_started(FIRST), cell_skipped(FIRST), *measured(AGAIN)),
        (*measured(FIRST), *measured(AGAIN, verdict=Verdict.INVALID)),
        (*measured(FIRST, verdict=Verdict.INVALID), *measured(AGAIN)),
        (*measured(FIRST), *measured(AGAIN, requests=())),
        (*measured(FIRST), *measured(AGAIN), answered("again", FIRST)),
        (*measured(FIRST), *measured(AGAIN), answered("again", AGAIN)),
    ],
)
def test_drift_needs_results_of_both_measurements(events: list[Event]) -> None:
    assert drift(*events) is None


def test_a_run_without_a_recheck_has_no_drift() -> None:
    assert drift_of(state_after(run_started(), *measured(FIRST))) is None


def test_a_first_cell_measured_after_its_recheck_is_not_compared_with_it() -> None:
    """Otherwise the later results would be reported as the earlier ones."""
    before = (*measured(FIRST), *measured(SECOND), *measured(AGAIN))
    repeated = (answered("again", FIRST), *measured(FIRST, completed=200))

    assert drift(*before, *repeated) is None
    assert drift(*before, *repeated, answered("again", AGAIN), *measured(AGAIN)) is not None


def test_a_resumed_run_is_compared_with_its_first_cell() -> None:
    stopped = RunFinished(result=Result.STOPPED, reason="asked for")
    resumed = RunResumed(pid=1, retry=(), hardware={}, versions={})

    found = drift(*measured(FIRST), stopped, resumed, *measured(SECOND), *measured(AGAIN))

    assert found is not None
    assert found.cell == FIRST


def test_the_verdict_uses_the_figures_of_the_unfinished_recheck() -> None:
    state = state_after(BEGUN, *measured(FIRST), cell_started(AGAIN))
    slow, same = cell_finished(AGAIN, completed=300), cell_finished(AGAIN, completed=400)

    assert drift_to(state, slow) == 0.25
    assert drift_to(state, same) == 0.0
    assert drift_to(state, cell_finished(AGAIN, completed=0)) is None
    assert drift_to(state_after(BEGUN, cell_started(AGAIN)), slow) is None
    assert drift_to(state_after(run_started(), *measured(FIRST)), slow) is None


def test_a_cell_without_a_successful_request_has_no_figures() -> None:
    assert figures_of(cell_finished(requests=(), completed=0)) is None
    assert figures_of(cell_finished(completed=0)) is None
