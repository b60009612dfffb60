"""The decision of a gate as sentences."""

from collections.abc import Sequence

from loadbench.engine.comparison.comparability import capitalised, named
from loadbench.engine.comparison.gating.gate import FailureCheck, GateResult, MetricCheck
from loadbench.engine.comparison.model import Estimate
from loadbench.engine.comparison.sentences import interval_text, signed_change, smallest_text

MAX_LINES = 50
"""Maximum number of lines of one kind. JUnit XML and the comparison have all of them."""
MEAN = "geometric mean"
HINT = "Measure both with `--set repeats=3`"


def gate_sentences(result: GateResult) -> list[str]:
    """Return what a gate found, one sentence per line, and its decision last."""
    found = {
        "Regression": [check_text(check, result) for check in result.regressions],
        "Possible regression": [check_text(check, result) for check in result.warnings],
        "Not tested": [] if result.is_untested else _untested(result),
        "Not comparable": result.reasons,
    }
    lines = [line for kind, texts in found.items() for line in _limited(kind, texts)]
    lines += [capitalised(text) for text in result.missing]
    if result.is_comparable:
        lines += _limited("Doubt", result.comparison.doubts)
    if result.unchecked and not result.reasons:
        labels = ", ".join(metric.label for metric in result.unchecked)
        lines.append(f"Not checked: {labels}, because no cell has enough requests in both runs")
    if result.is_comparable and (mean := result.detectable):
        size = smallest_text(mean.estimate)
        lines.append(f"Detectable: only mean changes of {size} or more ({mean.metric.label})")
    return [*lines, decision(result)]


def _untested(result: GateResult) -> list[str]:
    """Return what cannot be checked while other things can, as one clause per metric."""
    found: dict[str, list[str]] = {}
    for check in result.untested:
        if isinstance(check, MetricCheck):
            found.setdefault(check.metric.label, []).append(check.cell or MEAN)
    return [f"{label} of {named(cells)}, too few repeats" for label, cells in found.items()]


def _limited(kind: str, texts: Sequence[str]) -> list[str]:
    lines = [f"{kind}: {text}" for text in texts[:MAX_LINES]]
    more = len(texts) - MAX_LINES
    return [*lines, f"{kind}: {more} more"] if more > 0 else lines


def check_text(check: MetricCheck | FailureCheck, result: GateResult) -> str:
    """Return what a check found, as a clause.

    Args:
        check: The check.
        result: The decision that it belongs to.
    """
    match check:
        case FailureCheck(found=found):
            before, after = 100 * found.failures_before, 100 * found.failures_after
            return f"{found.cell} failures {before:.3g} to {after:.3g} % of requests"
        case MetricCheck(found=found):
            estimate, limit = found.estimate, f"limit {100 * result.max_regression:g} %"
            subject = f"{check.cell or MEAN} {check.metric.label}"
            return f"{subject} {signed_change(estimate.ratio)} ({_interval(estimate)}), {limit}"


def _interval(estimate: Estimate) -> str:
    if estimate.level is None:
        return "not tested"
    # Three digits, or so many that the level is not rounded to 100 %.
    level = f"{100 * estimate.level:.3g}"
    if level == "100":
        level = f"{100 - float(f'{100 * (1 - estimate.level):.1g}'):g}"
    return f"{level} % interval {interval_text(estimate)}"


def decision(result: GateResult) -> str:
    """Return the decision of a gate as a sentence."""
    limit = f"{100 * result.max_regression:g} %"
    count = len(result.regressions)
    worse = f"{count} regression{'' if count == 1 else 's'} beyond {limit}"
    if result.reasons:
        return "Gate: no decision, because the runs are not comparable"
    if not result.is_comparable:
        return "Gate: no decision, because results are missing in the candidate"
    if result.is_untested:
        return f"Gate: no decision, because too few cells have repeats for a test. {HINT}"
    if count:
        return f"Gate: failed, {worse}"
    if result.comparison.is_same_run:
        return "Gate: passed. Both sides are the same run, so nothing differs"
    cells = len(result.comparison.cells)
    total = cells + len(result.comparison.unmatched)
    of_all = f" of {total}" if cells < total else ""
    text = "1 cell" if total == 1 else f"{cells}{of_all} cells"
    return f"Gate: passed, no regression beyond {limit} in {text}"
