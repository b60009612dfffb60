"""Metrics that screens show for every cell, and how far a cell meets its goals."""

from collections.abc import Sequence
from enum import StrEnum

from loadbench.engine.journal.state import RunState
from loadbench.engine.profile.sections.goals import Goals
from loadbench.engine.report.measurements.metric import MeasurementMetric, measurement_metrics
from loadbench.engine.report.recommendation.goal import (
    FAILURE_RATIO,
    MIN_RPS,
    Goal,
    all_goals,
    goals_of_main,
    set_goals,
)
from loadbench.engine.report.recommendation.goals import GoalCheck, Outcome
from loadbench.engine.report.rows import Row


class Metric(StrEnum):
    """A result that the sweep and the charts can show, in the order in which users switch them."""

    P50 = "p50"
    P90 = "p90"
    P95 = "p95"
    P99 = "p99"
    RPS = "req/s"
    FAILURES = "failures"
    BOTTLENECK = "bottleneck"

    @property
    def column(self) -> str:
        """The field of a row that has the metric."""
        return _COLUMNS.get(self, f"{self.value}_ms")

    @property
    def goal(self) -> str | None:
        """Key of the goal that limits the metric, or None if there is no such goal."""
        return _GOALS.get(self, self.column)

    @property
    def label(self) -> str:
        """The name of the metric with its unit."""
        return f"{self.value} (ms)" if self.is_latency else _LABELS.get(self, self.value)

    @property
    def is_latency(self) -> bool:
        """Whether the metric is a percentile of latency."""
        return self in LATENCIES

    def limits(self, goal: Goal) -> bool:
        """Return whether a goal limits the metric."""
        return goal.is_main and goal.criterion == (self.goal or "").removesuffix("_ms")


AnyMetric = Metric | MeasurementMetric
LATENCIES = (Metric.P50, Metric.P90, Metric.P95, Metric.P99)
_COLUMNS = {
    Metric.RPS: "rps",
    Metric.FAILURES: FAILURE_RATIO,
    Metric.BOTTLENECK: "bottleneck",
}
_GOALS = {Metric.RPS: MIN_RPS, Metric.BOTTLENECK: None}
_LABELS = {Metric.FAILURES: "failures (%)"}
_PREFERRED = (Metric.P95, Metric.P99, Metric.P90, Metric.P50)


class GoalState(StrEnum):
    """How far a cell meets a goal, as a short word. Later members take precedence over earlier."""

    PASSED = "pass"
    NEAR = "near"
    """Passed, but by less than 10 %."""
    UNDECIDED = "?"
    """Too few requests to decide."""
    MISSED = "miss"


def goals_of(state: RunState) -> Goals:
    """Return the goals of a run, where those by name for its main requests have no name.

    There are none if this version cannot read its profile.
    """
    profile = state.profile
    return goals_of_main(profile.goals, profile.load.main) if profile else Goals()


def metrics_of(state: RunState) -> tuple[AnyMetric, ...]:
    """Return the metrics that a run has, in the order in which users switch them."""
    return (*Metric, *measurement_metrics(state))


def next_metric(metric: AnyMetric, metrics: Sequence[AnyMetric]) -> AnyMetric:
    """Return the metric that follows in a sequence.

    The first one follows the last one, and any metric that is not in the sequence.
    """
    index = metrics.index(metric) if metric in metrics else -1
    return metrics[(index + 1) % len(metrics)]


def default_metric(goals: Goals) -> Metric:
    """Return the percentile that has a goal, preferably p95. Without such a goal, return p90."""
    limits = set_goals(goals)
    return next((metric for metric in _PREFERRED if metric.goal in limits), Metric.P90)


def latency_metric(chosen: AnyMetric | None, goals: Goals) -> Metric:
    """Return the percentile of latency that a user chose. If it is another metric, the default."""
    if isinstance(chosen, Metric) and chosen.is_latency:
        return chosen
    return default_metric(goals)


def main_percentiles(
    goals: Goals, chosen: AnyMetric | None = None
) -> tuple[Metric, Metric, Metric]:
    """Return the three percentiles to show if there is room for three: p50, p90 or p95, and p99.

    Args:
        goals: The goals of the profile. A goal for p95 replaces p90 by p95.
        chosen: The metric that the user chose. If it is p90 or p95, it is shown.
    """
    middle = Metric.P90 if goals.p95_ms is None else Metric.P95
    if isinstance(chosen, Metric) and chosen in (Metric.P90, Metric.P95):
        middle = chosen
    return Metric.P50, middle, Metric.P99


def goal_of(goals: Goals, metric: AnyMetric) -> Goal | None:
    """Return the goal that limits a metric, or None if the profile does not set it."""
    return next((goal for goal in all_goals(goals) if metric.limits(goal)), None)


def goal_limit(goals: Goals, metric: AnyMetric) -> float | None:
    """Return the limit of the goal for a metric, or None if the profile does not set it."""
    goal = goal_of(goals, metric)
    return goal.limit if goal else None


def check_state(check: GoalCheck) -> GoalState:
    """Return the state of one goal."""
    match check.outcome:
        case Outcome.MISSED:
            return GoalState.MISSED
        case Outcome.UNDECIDED:
            return GoalState.UNDECIDED
        case Outcome.PASSED:
            return GoalState.NEAR if check.is_near else GoalState.PASSED


def goal_state(row: Row) -> GoalState | None:
    """Return the state of all goals of a cell together, or None if there is nothing to check."""
    return max(map(check_state, row.checks), key=state_order, default=None)


def own_state(row: Row, metric: AnyMetric) -> GoalState | None:
    """Return the state of the goal that limits a metric, or None if there is no such goal."""
    states = (check_state(check) for check in row.checks if metric.limits(check.goal))
    return max(states, key=state_order, default=None)


def state_order(state: GoalState) -> int:
    """Return the place of a state, from 0 for passed to the largest for missed."""
    return list(GoalState).index(state)
