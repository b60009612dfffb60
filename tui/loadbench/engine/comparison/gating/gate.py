"""Decide whether a candidate is worse than its baseline by more than is allowed.

A metric is a regression only if its whole confidence interval, after Holm's correction, is beyond
the limit. Then its point estimate is beyond it, too. A point beyond the limit alone would often be
chance, and an interval that only excludes no change may be within the limit.

The size of a regression is relative to the baseline, as in tables: a latency that doubles is a
regression of 100 %, a rate that halves is one of 50 %. So no rate is a regression beyond 100 %.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from loadbench.engine.comparison.model import (
    CellComparison,
    Change,
    ComparedMetric,
    Comparison,
    Estimate,
    MeanChange,
    MetricComparison,
    UnmatchedCell,
)


class GateOutcome(StrEnum):
    """Outcome of a check."""

    PASSED = "passed"
    NOT_SHOWN = "not shown"
    """The estimate is beyond the limit, but its interval includes the limit."""
    NOT_TESTED = "not tested"
    """Without repeats, nothing is known about chance."""
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
    def lost(self) -> tuple[UnmatchedCell, ...]:
        """Cells that the baseline has results of, and the candidate has tried without success."""
        return tuple(cell for cell in self.comparison.unmatched if cell.is_lost)

    @property
    def is_comparable(self) -> bool:
        """Whether the gate may decide."""
        return not self.comparison.not_comparable and not self.lost

    @property
    def is_untested(self) -> bool:
        """Whether no metric can be tested. A run that is compared with itself needs no test."""
        return not (self.comparison.is_same_run or self.comparison.is_tested)


def gate(comparison: Comparison, max_regression: float) -> GateResult:
    """Check each metric of each cell, the geometric means and the failures against a limit.

    Args:
        comparison: The comparison of the candidate with the baseline.
        max_regression: Largest allowed regression, such as 0.1 for 10 %.
    """
    return GateResult(
        comparison=comparison,
        max_regression=max_regression,
        checks=tuple(_checks(comparison, max_regression)),
    )


def is_beyond(limit: float, metric: ComparedMetric, ratio: float) -> bool:
    """Return whether a ratio after / before is a regression by more than a limit."""
    return ratio < 1 - limit if metric.is_more_better else ratio > 1 + limit


def _checks(comparison: Comparison, limit: float) -> Iterator[MetricCheck | FailureCheck]:
    is_same = comparison.is_same_run
    for mean in comparison.means:
        outcome = _outcome(mean.metric, mean.estimate, limit, is_same_run=is_same)
        yield MetricCheck(outcome=outcome, found=mean)
    for cell in comparison.cells:
        for one in cell.metrics:
            outcome = _outcome(one.metric, one.estimate, limit, is_same_run=is_same)
            yield MetricCheck(outcome=outcome, found=one, cell=cell.cell)
        failures = GateOutcome.REGRESSION if cell.have_failures_risen else GateOutcome.PASSED
        yield FailureCheck(outcome=failures, found=cell)


def _outcome(
    metric: ComparedMetric, estimate: Estimate, limit: float, *, is_same_run: bool
) -> GateOutcome:
    if is_same_run:
        return GateOutcome.PASSED
    if estimate.change is Change.NOT_TESTED or estimate.low is None or estimate.high is None:
        return GateOutcome.NOT_TESTED
    if all(is_beyond(limit, metric, end) for end in (estimate.low, estimate.high)):
        return GateOutcome.REGRESSION
    is_worse = is_beyond(limit, metric, estimate.ratio)
    return GateOutcome.NOT_SHOWN if is_worse else GateOutcome.PASSED
