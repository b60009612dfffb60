"""How throughput grows with the number of models, and from which load on it does not grow.

Throughput of a configuration is the highest of all its loads. It is only known to be the maximum if
the configuration is *saturated*: some larger load did not raise it. Otherwise the load was too
small, and the throughput is a lower bound.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from loadbench.engine.report.recommendation.capacity import Configuration
from loadbench.engine.report.recommendation.knee import knee
from loadbench.engine.report.recommendation.loads import LoadOutcome

MIN_GAIN_SHARE = 0.5
"""Share of the first model's throughput that a further model must add to be worthwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Throughput of one number of models, compared with fewer models."""

    models: int
    rps: float
    """Highest throughput of all loads."""
    load: LoadOutcome
    """The load at which it was reached."""
    knee: LoadOutcome | None
    """The load from which on throughput does not grow. None if it was still growing."""
    speedup: float | None
    """Throughput divided by that of the smallest number of models. This field and the next four
    are None if one of the two throughputs is only a lower bound."""
    efficiency: float | None
    """Speed-up divided by the ratio of the numbers of models."""
    speedup_range: tuple[float, float] | None
    """Lowest and highest speed-up over all pairs of repeats. None without repeats."""
    added_share: float | None
    """Relative gain over the next smaller number of models. None for the smallest."""
    added_rps_per_model: float | None
    """Gain over the next smaller number of models, per added model. None for the smallest."""
    repeats: int
    """Number of repeats behind the throughput."""

    @property
    def is_saturated(self) -> bool:
        """Whether the throughput is a maximum rather than a lower bound."""
        return self.knee is not None


@dataclass(frozen=True, slots=True)
class Scaling:
    """The steps by ascending number of models."""

    steps: tuple[Step, ...]

    @property
    def stop_at(self) -> int | None:
        """The last number of models whose added models are worthwhile.

        They are if each adds at least half of the throughput that a model of the first step
        contributes. None if the largest measured number is worthwhile, if a larger one was not
        saturated, or if there is only one number.
        """
        if not self.steps or not self.steps[0].is_saturated:
            return None
        first = self.steps[0]
        needed = MIN_GAIN_SHARE * first.rps / first.models
        worthwhile = [step for step in self.steps if (step.added_rps_per_model or 0.0) >= needed]
        stop = worthwhile[-1] if worthwhile else first
        beyond = [step for step in self.steps if step.models > stop.models]
        if not beyond or not all(step.is_saturated for step in beyond):
            return None
        return stop.models

    def step(self, models: int) -> Step | None:
        """Return the step of a number of models, or None if it has no throughput."""
        return next((step for step in self.steps if step.models == models), None)


def scaling(found: Sequence[Configuration]) -> Scaling:
    """Return how throughput grows over the configurations.

    Args:
        found: The configurations, by ascending number of models.
    """
    peaks = [
        (configuration, peak, peak.rps)
        for configuration in found
        if (peak := configuration.peak) and peak.rps
    ]
    steps: list[Step] = []
    for configuration, peak, rps in peaks:
        knee_load, models = knee(configuration.loads), configuration.models
        first = steps[0] if steps else None
        before = steps[-1] if steps else None
        is_first_known = knee_load and (first is None or first.is_saturated)
        is_gain_known = knee_load and before and before.is_saturated
        speedup = (rps / first.rps if first else 1.0) if is_first_known else None
        fewest = first.models if first else models
        added = rps - before.rps if before and is_gain_known else None
        steps.append(
            Step(
                models=models,
                rps=rps,
                load=peak,
                knee=knee_load,
                speedup=speedup,
                efficiency=None if speedup is None else speedup * fewest / models,
                speedup_range=_range(peak, first.load) if first and is_first_known else None,
                added_share=added / before.rps if before and added is not None else None,
                added_rps_per_model=(
                    added / (models - before.models) if before and added is not None else None
                ),
                repeats=len(peak.slowest.rates) if peak.slowest else 0,
            )
        )
    return Scaling(tuple(steps))


def _range(load: LoadOutcome, first: LoadOutcome) -> tuple[float, float] | None:
    """Return the lowest and highest ratio of two throughputs over all pairs of their repeats."""
    rates = load.slowest.rates if load.slowest else ()
    others = first.slowest.rates if first.slowest else ()
    if min(len(rates), len(others)) < 2 or not min(others):
        return None
    return min(rates) / max(others), max(rates) / min(others)
