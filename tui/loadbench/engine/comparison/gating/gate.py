"""Decide whether a candidate is worse than its baseline by more than is allowed.

Results that the baseline has and the candidate lacks may hide a regression, so without them the
gate does not pass. A slower candidate has fewer requests, and so may lack a percentile: if another
metric shows the regression, the gate fails.

A metric is a regression only if its whole confidence interval, after Holm's correction, is beyond
the limit. Then its point estimate is beyond it, too. A point beyond the limit alone would often be
chance, and an interval that only excludes no change may be within the limit.

The size of a regression is relative to the baseline, as in tables: a latency that doubles is a
regression of 100 %, a rate that halves is one of 50 %. So no rate is a regression beyond 100 %.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum

from loadbench.engine.comparison.comparability import loss_texts
from loadbench.engine.comparison.model import (
    METRICS,
    CellComparison,
    ComparedMetric,
    Comparison,
    Estimate,
    Loss,
    MeanChange,
    MetricComparison,
)


class GateOutcome(StrEnum):
    """Outcome of a check."""

    PASSED = "passed"
    NOT_SHOWN = "not shown"
    """The estimate is beyond the limit, but its interval includes the limit."""
    NOT_TESTED = "not tested"
    """With too few repeats, nothing is known about chance."""
    REGRESSION = "regression"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricCheck:
    """A metric of a cell, or its geometric mean over all compared cells."""

    outcome: GateOutcome
    found: MetricComparison | MeanChange
    cell: str | None = None
    """Key of the cell. None for the geometric mean."""

    @property
    def metric(self) -> ComparedMetric:
        """The metric."""
        return self.found.metric


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureCheck:
    """The failed requests of a cell."""

    outcome: GateOutcome
    found: CellComparison

    @property
    def cell(self) -> str:
        """Key of the cell."""
        return self.found.cell


@dataclass(frozen=True, slots=True, kw_only=True)
class GateResult:
    """The decision of a gate, with everything that led to it."""

    comparison: Comparison
    max_regression: float
    """Largest allowed regression, such as 0.1."""
    checks: tuple[MetricCheck | FailureCheck, ...]
    """Those of the geometric means first, then those of each cell."""
    losses: tuple[Loss, ...]
    """What the candidate has no results of, of cells and of the checked metrics."""
    reasons: tuple[str, ...]
    """Reasons why the gate must not decide, as clauses. Empty if it may."""
    unchecked: tuple[ComparedMetric, ...]
    """Metrics that no cell has enough requests for in both runs."""
    missing: tuple[str, ...]
    """Metrics that the candidate lacks, as clauses. The gate does not pass without them."""

    def with_outcome(self, outcome: GateOutcome) -> tuple[MetricCheck | FailureCheck, ...]:
        """Return the checks with an outcome."""
        return tuple(check for check in self.checks if check.outcome is outcome)

    @property
    def regressions(self) -> tuple[MetricCheck | FailureCheck, ...]:
        """What is worse than allowed."""
        return self.with_outcome(GateOutcome.REGRESSION)

    @property
    def warnings(self) -> tuple[MetricCheck | FailureCheck, ...]:
        """What may be worse than allowed, but is not shown to be."""
        return self.with_outcome(GateOutcome.NOT_SHOWN)

    @property
    def untested(self) -> tuple[MetricCheck | FailureCheck, ...]:
        """What cannot be checked, because there are too few repeats."""
        return self.with_outcome(GateOutcome.NOT_TESTED)

    @property
    def is_comparable(self) -> bool:
        """Whether the gate may decide."""
        return not self.reasons and (not self.missing or bool(self.regressions))

    @property
    def is_untested(self) -> bool:
        """Whether no mean can be tested, and no tested cell has a regression.

        A run that is compared with itself needs no test. Failed requests are not tested.
        """
        means = [check for check in self.checks if isinstance(check.found, MeanChange)]
        is_shown = any(isinstance(check, MetricCheck) for check in self.regressions)
        return not is_shown and all(check.outcome is GateOutcome.NOT_TESTED for check in means)

    @property
    def detectable(self) -> MeanChange | None:
        """The mean with the largest smallest change that would have been shown. None if all of
        them are within the limit.
        """
        means = [check.found for check in self.checks if isinstance(check.found, MeanChange)]
        known = [mean for mean in means if (mean.estimate.smallest or 0.0) > self.max_regression]
        return max(known, key=lambda mean: mean.estimate.smallest or 0.0, default=None)


def gate(
    comparison: Comparison, max_regression: float, metrics: Collection[ComparedMetric] = METRICS
) -> GateResult:
    """Check each metric of each cell, the geometric means and the failures against a limit.

    Args:
        comparison: The comparison of the candidate with the baseline.
        max_regression: Largest allowed regression, such as 0.1 for 10 %.
        metrics: The metrics to check.
    """
    losses = tuple(
        loss for loss in comparison.losses if loss.metric is None or loss.metric in metrics
    )
    known = [mean.metric for mean in comparison.means]
    known += [loss.metric for loss in losses if loss.metric]
    return GateResult(
        comparison=comparison,
        max_regression=max_regression,
        checks=tuple(_checks(comparison, max_regression, metrics)),
        losses=losses,
        reasons=tuple(_reasons(comparison, metrics)),
        unchecked=tuple(metric for metric in metrics if metric not in known),
        missing=tuple(loss_texts(loss for loss in losses if loss.metric)),
    )


def _reasons(comparison: Comparison, metrics: Collection[ComparedMetric]) -> Iterator[str]:
    yield from comparison.not_comparable
    if comparison.cells and not any(mean.metric in metrics for mean in comparison.means):
        labels = ", ".join(metric.label for metric in metrics)
        yield f"no cell has enough requests for {labels} in both runs"


def outcome_of(metric: ComparedMetric, estimate: Estimate, limit: float) -> GateOutcome:
    """Return the outcome for an estimate.

    Args:
        metric: The metric.
        estimate: The estimate of its ratio after / before.
        limit: Largest allowed regression, such as 0.1 for 10 %.
    """
    if estimate.low is None or estimate.high is None:
        return GateOutcome.NOT_TESTED
    if all(is_beyond(limit, metric, end) for end in (estimate.low, estimate.high)):
        return GateOutcome.REGRESSION
    is_worse = is_beyond(limit, metric, estimate.ratio)
    return GateOutcome.NOT_SHOWN if is_worse else GateOutcome.PASSED


def is_beyond(limit: float, metric: ComparedMetric, ratio: float) -> bool:
    """Return whether a ratio after / before is a regression by more than a limit."""
    return ratio < 1 - limit if metric.is_more_better else ratio > 1 + limit


def _checks(
    comparison: Comparison, limit: float, metrics: Collection[ComparedMetric]
) -> Iterator[MetricCheck | FailureCheck]:
    is_same = comparison.is_same_run
    for mean in comparison.means:
        if mean.metric not in metrics:
            continue
        outcome = _outcome(mean.metric, mean.estimate, limit, is_same_run=is_same)
        yield MetricCheck(outcome=outcome, found=mean)
    for cell in comparison.cells:
        for one in cell.metrics:
            if one.metric not in metrics:
                continue
            outcome = _outcome(one.metric, one.estimate, limit, is_same_run=is_same)
            yield MetricCheck(outcome=outcome, found=one, cell=cell.cell)
        failures = GateOutcome.REGRESSION if cell.have_failures_risen else GateOutcome.PASSED
        yield FailureCheck(outcome=failures, found=cell)


def _outcome(
    metric: ComparedMetric, estimate: Estimate, limit: float, *, is_same_run: bool
) -> GateOutcome:
    return GateOutcome.PASSED if is_same_run else outcome_of(metric, estimate, limit)
