"""Check the error rates of comparisons with simulated pairs of runs.

    .venv/bin/python -m bench.comparison [--seed 26] [--pairs 2000]

Each pair has three repeats of every cell in both runs, lognormal with a spread of 4 %, and five
metrics that are independent of each other. They go through the code of `compare`. Limits:

- Nothing changed: any cell of a metric is called different in at most 6 % of the pairs. The nominal
  rate is 5 %; a rate of 2,000 pairs has a standard error of 0.5 %.
- Nothing changed: an interval of any cell or mean, of all five metrics, is beyond a limit of 5 % in
  at most 2 %. Such a pair would fail a gate.
- All cells changed by 15 %: the geometric mean shows it in at least 99 %.
- One of 8 cells changed by 15 %: shown in at least 90 %. One of 24: in at least 80 %. By the
  noncentral t distribution, the power is 90.2 % and 86.3 %. The first is so close to its limit that
  2,000 pairs could not decide, so it has ten times as many.

Planted: with each cell's own variance, one changed cell must be missed too often. Without Holm's
correction, the false alarms must exceed their limit.
"""

import argparse
import math
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from unittest.mock import patch

from loadbench.engine.comparison import statistics
from loadbench.engine.comparison.model import CONFIDENCE, DEFAULT_MATERIAL, METRICS, Estimate
from loadbench.engine.comparison.statistics import (
    ComparedValues,
    RepeatedValues,
    Variance,
    compare_values,
)

PAIRS = 2000
SEED = 26
REPEATS = 3
SPREAD = 0.04
CHANGE = 1.15
MAX_FALSE = 0.06
MAX_GATE = 0.02
MIN_MEAN = 0.99
MIN_CELL = {8: 0.9, 24: 0.8}
PAIRS_FACTOR = {8: 10, 24: 1}
"""How many times as many pairs decide about one changed cell."""

_CELL_VARIANCES = statistics.cell_variances
"""The function that a planted error replaces."""


@dataclass(frozen=True, slots=True)
class SimulatedRate:
    """How often something happened."""

    text: str
    count: int
    pairs: int
    limit: float
    is_maximum: bool

    @property
    def is_within_limit(self) -> bool:
        """Whether the rate meets its limit."""
        rate = self.count / self.pairs
        return rate <= self.limit if self.is_maximum else rate >= self.limit

    def __str__(self) -> str:
        """Return the count, the rate and the limit."""
        bound = "at most" if self.is_maximum else "at least"
        return (
            f"{self.text}: {self.count} of {self.pairs}, {100 * self.count / self.pairs:.2f} % "
            f"({bound} {100 * self.limit:g} %)"
        )


Factor = Callable[[int], float]
"""The change of a cell, by its index."""


