"""A reduced run of the simulation of the capacity search."""

from collections import Counter

import pytest

from bench.capacity_search import (
    CURVES,
    EXACT_LEVELS,
    LEVELS,
    MODELS,
    PLANTED_SPREAD,
    SPREAD,
    Curve,
    SearchTally,
    SimulatedService,
    by_bisection,
    by_strategy,
    saturating,
    services,
    tally,
)

SEED, SEARCHES = 7, 3


@pytest.mark.parametrize("levels", LEVELS)
@pytest.mark.parametrize("curve", CURVES)
def test_capacities_are_found_within_one_level(curve: Curve, levels: str) -> None:
    found = list(services(curve, LEVELS[levels], SEARCHES, SEED, SPREAD))

    result = tally(by_strategy, found, LEVELS[levels])

    assert result.answers == SEARCHES * len(MODELS)
    assert result.within_one == 1
    assert max(result.cells) < len(MODELS) * len(LEVELS[levels]) / 2


@pytest.mark.parametrize("levels", LEVELS)
@pytest.mark.parametrize("curve", CURVES)
def test_answers_are_exact_without_errors_of_measurement(curve: Curve, levels: str) -> None:
    found = list(services(curve, LEVELS[levels], 1, SEED, 0.0))

    for search in (by_strategy, by_bisection):
        assert tally(search, found, LEVELS[levels]).wrong == 0


def test_goal_is_met_exactly_up_to_the_capacity() -> None:
    for curve in CURVES:
        service = SimulatedService(curve=curve, capacity=20, exponent=1, spread=0, seed="")
        assert service.edge(2, [10, 39, 41, 160]) == 2
        assert curve(0.99) < curve(1.01)


def test_planted_bisection_at_a_high_spread_is_refused() -> None:
    users = LEVELS[EXACT_LEVELS]
    found = list(services(saturating, users, 10, SEED, PLANTED_SPREAD))

    assert tally(by_bisection, found, users).problems(EXACT_LEVELS)


@pytest.mark.parametrize(
    ("errors", "cells", "problems"),
    [
        ({0: 92, 1: 7, 2: 1}, 42, []),
        ({0: 91, 1: 8, 2: 1}, 42, ["exact: 91.00%"]),
        ({0: 92, -1: 6, -2: 2}, 42, ["within one level: 98.00%"]),
        ({0: 92, 1: 8}, 43, ["cells: 43.0"]),
    ],
)
def test_limits(errors: dict[int, int], cells: int, problems: list[str]) -> None:
    result = SearchTally(errors=Counter(errors), cells=[cells])

    assert result.problems(EXACT_LEVELS) == problems
