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
    min_samples,
    num_failures,
    num_requests,
    num_successes,
    percentile,
    successes,
)
from loadbench.engine.measure.steady import TOLERANCE
from loadbench.engine.numbers import number
from loadbench.engine.profile.sections.goals import Goals

GOAL_FRACTIONS = {"p50_ms": 0.5, "p90_ms": 0.9, "p95_ms": 0.95, "p99_ms": 0.99}
"""The percentile of each goal for latency, as a fraction."""
FAILURE_RATIO = "failure_ratio"
MIN_RPS = "min_rps"

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

    goal: str
    """Key of the goal, such as `p95_ms`."""
    limit: float
    value: float | None
    """The value reached, in the unit of the limit. Infinite if too many requests failed for the
    percentile to exist, None if there were no requests, or none with a latency."""
    outcome: Outcome
    samples: int = 0
    """Number of requests checked. For a percentile, without successes that have no latency."""
    lost: int = 0
    """Number of failed and aborted requests among them."""

    @property
    def usage(self) -> float:
        """Share of the limit that is used: above 1 if the goal is missed."""
        if self.value is None:
            return 0.0
        used, available = self.value, self.limit
        if self.goal == MIN_RPS:
            used, available = available, used
        if not available:
            return math.inf if used else 0.0
        return used / available

    @property
    def is_near(self) -> bool:
        """Whether the goal is met, but by less than 10 %."""
        return self.outcome is Outcome.PASSED and self.usage >= NEAR


def set_goals(goals: Goals) -> dict[str, float]:
    """Return the limits of the goals that are set for the main requests, by key."""
    limits = goals.model_dump(exclude={"requests", "measurements"})
    return {key: limit for key, limit in limits.items() if limit is not None}


def check_goals(finished: CellFinished, goals: Goals) -> tuple[GoalCheck, ...]:
    """Check the results of a cell against each goal that is set.

    Args:
        finished: The results of the cell.
        goals: The goals of its profile.
    """
    good = successes(finished.requests)
    lost = num_failures(finished.requests) + finished.aborted
    total = num_requests(finished.requests) + finished.aborted
    timed = count(good) + lost
    checks = []
    for goal, limit in set_goals(goals).items():
        value: float | None
        if goal == MIN_RPS:
            value = finished.completed / finished.measured_s
            outcome = Outcome.PASSED if value >= limit else Outcome.MISSED
        elif not total:
            value, outcome = None, Outcome.UNDECIDED
        elif goal == FAILURE_RATIO:
            value = lost / total
            outcome = Outcome.PASSED if value <= limit else Outcome.MISSED
        elif not timed or (not good and num_successes(finished.requests)):
            # All successes are without a latency, so the failures do not hide a percentile.
            value, outcome = None, Outcome.UNDECIDED
        else:
            value = percentile((*good, (math.inf, lost)), GOAL_FRACTIONS[goal])
            outcome = _percentile_outcome(good, lost, GOAL_FRACTIONS[goal], limit)
        samples = timed if goal in GOAL_FRACTIONS else total
        checks.append(GoalCheck(goal, limit, value, outcome, samples, lost))
    return tuple(checks)


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
    return check.goal == FAILURE_RATIO or check.value == math.inf


def goal_name(goal: str) -> str:
    """Return the name of a goal for people, such as `p95`."""
    return {FAILURE_RATIO: "failures", MIN_RPS: "throughput"}.get(goal, goal.removesuffix("_ms"))


def goal_amount(goal: str, value: float, digits: int = 3) -> str:
    """Return a value with its unit: `412 ms`, `1.2 %` or `118 req/s`."""
    if goal == FAILURE_RATIO:
        return f"{100 * value:.{digits}g} %"
    return f"{number(value, digits)} {'req/s' if goal == MIN_RPS else 'ms'}"


def goal_text(goal: str, limit: float) -> str:
    """Return a goal as a condition, such as `p95 ≤ 500 ms`."""
    sign = "≥" if goal == MIN_RPS else "≤"
    return f"{goal_name(goal)} {sign} {_limit_amount(goal, limit)}"


def value_text(check: GoalCheck, digits: int = 3) -> str:
    """Return the value of a check: `p95 412 ms`, `0.9 % failures` or `throughput 118 req/s`."""
    if check.value is None:
        what = "latencies" if check.goal in GOAL_FRACTIONS else "requests"
        return f"{goal_name(check.goal)} unknown, no {what}"
    if math.isinf(check.value):
        share = 100 * check.lost / check.samples
        return f"{share:.3g} % of the requests failed, too many for {goal_name(check.goal)}"
    amount = goal_amount(check.goal, check.value, digits)
    if check.goal == FAILURE_RATIO:
        return f"{amount} failures"
    return f"{goal_name(check.goal)} {amount}"


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
    if not check.samples or check.goal not in GOAL_FRACTIONS:
        what = "latencies" if check.goal in GOAL_FRACTIONS else "requests"
        return f"no {what} were measured"
    needed = min_samples(GOAL_FRACTIONS[check.goal])
    return f"{goal_name(check.goal)} needs {needed} requests, {check.samples} measured"


def _limit_text(check: GoalCheck) -> str:
    sign = {MIN_RPS: "≥ ", FAILURE_RATIO: "≤ "}.get(check.goal, "")
    return f"{sign}{_limit_amount(check.goal, check.limit)}"


def _digits(check: GoalCheck) -> int:
    """Return the digits of a value. A miss by a small margin must not look like a hit."""
    digits = 3
    if check.outcome is Outcome.MISSED and check.value is not None:
        while digits < 6 and goal_amount(check.goal, check.value, digits) == goal_amount(
            check.goal, check.limit, digits
        ):
            digits += 1
    return digits


def _limit_amount(goal: str, limit: float) -> str:
    if goal == FAILURE_RATIO:
        return f"{100 * limit:g} %"
    return f"{limit:g} {'req/s' if goal == MIN_RPS else 'ms'}"


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
