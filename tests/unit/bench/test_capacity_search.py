"""A reduced run of the simulation of the capacity search."""

import pytest

from bench.capacity_search import (
    CURVES,
    LEVELS,
    MODELS,
    SPREAD,
    Curve,
    SimulatedService,
    by_bisection,
    by_strategy,
    planted_problems,
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


def test_planted_strategy_without_confirmations_is_refused() -> None:
    assert planted_problems(SEED, 40)
