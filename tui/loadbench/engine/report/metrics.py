"""Metrics that screens show for every cell, and how far a cell meets its goals."""

from collections.abc import Sequence
from enum import StrEnum

from loadbench.engine.journal.state import RunState
from loadbench.engine.profile.sections.goals import Goals
from loadbench.engine.report.recommendation.goal import FAILURE_RATIO, MIN_RPS, set_goals
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

    def next_of(self, metrics: Sequence["Metric"]) -> "Metric":
        """Return the metric that follows in a sequence. The first one follows the last one."""
        return metrics[(metrics.index(self) + 1) % len(metrics)]


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
    """Return the goals of a run. There are none if this version cannot read its profile."""
    return state.profile.goals if state.profile else Goals()


def default_metric(goals: Goals) -> Metric:
    """Return the percentile that has a goal, preferably p95. Without such a goal, return p90."""
    limits = set_goals(goals)
    return next((metric for metric in _PREFERRED if metric.goal in limits), Metric.P90)


def main_percentiles(goals: Goals, chosen: Metric | None = None) -> tuple[Metric, Metric, Metric]:
    """Return the three percentiles to show if there is room for three: p50, p90 or p95, and p99.

    Args:
        goals: The goals of the profile. A goal for p95 replaces p90 by p95.
        chosen: The metric that the user chose. If it is p90 or p95, it is shown.
    """
    middle = chosen if chosen in (Metric.P90, Metric.P95) else None
    if middle is None:
        middle = Metric.P90 if goals.p95_ms is None else Metric.P95
    return Metric.P50, middle, Metric.P99


def goal_limit(goals: Goals, metric: Metric) -> float | None:
    """Return the limit of the goal for a metric, or None if the profile does not set it."""
    return set_goals(goals).get(metric.goal or "")


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


def own_state(row: Row, metric: Metric) -> GoalState | None:
    """Return the state of the goal that limits a metric, or None if there is no such goal."""
    return next((check_state(check) for check in row.checks if check.goal.key == metric.goal), None)


def state_order(state: GoalState) -> int:
    """Return the place of a state, from 0 for passed to the largest for missed."""
    return list(GoalState).index(state)
