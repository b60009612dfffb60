"""The spread of repeats, and margins in spreads."""

import math
from collections.abc import Sequence
from statistics import stdev

import pytest

from loadbench.engine.journal.state import CellState, CellStatus
from loadbench.engine.profile.sections.goals import Goals
from loadbench.engine.report.recommendation.loads import LevelOutcome, load_outcomes
from loadbench.engine.search.spread import MIN_DEGREES, margin, spreads_of
from tests.support.builders import cell_failed, make_cell
from tests.support.searches import GOAL_MS, with_p95

KEY = "p95_ms"


def level(*values_ms: float, failure_ratio: float | None = None) -> LevelOutcome:
    """Return the outcome of repeats with a p95 each."""
    cells = [make_cell(users=10, repeat=number) for number in range(1, len(values_ms) + 1)]
    states = [
        CellState(cell=cell, status=CellStatus.FINISHED, finished=with_p95(cell, value))
        for cell, value in zip(cells, values_ms, strict=True)
    ]
    goals = Goals(p95_ms=GOAL_MS, failure_ratio=failure_ratio)
    return load_outcomes(states, goals)[0].levels[0]


def pooled(groups: Sequence[Sequence[float]]) -> float:
    """Return the pooled standard deviation of logarithms by its definition."""
    squares = sum((len(one) - 1) * stdev(map(math.log, one)) ** 2 for one in groups)
    return math.sqrt(squares / sum(len(one) - 1 for one in groups))


def test_variance_is_pooled_over_levels() -> None:
    groups = [[50.0, 53.0, 47.0], [90.0, 84.0, 99.0], [200.0, 180.0, 210.0]]

    found = spreads_of(level(*values) for values in groups)

    assert found == {KEY: pytest.approx(pooled(groups), rel=1e-9)}


def test_spread_needs_enough_degrees_of_freedom() -> None:
    pairs = [level(50.0, 52.0)] * MIN_DEGREES

    assert KEY in spreads_of(pairs)
    assert spreads_of([*pairs[1:], level(50.0)]) == {}


def test_margin_is_the_distance_to_the_nearest_limit_in_spreads() -> None:
    spreads = {KEY: 0.1}

    assert margin(level(50.0), spreads) == pytest.approx(math.log(2) / 0.1)
    assert margin(level(200.0), spreads) == pytest.approx(math.log(2) / 0.1)


def test_goal_without_failures_does_not_limit_the_margin() -> None:
    spreads = {KEY: 0.1, "failure_ratio": 0.5}

    assert margin(level(50.0, failure_ratio=0.01), spreads) == pytest.approx(math.log(2) / 0.1)


def test_margin_is_zero_without_a_spread() -> None:
    assert margin(level(50.0), {}) == 0
    assert margin(level(50.0, failure_ratio=0.01), {KEY: 0.1}) == 0


def test_exit_of_a_replica_has_no_margin() -> None:
    cell = make_cell(users=10)
    failed = CellState(cell=cell, status=CellStatus.FAILED, failed=cell_failed(cell.key))
    outcome = load_outcomes([failed], Goals(p95_ms=GOAL_MS))[0].levels[0]

    assert margin(outcome, {KEY: 0.1}) == 0
