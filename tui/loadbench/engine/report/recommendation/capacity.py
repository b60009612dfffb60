"""The capacity of each configuration: the largest load that meets all goals.

Measured loads are a grid, so a capacity is a pair: the largest load that passed, and the smallest
that failed. Nothing is interpolated between the two.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from loadbench.engine.journal.state import CellState
from loadbench.engine.profile.model import Goals
from loadbench.engine.report.recommendation.goals import Outcome
from loadbench.engine.report.recommendation.loads import LoadOutcome, load_outcomes


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """A number of models, and its outcome at each load by ascending load."""

    models: int
    loads: tuple[LoadOutcome, ...]

    @property
    def first_failed(self) -> LoadOutcome | None:
        """The smallest load that missed a goal or made a replica exit. None if none did."""
        return next((load for load in self.loads if load.outcome is Outcome.MISSED), None)

    @property
    def capacity(self) -> LoadOutcome | None:
        """The largest load that passed below the first that failed. None if none passed."""
        failed = self.first_failed
        passed = [
            load
            for load in self.loads
            if load.outcome is Outcome.PASSED and (failed is None or load.amount < failed.amount)
        ]
        return passed[-1] if passed else None

    @property
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

    @property
    def peak(self) -> LoadOutcome | None:
        """The load with the highest throughput. None if no load has a throughput."""
        known = [load for load in self.loads if load.rps is not None]
        return max(known, key=lambda load: load.rps or 0.0, default=None)

    def next_load(self, load: LoadOutcome) -> LoadOutcome | None:
        """Return the next larger load, or None if there is none."""
        return next((other for other in self.loads if other.amount > load.amount), None)


def configurations(cells: Sequence[CellState], goals: Goals) -> tuple[Configuration, ...]:
    """Return the configurations with usable results, by ascending number of models.

    Args:
        cells: All cells of a run.
        goals: The goals of its profile.
    """
    numbers = sorted({cell.cell.models for cell in cells})
    found = (
        Configuration(
            models=models,
            loads=load_outcomes([cell for cell in cells if cell.cell.models == models], goals),
        )
        for models in numbers
    )
    return tuple(configuration for configuration in found if configuration.loads)


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
