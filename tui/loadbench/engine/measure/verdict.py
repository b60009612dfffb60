"""What a cell's numbers are worth, by a table of rules. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from loadbench.engine.events import ErrorCount, Verdict
from loadbench.engine.measure.steady import Steadiness

FAILURE_RATIO = 0.01
"""From this ratio on the successes that are left may not be typical."""

MOST_CLIENT_CPU_CORES = 0.8
"""Beyond this share of a core the load generator's own queueing shows in the latency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the rules look at."""

    successes: int
    failures: int
    aborted: int
    errors: Sequence[ErrorCount]
    exceptions: Sequence[ErrorCount]
    steadiness: Steadiness | None
    """None: nobody asked to wait for steady numbers."""
    users: int
    """How many the cell asks for."""
    fewest_users: int
    """The lowest number of users in any second of the window."""
    client_cpu_cores: float
    """Cores that Locust's process used over the window, on average."""


Rule = Callable[[Evidence], str | None]
"""Returns the reason in plain words; None: the rule does not apply."""


def judge(evidence: Evidence) -> tuple[Verdict, tuple[str, ...]]:
    """Return the verdict, the worst that any rule gives, and the reasons of all that apply."""
    worst, reasons = Verdict.VALID, []
    for verdict, rule in RULES:
        reason = rule(evidence)
        if reason:
            reasons.append(reason)
            worst = max(worst, verdict, key=_SEVERITY.index)
    return worst, tuple(reasons)


def _no_success(evidence: Evidence) -> str | None:
    if evidence.successes:
        return None
    if not evidence.failures and not evidence.exceptions:
        return "no request was completed"
    return "no request succeeded" + _most_frequent(evidence.errors)


def _exceptions(evidence: Evidence) -> str | None:
    count = sum(entry.count for entry in evidence.exceptions)
    if not count:
        return None
    return f"the locustfile raised {count} exceptions" + _most_frequent(evidence.exceptions)


def _failures(evidence: Evidence) -> str | None:
    total = evidence.successes + evidence.failures
    if not evidence.successes or evidence.failures / total < FAILURE_RATIO:
        return None
    share = f"{100 * evidence.failures / total:.1f} % of the requests failed"
    return share + _most_frequent(evidence.errors)


def _aborted(evidence: Evidence) -> str | None:
    if not evidence.aborted:
        return None
    return f"{evidence.aborted} requests had no answer long after their timeout"


def _not_settled(evidence: Evidence) -> str | None:
    steadiness = evidence.steadiness
    if steadiness is None or steadiness.steady:
        return None
    return f"not settled: {steadiness.why_not}"


def _users_missing(evidence: Evidence) -> str | None:
    if evidence.fewest_users >= evidence.users:
        return None
    return f"only {evidence.fewest_users} of {evidence.users} users were there all the time"


def _client_bound(evidence: Evidence) -> str | None:
    if evidence.client_cpu_cores <= MOST_CLIENT_CPU_CORES:
        return None
    return (
        f"client-bound: Locust used {evidence.client_cpu_cores:.2f} of a core, so part of the "
        "latency is its own"
    )


def _most_frequent(errors: Sequence[ErrorCount]) -> str:
    return f": {errors[0].error} ({errors[0].count} times)" if errors else ""


_SEVERITY = (Verdict.VALID, Verdict.SUSPECT, Verdict.INVALID)

RULES: tuple[tuple[Verdict, Rule], ...] = (
    (Verdict.INVALID, _no_success),
    (Verdict.INVALID, _users_missing),
    (Verdict.SUSPECT, _exceptions),
    (Verdict.SUSPECT, _failures),
    (Verdict.SUSPECT, _aborted),
    (Verdict.SUSPECT, _not_settled),
    (Verdict.SUSPECT, _client_bound),
)
