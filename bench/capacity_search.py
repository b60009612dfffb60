"""Check that the search for the capacity finds the edges of simulated services with few cells.

    .venv/bin/python -m bench.capacity_search [--seed 26] [--searches 100]

Each search runs the real strategy over 16 loads and 8 numbers of models, and its answer is the
capacity of the real recommendation. Each measurement of p95 has a lognormal error of 6 %. A service
has one of three curves of p95 over the load:

- saturating: users wait for a server with a fixed peak of throughput, so that latency is nearly
  proportional to users (asymptotic bounds of a closed system, P. J. Denning and J. P. Buzen, The
  Operational Analysis of Queueing Network Models, ACM Computing Surveys 10, 1978);
- queue: 1 / (1 − utilisation), as of an M/M/1 queue (L. Kleinrock, Queueing Systems, 1975);
- cliff: constant up to the capacity, five times as long beyond it.

The capacity of one model is log-uniform from 0.7 of the smallest load to a quarter of the largest.
M models have M**e times that capacity, with e uniform from 0.8 to 1 for each search. An answer is
exact if it is the largest load that meets the goal without any error of measurement. Plain
bisection answers the same searches from one measurement of each load, with the same errors.

The constants of the strategy were selected with seed 1. Planted: the strategy without confirmations
must miss the limits.
"""

import argparse
import math
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from unittest.mock import patch

from loadbench.engine.journal.state import RunState
from loadbench.engine.profile.levels import Closed
from loadbench.engine.profile.plan import Cell
from loadbench.engine.report.recommendation.capacity import configurations
from loadbench.engine.search.knowledge import Knowledge
from tests.support.searches import GOAL_MS, search_profile, search_started, searched, with_p95

SEED, SEARCHES = 26, 100
MODELS = tuple(range(1, 9))
SPREAD = 0.06

MIN_WITHIN_ONE = 0.99
MIN_EXACT = 0.92
"""Smallest share of exact answers with levels ×1.4."""
MAX_CELLS = 42.0
"""Largest mean number of cells of a search."""

LEVELS: Mapping[str, tuple[int, ...]] = {
    "×1.4": tuple(round(10 * 1.4**number) for number in range(16)),
    "×1.2": tuple(round(10 * 1.2**number) for number in range(16)),
    "linear": tuple(range(10, 161, 10)),
}
EXACT_LEVELS = "×1.4"

_LOW = 0.125
"""Latency of a service without load, as a share of the goal."""


def saturating(share: float) -> float:
    """Return p95 as a share of the goal.

    Args:
        share: The load as a share of the capacity.
    """
    # A smooth maximum of both bounds, scaled so that the goal is met exactly at the capacity.
    return math.pow((_LOW**6 + share**6) / (_LOW**6 + 1), 1 / 6)


def queue(share: float) -> float:
    """Return p95 as a share of the goal, as `saturating` does."""
    utilisation = min(0.99, (1 - _LOW) * share)
    return _LOW / (1 - utilisation)


def cliff(share: float) -> float:
    """Return p95 as a share of the goal, as `saturating` does."""
    return 0.5 if share <= 1 else 2.5


Curve = Callable[[float], float]
"""Returns p95 as a share of the goal, for a load as a share of the capacity."""
CURVES: tuple[Curve, ...] = (saturating, queue, cliff)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedService:
    """A service of known capacity, whose measurements are random but reproducible."""

    curve: Curve
    capacity: float
    """Users that one model carries."""
    exponent: float
    spread: float
    seed: str

    def share(self, models: int, users: float) -> float:
        """Return a load as a share of the capacity."""
        return users / (self.capacity * math.pow(models, self.exponent))

    def p95_ms(self, cell: Cell) -> float:
        """Return a measurement of p95."""
        chance = random.Random(f"{self.seed} {cell.key}")
        exact = GOAL_MS * self.curve(self.share(cell.models, cell.level.amount))
        return exact * math.exp(chance.gauss(0.0, self.spread))

    def rps(self, cell: Cell) -> float:
        """Return the throughput of a cell, which peaks at the capacity."""
        share = self.share(cell.models, cell.level.amount)
        return 10 * min(1.0, share) * math.pow(cell.models, self.exponent)

    def edge(self, models: int, users: Sequence[int]) -> int:
        """Return the number of loads that meet the goal without errors of measurement."""
        return sum(self.curve(self.share(models, each)) <= 1 for each in users)


@dataclass(slots=True, kw_only=True)
class SearchTally:
    """Counts of the answers of several searches, one answer for each number of models."""

    errors: Counter[int]
    """Number of answers by their distance from the truth in levels."""
    cells: list[int]
    """Number of cells of each search."""

    @property
    def answers(self) -> int:
        """Number of answers."""
        return self.errors.total()

    @property
    def wrong(self) -> int:
        """Number of answers that are not exact."""
        return self.answers - self.errors[0]

    @property
    def exact(self) -> float:
        """Share of exact answers."""
        return self.errors[0] / self.answers

    @property
    def within_one(self) -> float:
        """Share of answers within one level of the truth."""
        return sum(self.errors[error] for error in (-1, 0, 1)) / self.answers

    @property
    def mean_cells(self) -> float:
        """Mean number of cells of a search."""
        return sum(self.cells) / len(self.cells)

    def problems(self, levels: str) -> list[str]:
        """Return the limits that are missed."""
        found = []
        if self.within_one < MIN_WITHIN_ONE:
            found.append(f"within one level: {self.within_one:.2%}")
        if levels == EXACT_LEVELS and self.exact < MIN_EXACT:
            found.append(f"exact: {self.exact:.2%}")
        if self.mean_cells > MAX_CELLS:
            found.append(f"cells: {self.mean_cells:.1f}")
        return found

    def __str__(self) -> str:
        """Return all counts."""
        counts = " ".join(f"{error:+d}:{self.errors[error]}" for error in sorted(self.errors))
        return (
            f"exact {self.exact:.2%}, within one {self.within_one:.2%}, "
            f"{self.mean_cells:.1f} cells (max {max(self.cells)}); {counts}"
        )


