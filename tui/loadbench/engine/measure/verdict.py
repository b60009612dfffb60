"""What a cell's numbers are worth: the worst that any rule says of them. Pure."""

from loadbench.engine.journal.events import Finding, Verdict
from loadbench.engine.measure.rules import RULES, Case

_SEVERITY = (Verdict.VALID, Verdict.SUSPECT, Verdict.INVALID)


def judge(case: Case) -> tuple[Verdict, tuple[Finding, ...]]:
    """Return the verdict, the worst that any rule gives, and the findings of all that apply."""
    worst, findings = Verdict.VALID, []
    for name, rule in RULES.items():
        if excess := rule.check(case):
            findings.append(
                Finding(rule=name, text=excess.text, value=excess.value, limit=excess.limit)
            )
            worst = max(worst, rule.verdict, key=_SEVERITY.index)
    return worst, tuple(findings)
