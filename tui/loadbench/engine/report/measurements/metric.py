"""Percentiles of measurements as metrics, which the sweep and the charts can show."""

from collections.abc import Iterable
from dataclasses import dataclass

from loadbench.engine.bounds.texts import shortened_in_middle
from loadbench.engine.journal.events import Measurement
from loadbench.engine.journal.request_names import is_named
from loadbench.engine.journal.state import RunState
from loadbench.engine.profile.sections.goals import Goals
from loadbench.engine.report.measurements.statistics import (
    MAX_NAME_CHARACTERS,
    PERCENTILES,
    MeasurementPercentile,
    MeasurementStatistics,
    is_time,
    measurement_statistics,
)
from loadbench.engine.report.recommendation.goal import Goal, all_goals

RECENT_S = 60
"""Number of the last seconds that show what a live cell measures."""
MAX_METRICS = 8
"""Maximum number of measurements that the metrics of a run include, those with a goal first."""


@dataclass(frozen=True, slots=True)
class MeasurementMetric:
    """A percentile of the measurements with one type, name and unit."""

    identity: tuple[str, str, str]
    """Type, name and unit."""
    value: str
    """Name of the percentile in `PERCENTILES`, such as `p95`."""

    @property
    def kind(self) -> str:
        """The type of the events."""
        return self.identity[0]

    @property
    def name(self) -> str:
        """The name of the measurement."""
        return self.identity[1]

    @property
    def unit(self) -> str:
        """The unit of the values. Empty if unknown."""
        return self.identity[2]

    @property
    def fraction(self) -> float:
        """The percentile as a fraction."""
        return PERCENTILES[self.value]

    @property
    def title(self) -> str:
        """The name of the measurement with its unit, such as `first token (ms)`."""
        name = shortened_in_middle(self.name, MAX_NAME_CHARACTERS)
        return f"{name} ({self.unit})" if self.unit else name

    @property
    def label(self) -> str:
        """The name of the metric with its unit, such as `first token p95 (ms)`."""
        name = f"{shortened_in_middle(self.name, MAX_NAME_CHARACTERS)} {self.value}"
        return f"{name} ({self.unit})" if self.unit else name

    @property
    def is_latency(self) -> bool:
        """Whether the metric is a percentile of the latency of requests, which it is not."""
        return False

    def limits(self, goal: Goal) -> bool:
        """Return whether a goal limits the metric."""
        is_of_name = goal.is_measurement and is_named(self.kind, self.name, goal.subject)
        return is_of_name and goal.criterion.removeprefix("min_") == self.value

    def of(self, statistics: Iterable[MeasurementStatistics]) -> MeasurementPercentile | None:
        """Return the metric of a cell, slice or second. None if it has no such values."""
        found = (one for one in statistics if one.identity == self.identity and one.count)
        return next((one.percentile(self.value) for one in found), None)


def measurement_metrics(state: RunState) -> tuple[MeasurementMetric, ...]:
    """Return the metrics of the measurements of a run.

    Each measurement has its percentiles with a goal. Without a goal, it has p95 if it is a time or
    its unit is unknown, and otherwise p50.

    Args:
        state: The state of the run. The seconds that were recorded last count, too.
    """
    goals = state.profile.goals if state.profile else Goals()
    newest = [one for sample in state.samples[-RECENT_S:] for one in sample.measurements]
    measured = [
        one
        for cell in state.cells.values()
        for one in (cell.finished.measurements if cell.finished else ())
    ]
    identities = {(one.name, one.kind, one.unit) for one in (*measured, *newest)}
    named = [goal.subject for goal in all_goals(goals) if goal.is_measurement]

    def rank(identity: tuple[str, str, str]) -> tuple[bool, tuple[str, str, str]]:
        name, kind, _ = identity
        return not any(is_named(kind, name, key) for key in named), identity

    return tuple(
        metric
        for name, kind, unit in sorted(sorted(identities, key=rank)[:MAX_METRICS])
        for metric in _metrics((kind, name, unit), goals)
    )


def metric_of(measurements: Iterable[Measurement], metric: MeasurementMetric) -> float | None:
    """Return the value of a metric of some measurements, or None if there are no values."""
    found = metric.of(measurement_statistics(measurements, 1.0))
    return found.value if found else None


def _metrics(identity: tuple[str, str, str], goals: Goals) -> list[MeasurementMetric]:
    every = [MeasurementMetric(identity, percentile) for percentile in PERCENTILES]
    limits = all_goals(goals)
    limited = [metric for metric in every if any(map(metric.limits, limits))]
    unit = identity[2]
    default = MeasurementMetric(identity, "p95" if not unit or is_time(unit) else "p50")
    return limited or [default]
