"""Check the results of a cell against the goals of its profile.

Percentiles are checked over all requests except successes without a latency: a failed or aborted
request counts as one that took longer than any limit, so failures never improve a percentile.

A percentile with enough samples (see `min_samples`) is decided. With fewer samples it is only
decided if it is missed beyond reasonable doubt: if the limit were met, each request would exceed it
with a probability of at most 1 − p, so the number of requests beyond it would be binomial. The goal
is missed if a number as large as the observed one has a probability of at most 1 %, the error that
MLPerf's early stopping allows
(https://github.com/mlcommons/inference_policies/blob/master/inference_rules.adoc, "Early
stopping"). Otherwise the goal is undecided.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from loadbench.engine.journal.events import Buckets, CellFinished
from loadbench.engine.measure.buckets import (
    count,
    merge,
    min_samples,
    num_failures,
    num_requests,
    num_successes,
    percentile,
    successes,
)
from loadbench.engine.measure.main_request import results_of_name
from loadbench.engine.measure.steady import TOLERANCE
from loadbench.engine.profile.sections.goals import Goals
from loadbench.engine.report.recommendation.goal import (
    FAILURE_RATIO,
    MIN_RPS,
    Goal,
    all_goals,
    measurements_of,
)

MAX_ERROR = 0.01
"""Maximum probability of reporting a goal as missed, from few samples, although it is met."""
NEAR = 1 - TOLERANCE
"""Share of a limit from which a met goal counts as near: within the tolerance of settled windows,
a repeat may miss it."""


class Outcome(StrEnum):
    """Whether goals are met."""

    PASSED = "passed"
    UNDECIDED = "undecided"
    """Too few samples to decide."""
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class GoalCheck:
    """A goal and the value that a cell reached."""

    goal: Goal
    value: float | None
    """The value reached, in the unit of the limit. Infinite if too many requests failed for the
    percentile to exist, None if there were no requests, or none with a latency."""
    outcome: Outcome
    samples: int = 0
    """Number of requests or values checked. For a percentile of latency, without successes that
    have no latency."""
    lost: int = 0
    """Number of failed and aborted requests among them, or of events without a value."""
    unit: str = ""
    """Unit of a measurement. Empty for requests, or if it is unknown."""

    @property
    def usage(self) -> float:
        """Share of the limit that is used: above 1 if the goal is missed."""
        if self.value is None:
            return 0.0
        used, available = self.value, self.goal.limit
        if math.isinf(used):
            return math.inf
        if self.goal.is_minimum:
            used, available = available, used
        if available <= 0:
            return math.inf if used else 0.0
        return max(0.0, used / available)

    @property
    def is_near(self) -> bool:
        """Whether the goal is met, but by less than 10 %."""
        return self.outcome is Outcome.PASSED and self.usage >= NEAR


def check_goals(
    finished: CellFinished, goals: Goals, main: str | None = None
) -> tuple[GoalCheck, ...]:
    """Check the results of a cell against each goal that is set.

    Args:
        finished: The results of the cell, of all requests.
        goals: The goals of its profile.
        main: Name of the main requests, to which the goals without a name apply. None: all.
    """
    return tuple(
        _check_measurement(finished, goal)
        if goal.is_measurement
        else _check_requests(results_of_name(finished, goal.subject or None), goal)
        for goal in all_goals(goals, main)
    )


def _check_requests(finished: CellFinished, goal: Goal) -> GoalCheck:
    """Check the results of the requests that a goal is for."""
    good = successes(finished.requests)
    total = num_requests(finished.requests)
    if goal.subject and not total:
        return GoalCheck(goal, None, Outcome.UNDECIDED)
    # Which requests were aborted is unknown.
    lost, total = num_failures(finished.requests) + finished.aborted, total + finished.aborted
    if goal.criterion == MIN_RPS:
        rate = finished.completed / finished.measured_s
        outcome = Outcome.PASSED if rate >= goal.limit else Outcome.MISSED
        return GoalCheck(goal, rate, outcome, total, lost)
    if goal.criterion == FAILURE_RATIO and total:
        ratio = lost / total
        outcome = Outcome.PASSED if ratio <= goal.limit else Outcome.MISSED
        return GoalCheck(goal, ratio, outcome, total, lost)
    timed = count(good) + lost if goal.is_latency else total
    if not timed or (not good and num_successes(finished.requests)):
        # If all successes are without a latency, the failures do not hide a percentile.
        return GoalCheck(goal, None, Outcome.UNDECIDED, timed, lost)
    return _check_percentile(goal, good, lost)


def _check_measurement(finished: CellFinished, goal: Goal) -> GoalCheck:
    """Check the measurement that a goal is for."""
    found = measurements_of(finished, goal.subject)
    values, lost = merge(one.values for one in found), sum(one.failures for one in found)
    units = {one.unit for one in found}
    unit = units.pop() if len(units) == 1 else ""
    if not values or units:
        # Values of several units cannot be compared with one limit.
        return GoalCheck(goal, None, Outcome.UNDECIDED, 0, lost, unit)
    return _check_percentile(goal, values, lost, unit)


def _check_percentile(goal: Goal, values: Buckets, lost: int, unit: str = "") -> GoalCheck:
    """Check a percentile. Without a value, a request counts as one beyond any limit."""
    tail, sign = goal.tail, -1.0 if goal.is_minimum else 1.0
    assert tail is not None
    # A minimum of values is a maximum of their negatives.
    signed = tuple(sorted((sign * value, times) for value, times in values))
    value = percentile((*signed, (math.inf, lost)), tail)
    outcome = _percentile_outcome(signed, lost, tail, sign * goal.limit)
    reached = value if value is None or math.isinf(value) else sign * value
    return GoalCheck(goal, reached, outcome, count(values) + lost, lost, unit)


def worst_of(outcomes: Iterable[Outcome]) -> Outcome:
    """Return missed if any goal is missed, otherwise undecided if any is, otherwise passed."""
    return max(outcomes, key=list(Outcome).index, default=Outcome.PASSED)


def tightest(checks: Iterable[GoalCheck]) -> GoalCheck | None:
    """Return the check that uses most of its limit, or None if there are no checks.

    A missed goal takes precedence, then an undecided one.
    """
    order = list(Outcome)
    return max(checks, key=lambda check: (order.index(check.outcome), check.usage), default=None)


def is_about_failures(check: GoalCheck) -> bool:
    """Return whether failed requests decide a goal, either directly or by hiding a percentile."""
    return check.goal.criterion == FAILURE_RATIO or check.value == math.inf


def value_text(check: GoalCheck, digits: int = 3) -> str:
    """Return the value of a check: `p95 412 ms`, `0.9 % failures` or `throughput 118 req/s`."""
    goal = check.goal
    if check.value is None:
        return f"{goal.name} unknown, no {_counted(goal)}"
    if math.isinf(check.value):
        share = 100 * check.lost / check.samples
        what = "events had no value" if goal.is_measurement else "requests failed"
        return f"{share:.3g} % of the {what}, too many for {goal.name}"
    amount = goal.amount(check.value, digits, check.unit)
    if goal.criterion == FAILURE_RATIO and not goal.subject:
        return f"{amount} {goal.name}"
    return f"{goal.name} {amount}"


def missed_text(checks: Iterable[GoalCheck]) -> str:
    """Return the goals that a cell misses, such as `p95 809 ms misses the goal of 500 ms`.

    The text is empty if it misses none.
    """
    return "; ".join(
        f"{value_text(check, _digits(check))} misses the goal of {_limit_text(check)}"
        if not math.isinf(check.value or 0.0)
        else check_text(check)
        for check in checks
        if check.outcome is Outcome.MISSED
    )


def check_text(check: GoalCheck, *, marks_near: bool = True) -> str:
    """Return the value of a check with its limit: `p95 412 ms (goal 500 ms)`.

    Args:
        check: The check.
        marks_near: Whether to mark a value that is within 10 % of its goal.
    """
    limit = _limit_text(check)
    goal = f"near the goal of {limit}" if check.is_near and marks_near else f"goal {limit}"
    return f"{value_text(check, _digits(check))} ({goal})"


def undecided_text(check: GoalCheck) -> str:
    """Return why a goal is undecided: `p95 needs 200 requests, 120 measured`."""
    goal = check.goal
    if not check.samples or goal.tail is None:
        of_name = f" of {goal.subject}" if goal.subject and not goal.is_measurement else ""
        what = f"values of {goal.subject}" if goal.is_measurement else f"{_counted(goal)}{of_name}"
        return f"no {what} were measured"
    what = "values" if goal.is_measurement else "requests"
    return f"{goal.name} needs {min_samples(goal.tail)} {what}, {check.samples} measured"


def _counted(goal: Goal) -> str:
    """Return what a goal is based on, as a noun."""
    if goal.is_measurement:
        return "values"
    return "latencies" if goal.is_latency else "requests"


def _limit_text(check: GoalCheck) -> str:
    goal = check.goal
    sign = "≥ " if goal.is_minimum else "≤ " if goal.criterion == FAILURE_RATIO else ""
    return f"{sign}{goal.limit_amount(check.unit)}"


def _digits(check: GoalCheck) -> int:
    """Return the digits of a value. A miss by a small margin must not look like a hit."""
    digits, goal = 3, check.goal
    if check.outcome is Outcome.MISSED and check.value is not None:
        while digits < 6 and goal.amount(check.value, digits) == goal.amount(goal.limit, digits):
            digits += 1
    return digits


def _percentile_outcome(good: Buckets, lost: int, fraction: float, limit_ms: float) -> Outcome:
    total = count(good) + lost
    beyond = lost + sum(times for latency_ms, times in good if latency_ms > limit_ms)
    if total >= min_samples(fraction):
        allowed = total - max(1, math.ceil(round(fraction * total, 6)))
        return Outcome.PASSED if beyond <= allowed else Outcome.MISSED
    if _binomial_tail(total, beyond, 1 - fraction) <= MAX_ERROR:
        return Outcome.MISSED
    return Outcome.UNDECIDED


def _binomial_tail(trials: int, at_least: int, probability: float) -> float:
    """Return P(X ≥ at_least) for X ~ Binomial(trials, probability). There are few trials."""
    return sum(
        math.comb(trials, k) * probability**k * (1 - probability) ** (trials - k)
        for k in range(at_least, trials + 1)
    )
