"""The capacity of each configuration: the largest load that meets all goals.

Measured loads are a grid, so a capacity is a pair: the largest load that passed, and the smallest
that failed. Nothing is interpolated between the two.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from loadbench.engine.journal.state import CellState
from loadbench.engine.profile.sections.goals import Goals
from loadbench.engine.report.recommendation.goal import MIN_RPS
from loadbench.engine.report.recommendation.goals import Outcome
from loadbench.engine.report.recommendation.knee import knee
from loadbench.engine.report.recommendation.loads import (
    LoadOutcome,
    load_outcomes,
    missing_phrases,
)


@dataclass(frozen=True, kw_only=True)  # no slots: cached properties need a __dict__
class Configuration:
    """A number of models, and its outcome at each load by ascending load."""

    models: int
    loads: tuple[LoadOutcome, ...]
    """The loads with usable results."""
    missing: Mapping[float, str] = field(default_factory=dict)
    """The planned loads without usable results: the phrase by amount, ascending."""

    @cached_property
    def too_small(self) -> tuple[LoadOutcome, ...]:
        """The loads that miss only `min_rps`, although more load would help.

        That is the case if a larger load reaches it, or if throughput was still rising. They do not
        limit the capacity: one user cannot cause 100 requests a second.
        """
        enough = max((load.amount for load in self.loads if _reaches_throughput(load)), default=0.0)
        is_rising = knee(self.loads) is None
        return tuple(
            load
            for load in self.loads
            if misses_only_throughput(load) and (load.amount < enough or is_rising)
        )

    @cached_property
    def first_failed(self) -> LoadOutcome | None:
        """The smallest load that missed a goal or made a replica exit. None if none did."""
        failed = (load for load in self.loads if load.outcome is Outcome.MISSED)
        return next((load for load in failed if load not in self.too_small), None)

    @cached_property
    def capacity(self) -> LoadOutcome | None:
        """The largest load that passed below the first that failed. None if none passed."""
        failed = self.first_failed
        passed = [
            load
            for load in self.loads
            if load.outcome is Outcome.PASSED and (failed is None or load.amount < failed.amount)
        ]
        return passed[-1] if passed else None

    @cached_property
    def undecided(self) -> tuple[LoadOutcome, ...]:
        """The loads with too few samples to decide."""
        return tuple(load for load in self.loads if load.outcome is Outcome.UNDECIDED)

    @property
    def passed_above(self) -> tuple[LoadOutcome, ...]:
        """The loads that passed although a smaller one failed. They do not count."""
        failed = self.first_failed
        return tuple(
            load
            for load in self.loads
            if failed and load.outcome is Outcome.PASSED and load.amount > failed.amount
        )

    @cached_property
    def peak(self) -> LoadOutcome | None:
        """The load with the highest throughput. None if no load has a throughput."""
        known = [load for load in self.loads if load.rps is not None]
        return max(known, key=lambda load: load.rps or 0.0, default=None)

    @property
    def is_lower_bound(self) -> bool:
        """Whether no load is known to fail, so that the capacity may be larger."""
        return self.first_failed is None

    @property
    def undecided_above(self) -> tuple[LoadOutcome, ...]:
        """The undecided loads above the capacity."""
        limit = self.capacity.amount if self.capacity else 0.0
        return tuple(load for load in self.undecided if load.amount > limit)

    def may_carry(self, load: LoadOutcome) -> bool:
        """Return whether a load was not measured here, although nothing rules it out."""
        is_measured = any(other.amount == load.amount for other in self.loads)
        failed = self.first_failed
        return not is_measured and (failed is None or failed.amount > load.amount)

    def missing_above(self, load: LoadOutcome) -> tuple[str, ...]:
        """Return the planned loads without usable results between a load and the first failure."""
        end = self.first_failed.amount if self.first_failed else float("inf")
        return tuple(
            phrase for amount, phrase in self.missing.items() if load.amount < amount < end
        )

    def next_load(self, load: LoadOutcome) -> LoadOutcome | None:
        """Return the next larger load, or None if there is none."""
        return next((other for other in self.loads if other.amount > load.amount), None)


def configurations(
    cells: Sequence[CellState], goals: Goals, main: str | None = None
) -> tuple[Configuration, ...]:
    """Return the configurations with usable results, by ascending number of models.

    Args:
        cells: All cells of a run.
        goals: The goals of its profile.
        main: Name of its main requests. None: all requests.
    """
    numbers = sorted({cell.cell.models for cell in cells})
    found = []
    for models in numbers:
        of_models = [cell for cell in cells if cell.cell.models == models]
        if loads := load_outcomes(of_models, goals, main):
            missing = missing_phrases(of_models, loads)
            found.append(Configuration(models=models, loads=loads, missing=missing))
    return tuple(found)


def cheapest(found: Sequence[Configuration]) -> tuple[tuple[LoadOutcome, int], ...]:
    """Return each load that some configuration carries, with the smallest number of models.

    Args:
        found: The configurations, by ascending number of models.
    """
    smallest: dict[float, tuple[LoadOutcome, int]] = {}
    for configuration in found:
        limit = configuration.capacity
        for load in configuration.loads:
            if limit and load.outcome is Outcome.PASSED and load.amount <= limit.amount:
                smallest.setdefault(load.amount, (load, configuration.models))
    return tuple(pair for _, pair in sorted(smallest.items()))


def misses_only_throughput(load: LoadOutcome) -> bool:
    """Return whether a load meets all goals but `min_rps`."""
    missed = {
        check.goal.criterion
        for level in load.levels
        for check in level.checks
        if check.outcome is Outcome.MISSED
    }
    return load.outcome is Outcome.MISSED and missed == {MIN_RPS} and load.failure is None


def _reaches_throughput(load: LoadOutcome) -> bool:
    checks = [
        check for level in load.levels for check in level.checks if check.goal.criterion == MIN_RPS
    ]
    return bool(checks) and all(check.outcome is Outcome.PASSED for check in checks)
