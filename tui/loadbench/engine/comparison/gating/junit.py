"""The decision of a gate as a JUnit test suite: one test case per metric and cell.

A regression is a failure. What the candidate lacks, and runs that are not comparable, are errors.
What cannot be tested or compared is skipped. A regression that is not shown is a passed case.
"""

from collections.abc import Iterator, Sequence

from loadbench.engine.comparison.gating.gate import (
    FailureCheck,
    GateOutcome,
    GateResult,
    MetricCheck,
)
from loadbench.engine.comparison.gating.sentences import HINT, MEAN, check_text
from loadbench.engine.comparison.model import Loss
from loadbench.engine.report.export.junit_xml import JUnitCase, JUnitOutcome, JUnitSuite

_GROUP = "loadbench.compare"
COMPARABLE = "comparable"
NOT_COMPARABLE = "not comparable"
NOT_COMPARED = "not compared"
LOST = "lost"


def suite_of_gate(result: GateResult) -> JUnitSuite:
    """Return the decision of a gate as a test suite."""
    before, after = result.comparison.before.run, result.comparison.after.run
    profile = after.folder.parent.name
    cases = {case.name: case for case in _cases(result)}
    for loss in result.losses:
        case = _loss_case(loss)
        found = cases.get(case.name)
        if found is None or found.outcome is not JUnitOutcome.FAILURE:
            cases[case.name] = case
    return JUnitSuite(
        name=f"compare {profile}",
        group=f"{_GROUP}.{profile}",
        cases=tuple(cases.values()),
        started_at=after.state.started_at,
        properties=(
            ("before", before.name),
            ("after", after.name),
            ("max_regression", f"{result.max_regression:g}"),
        ),
    )


def suite_of_missing(missing: Sequence[str]) -> JUnitSuite:
    """Return the suite of members of studies that cannot be compared.

    Args:
        missing: The members, as sentences.
    """
    return JUnitSuite(
        name="compare",
        group=_GROUP,
        cases=tuple(
            JUnitCase(
                name=f"member {number}",
                outcome=JUnitOutcome.ERROR,
                kind=NOT_COMPARABLE,
                message=text,
            )
            for number, text in enumerate(missing, start=1)
        ),
    )


def _cases(result: GateResult) -> Iterator[JUnitCase]:
    yield _comparable_case(result)
    for check in result.checks:
        yield _check_case(check, result)
    for metric in result.unchecked:
        name, message = f"{MEAN} {metric.label}", "no cell has enough requests in both runs"
        outcome = JUnitOutcome.SKIPPED
        yield JUnitCase(name=name, outcome=outcome, kind=NOT_COMPARED, message=message)
    for cell in result.comparison.unmatched:
        outcome = JUnitOutcome.SKIPPED
        yield JUnitCase(name=cell.cell, outcome=outcome, kind=NOT_COMPARED, message=cell.reason)


def _loss_case(loss: Loss) -> JUnitCase:
    """Return the case of a cell, or of a metric of it."""
    name = f"{loss.cell} {loss.metric.label}" if loss.metric else loss.cell
    return JUnitCase(name=name, outcome=JUnitOutcome.ERROR, kind=LOST, message=loss.reason)


def _comparable_case(result: GateResult) -> JUnitCase:
    reasons = "" if result.is_comparable else "; ".join((*result.reasons, *result.missing))
    if not reasons:
        return JUnitCase(name=COMPARABLE)
    outcome = JUnitOutcome.ERROR
    return JUnitCase(name=COMPARABLE, outcome=outcome, kind=NOT_COMPARABLE, message=reasons)


def _check_case(check: MetricCheck | FailureCheck, result: GateResult) -> JUnitCase:
    subject = check.cell or MEAN
    label = "failures" if isinstance(check, FailureCheck) else check.metric.label
    outcome, kind, message = JUnitOutcome.PASSED, "", ""
    if check.outcome is GateOutcome.REGRESSION:
        outcome, message = JUnitOutcome.FAILURE, check_text(check, result)
    elif check.outcome is GateOutcome.NOT_TESTED:
        outcome, message = JUnitOutcome.SKIPPED, f"too few repeats for a test. {HINT}"
    if message:
        kind = check.outcome.value
    return JUnitCase(name=f"{subject} {label}", outcome=outcome, kind=kind, message=message)