def main() -> None:
    """Simulate all cases, and exit with 1 if a limit is missed or a planted error passes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--pairs", type=int, default=PAIRS)
    options = parser.parse_args()
    print(f"seed {options.seed}, {REPEATS} repeats, spread {100 * SPREAD:g} %")
    is_good = True
    for rate in rates(options.seed, options.pairs):
        is_good &= rate.is_within_limit
        print(f"{rate}: {'passed' if rate.is_within_limit else 'failed'}", flush=True)
    for rate in planted(options.seed, options.pairs):
        is_good &= not rate.is_within_limit
        print(f"planted, {rate}: {'accepted' if rate.is_within_limit else 'refused'}", flush=True)
    sys.exit(not is_good)


def rates(seed: int, pairs: int) -> Iterator[SimulatedRate]:
    """Yield the rates that have a limit.

    Args:
        seed: Seed of all random numbers.
        pairs: Number of pairs of runs.
    """
    for cells in MIN_CELL:
        yield from _unchanged(random.Random(f"{seed} unchanged {cells}"), cells, pairs)
        found = _comparisons(random.Random(f"{seed} all {cells}"), cells, pairs, lambda _: CHANGE)
        count = sum(is_shown(one.mean) for one in found)
        text = f"all of {cells} cells changed, mean"
        yield SimulatedRate(text, count, pairs, MIN_MEAN, is_maximum=False)
        yield one_changed(seed, cells, pairs * PAIRS_FACTOR[cells])


def planted(seed: int, pairs: int) -> Iterator[SimulatedRate]:
    """Yield rates that must miss their limits."""
    with patch.object(statistics, "cell_variances", own_variances):
        yield one_changed(seed, min(MIN_CELL), pairs)
    with patch.object(statistics, "holm_levels", uncorrected_levels):
        source = random.Random(f"{seed} unchanged")
        yield next(_unchanged(source, min(MIN_CELL), pairs))


def one_changed(seed: int, cells: int, pairs: int) -> SimulatedRate:
    """Return how often the only cell that has changed is shown."""
    source = random.Random(f"{seed} one {cells}")
    found = _comparisons(source, cells, pairs, lambda i: 1.0 if i else CHANGE)
    count = sum(is_shown(one.cells[0]) for one in found)
    text = f"one of {cells} cells changed"
    return SimulatedRate(text, count, pairs, MIN_CELL[cells], is_maximum=False)


def is_shown(estimate: Estimate) -> bool:
    """Return whether the interval excludes 1."""
    return _is_beyond(estimate, 1.0)


def own_variances(cells: Sequence[RepeatedValues]) -> tuple[Variance, list[Variance]]:
    """Return each cell's own variance, instead of the pooled one. A planted error."""
    pooled, _ = _CELL_VARIANCES(cells)
    return pooled, [_CELL_VARIANCES([cell])[0] for cell in cells]


def uncorrected_levels(p_values: Sequence[float]) -> list[float]:
    """Return the level without Holm's correction. A planted error."""
    return [CONFIDENCE] * len(p_values)


def _unchanged(source: random.Random, cells: int, pairs: int) -> Iterator[SimulatedRate]:
    """Yield the false alarms per metric and over all metrics, and those of a gate."""
    of_metric, of_any, of_gate = 0, 0, 0
    for _ in range(pairs):
        metrics = [compared_pair(source, cells) for _ in METRICS]
        alarms = [any(map(is_shown, one.cells)) for one in metrics]
        of_metric += sum(alarms)
        of_any += any(alarms)
        of_gate += any(
            _is_beyond(estimate, 1 + DEFAULT_MATERIAL)
            for one in metrics
            for estimate in (*one.cells, one.mean)
        )
    number = len(METRICS)
    text = f"{cells} cells unchanged, any called different"
    yield SimulatedRate(
        f"{text}, per metric", of_metric, number * pairs, MAX_FALSE, is_maximum=True
    )
    # Without a limit of its own: the metrics of a run depend on each other, these do not.
    independent = 1 - (1 - MAX_FALSE) ** number
    yield SimulatedRate(f"{text}, {number} metrics", of_any, pairs, independent, is_maximum=True)
    text = f"{cells} cells unchanged, gate at {100 * DEFAULT_MATERIAL:g} %"
    yield SimulatedRate(f"{text}, {number} metrics", of_gate, pairs, MAX_GATE, is_maximum=True)


def _comparisons(
    source: random.Random, cells: int, pairs: int, factor: Factor
) -> Iterator[ComparedValues]:
    return (compared_pair(source, cells, factor) for _ in range(pairs))


def compared_pair(
    source: random.Random, cells: int, factor: Factor = lambda _: 1.0
) -> ComparedValues:
    """Return the comparison of one metric of a simulated pair.

    Args:
        source: Source of random numbers.
        cells: Number of cells.
        factor: The change of each cell.
    """
    values = [
        RepeatedValues(_repeats(source, 1.0), _repeats(source, factor(i))) for i in range(cells)
    ]
    return compare_values(values, material=DEFAULT_MATERIAL)


def _repeats(source: random.Random, factor: float) -> list[float]:
    return [100 * factor * math.exp(source.gauss(0, SPREAD)) for _ in range(REPEATS)]


def _is_beyond(estimate: Estimate, limit: float) -> bool:
    """Return whether the whole interval is above a limit or below its inverse."""
    assert estimate.low is not None
    assert estimate.high is not None
    return estimate.low > limit or estimate.high < 1 / limit


if __name__ == "__main__":
    main()
