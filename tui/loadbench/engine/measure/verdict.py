"""Determine the verdict on a cell's results: that of the most severe rule that applies."""

from loadbench.engine.journal.events import Finding, Verdict
from loadbench.engine.measure.rules.case import Case
from loadbench.engine.measure.rules.registry import RULES

_SEVERITY = (Verdict.VALID, Verdict.SUSPECT, Verdict.INVALID)


def judge(case: Case) -> tuple[Verdict, tuple[Finding, ...]]:
    """Return the most severe verdict of all rules that apply, and their findings."""
    worst, findings = Verdict.VALID, []
    for name, rule in RULES.items():
        if violation := rule.check(case):
            findings.append(
                Finding(
                    rule=name, text=violation.text, value=violation.value, limit=violation.limit
                )
            )
            worst = max(worst, violation.verdict or rule.verdict, key=_SEVERITY.index)
    return worst, tuple(findings)
