"""The evidence for a verdict: figures with limits."""

from dataclasses import replace
from pathlib import Path

import pytest

from loadbench.engine.journal.events import ClientUse
from loadbench.engine.measure import limits
from loadbench.engine.report.evidence.collect import RECENT_S, recent_evidence, window_evidence
from loadbench.engine.report.evidence.figures import Bound, Evidence, Figure, FigureName, Unit
from tests.support.builders import cell_finished, make_cell, requests, sample
from tests.support.golden import last_cell

BEYOND = {
    "valid": set[FigureName](),
    "no_success": {FigureName.SUCCESSES, FigureName.FAILURE_RATIO},
    "users_missing": {FigureName.FEWEST_USERS},
    "failures": {FigureName.FAILURE_RATIO},
    "aborted": {FigureName.ABORTED_REQUESTS},
    "few_samples": {FigureName.SUCCESSES},
    "client_bound": {FigureName.CLIENT_CPU},
    "client_stalled": {FigureName.EVENT_LOOP_LAG_MAX},
    "stalls": {FigureName.LONGEST_STALL},
    "throttled": {FigureName.THROTTLED},
    "containers": {FigureName.READY_WORKERS},
    "swap": {FigureName.SWAPPED},
    "clock": {FigureName.CLOCK_JUMP},
    "stolen": {FigureName.STOLEN_CPU},
    "neighbours": {FigureName.OTHER_PROCESSES_CPU},
}
"""By journal of a single fault: figures that violate their limits, at least."""


def beyond(found: Evidence) -> set[FigureName]:
    """The names of the figures that violate their limits."""
    of_containers = [
        figure for use in found.containers for figure in (use.throttled, use.restarts, use.missing)
    ]
    return {one.name for one in (*found.figures, *of_containers) if one.is_beyond_limit}


def figure(found: Evidence, name: FigureName) -> Figure:
    """The figure with this name."""
    return next(one for one in found.figures if one.name is name)


@pytest.mark.parametrize("name", BEYOND)
def test_the_figure_of_a_fault_violates_its_limit(name: str, tmp_path: Path) -> None:
    _, cell, finished = last_cell(name, tmp_path)

    found = window_evidence(cell.cell, finished)

    assert beyond(found) >= BEYOND[name]
    assert bool(beyond(found)) is bool(BEYOND[name])
    assert (found.is_measured, found.seconds) == (True, finished.measured_s)


@pytest.mark.parametrize(
    ("bound", "values"),
    [
        (Bound.AT_MOST, [False, False, True]),
        (Bound.AT_LEAST, [True, False, False]),
        (Bound.BELOW, [False, True, True]),
        (None, [False, False, False]),
    ],
)
def test_the_bound_decides_whether_a_limit_is_violated(
    bound: Bound | None, values: list[bool]
) -> None:
    one = Figure(name=FigureName.SUCCESSES, value=None, limit=2, bound=bound)

    assert [replace(one, value=value).is_beyond_limit for value in (1, 2, 3)] == values
    assert not one.is_beyond_limit


def test_figures_are_numbers_in_base_units() -> None:
    finished = cell_finished(requests=requests(((10.0, 97),), ((30.0, 3),)))

    found = window_evidence(make_cell(), finished)

    assert figure(found, FigureName.FAILURE_RATIO) == Figure(
        name=FigureName.FAILURE_RATIO,
        value=0.03,
        unit=Unit.RATIO,
        limit=limits.MAX_FAILURE_RATIO,
        bound=Bound.BELOW,
    )
    assert figure(found, FigureName.FEWEST_USERS).limit == 2


def test_a_journal_without_conditions_has_only_the_figures_of_its_requests() -> None:
    found = window_evidence(make_cell(), replace(cell_finished(), circumstances=None))

    assert not found.has_conditions
    assert [one.name for one in found.figures] == [
        FigureName.FEWEST_USERS,
        FigureName.SUCCESSES,
        FigureName.FAILURE_RATIO,
        FigureName.ABORTED_REQUESTS,
        FigureName.CLIENT_CPU,
    ]


def test_the_evidence_before_a_verdict_covers_the_last_seconds() -> None:
    samples = [
        sample(second=n, users=n, clients=(ClientUse(cpu_cores=0.9 if n else 0.0),))
        for n in range(RECENT_S + 1)
    ]

    found = recent_evidence(make_cell(), samples)

    assert found is not None
    assert (found.is_measured, found.seconds) == (False, RECENT_S)
    assert beyond(found) == {FigureName.CLIENT_CPU}
    users = figure(found, FigureName.FEWEST_USERS)
    assert (users.value, users.limit, users.bound, users.is_beyond_limit) == (1, 2, None, False)


def test_no_samples_give_no_evidence() -> None:
    assert recent_evidence(make_cell(), []) is None


def test_workers_have_their_time_per_image_and_utilisation(tmp_path: Path) -> None:
    _, cell, finished = last_cell("valid", tmp_path)
    assert finished.circumstances is not None
    assert finished.circumstances.service is not None
    use = replace(finished.circumstances.service.workers[0], images=4, infer_s=1.0, seconds=2)
    idle = replace(use, images=0, seconds=0)
    service = replace(finished.circumstances.service, workers=(use, idle))
    conditions = replace(finished.circumstances, service=service)

    found = window_evidence(cell.cell, replace(finished, circumstances=conditions))

    assert [(worker.image_ms, worker.busy) for worker in found.workers] == [
        (250.0, 0.5),
        (None, None),
    ]
