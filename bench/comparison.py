"""Check the error rates of comparisons with simulated pairs of runs.

    .venv/bin/python -m bench.comparison [--seed 26] [--pairs 2000]

Each pair has three repeats of every cell in both runs, lognormal with a spread of 4 %, and five
metrics that are independent of each other. They go through the code of `compare`. Limits:

- Nothing changed: any cell of a metric is called different in at most 6 % of the pairs. The nominal
  rate is 5 %; a rate of 2,000 pairs has a standard error of 0.5 %.
- Nothing changed: a gate at 5 % finds a regression of any of the five metrics, of a cell or of the
  mean, in at most 2 %.
- All cells changed by 15 %: the geometric mean shows it in at least 99 %.
- One of 8 cells changed by 15 %: shown in at least 90 %. One of 24: in at least 80 %. The first is
  so close to its limit that 2,000 pairs could not decide, so it has 50 times as many.

Without a limit, because it only shows how far from 5 % they are: cells whose spread differs, and
other numbers of repeats.

Planted: with each cell's own variance, one changed cell must be missed too often. Without the
correction for several cells, the false alarms must exceed their limit, and so must those of a gate
that judges by the estimate alone.
"""

import argparse
import math
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from unittest.mock import patch

from loadbench.engine.comparison import statistics
from loadbench.engine.comparison.gating import gate
from loadbench.engine.comparison.gating.gate import GateOutcome, outcome_of
from loadbench.engine.comparison.model import (
    CONFIDENCE,
    DEFAULT_MATERIAL,
    METRICS,
    ComparedMetric,
    Estimate,
)
from loadbench.engine.comparison.statistics import ComparedValues, compare_values
from loadbench.engine.comparison.variances import (
    RepeatedValues,
    Variances,
    estimated_variances,
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
PAIRS_FACTOR = {8: 50, 24: 1}
"""How many times as many pairs decide about one changed cell."""


def _growing(cells: int, first: float, last: float) -> list[float]:
    """Return spreads that grow evenly with the load: 8 loads, for several numbers of models."""
    loads = min(cells, 8)
    return [first + (last - first) * (i % loads) / (loads - 1) for i in range(cells)]


@dataclass(frozen=True, slots=True)
class UnequalCase:
    """A pair in which nothing changed, with other spreads or repeats."""

    text: str
    spreads: Sequence[float]
    """Spread of each cell."""
    repeats: Sequence[tuple[int, int]] = ((REPEATS, REPEATS),)
    """Numbers of repeats in both runs of each cell. The last one is that of all further cells."""
    after: float = 1.0
    """Spread of the candidate as a multiple of that of the baseline."""


_HALF = (*((3, 3),) * 4, (1, 1))
UNEQUAL = (
    UnequalCase("8 cells, spread 2 to 8 %", _growing(8, 0.02, 0.08)),
    UnequalCase("24 cells, spread 2 to 8 %", _growing(24, 0.02, 0.08)),
    UnequalCase("8 cells, spread 3 to 12 %", _growing(8, 0.03, 0.12)),
    UnequalCase("8 cells, 6 with 4 % and 2 with 12 %", [0.04] * 6 + [0.12] * 2),
    UnequalCase("8 cells, 7 with 4 % and 1 with 20 %", [0.04] * 7 + [0.2]),
    UnequalCase("24 cells, 19 with 3 % and 5 with 12 %", [0.03] * 19 + [0.12] * 5),
    UnequalCase("24 cells, 2 repeats against 1", [SPREAD] * 24, ((2, 1),)),
    UnequalCase("8 cells, 2 repeats each", [SPREAD] * 8, ((2, 2),)),
    UnequalCase("8 cells, 4 with one repeat", [SPREAD] * 8, _HALF),
    UnequalCase("8 cells, spread 1 % before and 8 % after", [0.01] * 8, after=8.0),
    UnequalCase(
        "8 cells, spread 1 % before and 8 % after, 1 repeat after",
        [0.01] * 8,
        ((3, 1),),
        after=8.0,
    ),
    UnequalCase("8 cells, half with repeats and 30 %, 0.5 %", [0.3, 0.005] * 4, _HALF),
    UnequalCase(
        "8 cells, 6 with 2 % and 2 with 12 %, one of these without repeats",
        [0.02] * 6 + [0.12] * 2,
        (*((3, 3),) * 7, (1, 1)),
    ),
    UnequalCase(
        "8 cells, 1 with 2 % and repeats, 7 with 8 %", [0.02, *[0.08] * 7], ((3, 3), (1, 1))
    ),
)


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
    for case in UNEQUAL:
        print(unequal_rates(case, options.seed, options.pairs), flush=True)
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
    few, many = MIN_CELL
    with patch.object(statistics, "estimated_variances", own_variances):
        yield one_changed(seed, few, pairs)
    with patch.object(statistics, "corrected_levels", uncorrected_levels):
        for cells in MIN_CELL:
            yield next(_unchanged(random.Random(f"{seed} unchanged"), cells, pairs))
    with patch.object(sys.modules[__name__], "outcome_of", by_estimate):
        *_, of_gate = _unchanged(random.Random(f"{seed} unchanged"), many, pairs)
        yield of_gate


def unequal_rates(case: UnequalCase, seed: int, pairs: int) -> str:
    """Return how often something is shown although nothing changed, in words."""
    source = random.Random(f"{seed} {case.text}")
    of_cells, of_mean, of_gate = 0, 0, 0
    for _ in range(pairs):
        values = []
        for i, spread in enumerate(case.spreads):
            numbers = case.repeats[min(i, len(case.repeats) - 1)]
            spreads = (spread, spread * case.after)
            sides = zip(numbers, spreads, strict=True)
            values.append(RepeatedValues(*(_repeats(source, 1.0, *side) for side in sides)))
        found = compare_values(values, material=DEFAULT_MATERIAL)
        of_cells += any(map(is_shown, found.cells))
        of_mean += is_shown(found.mean)
        of_gate += is_red(METRICS[0], found)
    rates = (f"{100 * count / pairs:.1f} %" for count in (of_cells, of_mean, of_gate))
    text = "any cell called different {}, mean {}, gate at 5 % red {}".format(*rates)
    return f"unchanged, one metric, {case.text}: {text} (of {pairs})"


def one_changed(seed: int, cells: int, pairs: int) -> SimulatedRate:
    """Return how often the only cell that has changed is shown."""
    source = random.Random(f"{seed} one {cells}")
    found = _comparisons(source, cells, pairs, lambda i: 1.0 if i else CHANGE)
    count = sum(is_shown(one.cells[0]) for one in found)
    text = f"one of {cells} cells changed"
    return SimulatedRate(text, count, pairs, MIN_CELL[cells], is_maximum=False)


def is_shown(estimate: Estimate) -> bool:
    """Return whether the interval excludes 1."""
    return not (estimate.low is None or estimate.high is None or estimate.low <= 1 <= estimate.high)


def is_red(metric: ComparedMetric, found: ComparedValues) -> bool:
    """Return whether a gate at the default threshold finds a regression."""
    outcomes = (outcome_of(metric, one, DEFAULT_MATERIAL) for one in (*found.cells, found.mean))
    return GateOutcome.REGRESSION in outcomes


def own_variances(cells: Sequence[RepeatedValues]) -> Variances:
    """Return each cell's own variance, instead of a shared one. A planted error."""
    found = estimated_variances(cells)
    own = tuple(estimated_variances([cell]).pooled for cell in cells)
    return Variances(found.pooled, own, found.of_mean)


def by_estimate(metric: ComparedMetric, estimate: Estimate, limit: float) -> GateOutcome:
    """Return the outcome by the estimate alone. A planted error."""
    is_worse = gate.is_beyond(limit, metric, estimate.ratio)
    return GateOutcome.REGRESSION if is_worse else GateOutcome.PASSED


def uncorrected_levels(p_values: Sequence[float]) -> list[float]:
    """Return the level without a correction for several cells. A planted error."""
    return [CONFIDENCE] * len(p_values)


def _unchanged(source: random.Random, cells: int, pairs: int) -> Iterator[SimulatedRate]:
    """Yield the false alarms per metric and over all metrics, and those of a gate."""
    of_metric, of_any, of_gate = 0, 0, 0
    for _ in range(pairs):
        metrics = [(metric, compared_pair(source, cells, metric=metric)) for metric in METRICS]
        alarms = [any(map(is_shown, one.cells)) for _, one in metrics]
        of_metric += sum(alarms)
        of_any += any(alarms)
        of_gate += any(is_red(metric, one) for metric, one in metrics)
    number = len(METRICS)
    text = f"{cells} cells unchanged, any called different"
    yield SimulatedRate(
        f"{text}, per metric", of_metric, number * pairs, MAX_FALSE, is_maximum=True
    )
    # The limit follows from that of one metric. The metrics of a real run depend on each other.
    independent = 1 - (1 - MAX_FALSE) ** number
    yield SimulatedRate(f"{text}, {number} metrics", of_any, pairs, independent, is_maximum=True)
    text = f"{cells} cells unchanged, gate at {100 * DEFAULT_MATERIAL:g} %"
    yield SimulatedRate(f"{text}, {number} metrics", of_gate, pairs, MAX_GATE, is_maximum=True)


def _comparisons(
    source: random.Random, cells: int, pairs: int, factor: Factor
) -> Iterator[ComparedValues]:
    return (compared_pair(source, cells, factor) for _ in range(pairs))


def compared_pair(
    source: random.Random,
    cells: int,
    factor: Factor = lambda _: 1.0,
    metric: ComparedMetric = METRICS[0],
) -> ComparedValues:
    """Return the comparison of one metric of a simulated pair.

    Args:
        source: Source of random numbers.
        cells: Number of cells.
        factor: The change of each cell.
        metric: The metric.
    """
    values = [
        RepeatedValues(_repeats(source, 1.0), _repeats(source, factor(i))) for i in range(cells)
    ]
    return compare_values(values, material=DEFAULT_MATERIAL, is_more_better=metric.is_more_better)


def _repeats(
    source: random.Random, factor: float, number: int = REPEATS, spread: float = SPREAD
) -> list[float]:
    return [100 * factor * math.exp(source.gauss(0, spread)) for _ in range(number)]


if __name__ == "__main__":
    main()