def services(
    curve: Curve, users: Sequence[int], count: int, seed: int, spread: float
) -> Iterator[SimulatedService]:
    """Yield services with capacities over the whole range of loads and beyond."""
    chance = random.Random(f"{seed} {curve.__name__} {users}")
    for number in range(count):
        low, high = math.log(0.7 * users[0]), math.log(users[-1] / 4)
        yield SimulatedService(
            curve=curve,
            capacity=math.exp(chance.uniform(low, high)),
            exponent=chance.uniform(0.8, 1.0),
            spread=spread,
            seed=f"{seed} {curve.__name__} {users} {number}",
        )


def by_strategy(service: SimulatedService, users: Sequence[int]) -> tuple[dict[int, int], int]:
    """Search with the real strategy.

    Returns:
        For each number of models, the number of loads up to the capacity that the recommendation
        names, and the number of cells.
    """
    profile = search_profile(models=list(MODELS), users=list(users))
    state, probes, stop = searched(
        search_started(profile),
        lambda cell: with_p95(cell, service.p95_ms(cell), service.rps(cell)),
    )
    found = _capacities(state)
    assert all(found.get(one.models, 0.0) == (one.passed or 0.0) for one in stop.brackets)
    return {
        models: sum(each <= found.get(models, 0.0) for each in users) for models in MODELS
    }, len(probes)


def by_bisection(service: SimulatedService, users: Sequence[int]) -> tuple[dict[int, int], int]:
    """Search by bisection with one cell for each load, as `by_strategy` does."""
    profile = search_profile(models=list(MODELS), users=list(users))
    found, cells = {}, 0
    for models in MODELS:
        low, high = -1, len(users)
        while high - low > 1:
            middle, cells = (low + high) // 2, cells + 1
            cell = _cell(models, users[middle], profile.spawn_rates[0])
            is_met = service.p95_ms(cell) <= GOAL_MS
            low, high = (middle, high) if is_met else (low, middle)
        found[models] = low + 1
    return found, cells


def tally(
    search: Callable[[SimulatedService, Sequence[int]], tuple[dict[int, int], int]],
    found: Sequence[SimulatedService],
    users: Sequence[int],
) -> SearchTally:
    """Search the capacity of all services, and count the answers."""
    result = SearchTally(errors=Counter(), cells=[])
    for service in found:
        answers, cells = search(service, users)
        result.cells.append(cells)
        result.errors.update(answers[models] - service.edge(models, users) for models in MODELS)
    return result


def main() -> None:
    """Run all searches, and exit with 1 if a limit is missed or the planted case is not found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--searches", type=int, default=SEARCHES, help="for each combination")
    options = parser.parse_args()
    print(
        f"seed {options.seed}, {options.searches} searches for each of "
        f"{len(CURVES) * len(LEVELS)} combinations, {len(MODELS)} answers each"
    )
    is_good, wrong = True, Counter[str]()
    for curve in CURVES:
        for levels, users in LEVELS.items():
            name = f"{curve.__name__} {levels}"
            find = partial(services, curve, users, options.searches, options.seed)
            found = list(find(SPREAD))
            ours, plain = tally(by_strategy, found, users), tally(by_bisection, found, users)
            wrong.update(strategy=ours.wrong, plain=plain.wrong)
            problems = ours.problems(levels)
            if ours.wrong > plain.wrong:
                problems.append(f"plain bisection has fewer wrong answers: {plain.wrong}")
            is_good = is_good and not problems
            print(f"{name}: {_edges(found, users)}")
            print(f"  strategy: {ours}: {'; '.join(problems) or 'passed'}")
            print(f"  plain bisection: {plain}", flush=True)
    is_fewer = wrong["strategy"] < wrong["plain"]
    print(f"wrong answers: {wrong['strategy']}, plain bisection {wrong['plain']}")
    refused = planted_problems(options.seed, options.searches)
    print(f"planted, without confirmations: {'; '.join(refused) or 'accepted'}")
    sys.exit(not (is_good and is_fewer and refused))


def planted_problems(seed: int, searches: int) -> list[str]:
    """Return the limits that the strategy misses if it does not confirm edges."""
    users = LEVELS[EXACT_LEVELS]
    found = list(services(saturating, users, searches, seed, SPREAD))
    with patch.object(Knowledge, "confirmation", lambda *_: None):
        return tally(by_strategy, found, users).problems(EXACT_LEVELS)


def _edges(found: Sequence[SimulatedService], users: Sequence[int]) -> str:
    edges = Counter(service.edge(models, users) for service in found for models in MODELS)
    inside = edges.total() - edges[0] - edges[len(users)]
    return f"edges: {edges[0]} below all loads, {inside} between, {edges[len(users)]} above"


def _capacities(state: RunState) -> dict[int, float]:
    """Return the capacities that the recommendation reports, by number of models."""
    profile = state.profile
    assert profile is not None
    found = configurations(tuple(state.cells.values()), profile.goals, profile.load.main)
    return {one.models: one.capacity.amount for one in found if one.capacity}


def _cell(models: int, users: int, spawn_rate: float) -> Cell:
    return Cell(models=models, level=Closed(users=users, spawn_rate=spawn_rate))


if __name__ == "__main__":
    main()
