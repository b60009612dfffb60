"""The recommendation as sentences, with the answer first."""

from collections import Counter

from loadbench.engine.bounds.texts import shortened_in_middle
from loadbench.engine.measure.bottleneck import BottleneckKind
from loadbench.engine.numbers import number
from loadbench.engine.report.recommendation.gain import gain_sentences
from loadbench.engine.report.recommendation.goal import MAX_NAME_CHARACTERS, MIN_RPS
from loadbench.engine.report.recommendation.goals import (
    Outcome,
    check_text,
    tightest,
    undecided_text,
    value_text,
)
from loadbench.engine.report.recommendation.loads import LoadOutcome
from loadbench.engine.report.recommendation.recommend import Recommendation
from loadbench.engine.report.recommendation.subject import listed

SET_GOALS = (
    "With a goal, such as goals.p95_ms, the recommendation also states how much load each "
    "configuration carries"
)
_COLLAPSE = 0.8
"""Share of the highest throughput below which that at the largest load is mentioned."""


def answer(found: Recommendation, *, with_goal: bool = True) -> str:
    """Return the recommendation in one sentence, quotable without its context.

    While cells remain to be measured, it starts with `So far:`.

    Args:
        found: The recommendation.
        with_goal: Whether to state the goal beside the value that was reached.
    """
    text = _answer(found, with_goal=with_goal)
    return text if found.is_complete or not found.configurations else f"So far: {text}"


def short_answer(found: Recommendation, *, with_value: bool = False) -> str:
    """Return the answer in a few words for a list, such as `2 containers carry 50 users`.

    In a list, `!` marks suspect results, as in all tables.

    Args:
        found: The recommendation.
        with_value: Whether to return a sentence with the value of the goal: `, p95 412 ms`.
    """
    best = found.best
    if not found.configurations:
        return ""
    so_far = "" if found.is_complete else " so far"
    if best is None:
        words = "too few requests to decide" if _first_undecided(found) else "goals not met"
        if any(one.passed_above for one in found.configurations):
            words = "capacity unknown"
        return f"{words[0].upper()}{words[1:]}{so_far}" if with_value else f"{words}{so_far}"
    amount = found.subject.amount(best.models)
    load = best.capacity if found.has_goals else best.peak
    is_suspect = load is not None and load.is_suspect
    mark = "! " if is_suspect and not with_value else ""
    suspect = " (suspect)" if is_suspect and with_value else ""
    if not found.has_goals or load is None:
        verb = found.subject.verb(best.models, "reaches", "reach")
        step = found.scaling.step(best.models)
        is_rising = step is not None and not step.is_saturated
        at_least = "at least " if is_rising and with_value else ""
        amount_reached = f"{at_least}{number(load.rps if load else None)} req/s"
        rate = f"{amount_reached}{_of_main(found) if with_value else ''}"
        return f"{mark}{amount} {verb} {rate}{so_far}{suspect}"
    at_least = "≥ " if best.is_lower_bound else ""
    verb = found.subject.verb(best.models, "carries", "carry")
    value = f", {value_text(load.check)}" if with_value and load.check else ""
    return f"{mark}{amount} {verb} {at_least}{load.phrase}{so_far}{value}{suspect}"


def sentences(found: Recommendation) -> tuple[str, ...]:
    """Return the recommendation: the answer, its limit, the scaling and the next step.

    Doubts are not included.
    """
    texts = [answer(found), *boundary(found), *_smaller(found), *gain_sentences(found)]
    texts += _bottleneck(found)
    if found.next_step:
        texts.append(f"Next: {found.next_step}.")
    if found.configurations and not found.has_goals:
        texts.append(f"{SET_GOALS}.")
    return tuple(texts)


def boundary(found: Recommendation) -> list[str]:
    """Return what happened at the loads above the capacity, up to the first that failed."""
    best = found.best
    failed = best.first_failed if best else None
    if failed and not found.has_goals:
        return [f"{failed.phrase} {_failed(failed)}."]
    load = best.capacity if best and found.has_goals else None
    if best is None or load is None:
        return []
    above = best.next_load(load)
    missing = best.missing_above(load)
    texts = []
    if missing:
        results = "No valid results" if found.is_complete else "No results yet"
        texts.append(f"{results} with {listed(missing)}.")
    elif above is None:
        texts.append(f"No load above {load.phrase} was measured.")
    if above and above.outcome is Outcome.UNDECIDED:
        texts.append(f"{_undecided(above)}.")
    if failed:
        texts.append(f"{failed.phrase} {_failed(failed)}.")
    return texts


def _answer(found: Recommendation, *, with_goal: bool) -> str:
    if not found.configurations:
        return _no_results(found)
    if not found.has_goals:
        return _throughput(found)
    best = found.best
    if best is None or best.capacity is None:
        return _none_met(found)
    load = best.capacity
    at_least = "at least " if best.is_lower_bound else ""
    verb = found.subject.verb(best.models, "carries", "carry")
    return (
        f"{found.subject.described(best.models)} {verb} {at_least}{load.phrase}"
        f"{load.repeats_note}: {figures(load, found, with_goal=with_goal)}."
    )


def _no_results(found: Recommendation) -> str:
    if not found.is_complete:
        return "No results yet."
    return f"No cell has usable results. {found.doubts[0]}." if found.doubts else "No results."


def _throughput(found: Recommendation) -> str:
    best = found.best
    peak = best.peak if best else None
    if best is None or peak is None:
        return "No cell has usable results."
    verb = found.subject.verb(best.models, "reaches", "reach")
    step = found.scaling.step(best.models)
    rate = f"{number(peak.rps)} req/s{_of_main(found)}"
    if step is None or step.knee is None:
        reached = f"at least {rate} with {peak.phrase}"
    else:
        reached = f"{rate}; throughput does not grow beyond {step.knee.phrase}"
        last = best.loads[-1]
        if last.rps is not None and last.rps < _COLLAPSE * (peak.rps or 0.0):
            reached += f" and falls to {number(last.rps)} req/s at {last.phrase}"
    suspect = " (suspect)" if peak.is_suspect else ""
    return f"{found.subject.described(best.models)} {verb} {reached}{suspect}."


def _none_met(found: Recommendation) -> str:
    for one in found.configurations:
        if one.passed_above and one.first_failed:
            passed = listed([load.phrase for load in one.passed_above])
            where = found.subject.with_models(one.models)
            return (
                f"No capacity is known: {one.first_failed.phrase}{where} "
                f"{_failed(one.first_failed)}, but {passed} passed."
            )
    if undecided := _first_undecided(found):
        return f"No load is known to meet the goals: {_undecided(undecided)}."
    loads = [(load, one) for one in found.configurations for load in one.loads]
    measured = [(load, one) for load, one in loads if load.check and not load.failure]
    if not measured:
        reasons = Counter(load.failure.reason for load, _ in loads if load.failure)
        return f"No configuration met the goals: {reasons.most_common(1)[0][0]}."
    closest, one = min(measured, key=lambda pair: pair[0].check.usage if pair[0].check else 0.0)
    where = found.subject.with_models(one.models)
    return (
        f"No configuration met the goals. The closest was {closest.phrase}{where}: "
        f"{_missed(closest)}."
    )


def _first_undecided(found: Recommendation) -> LoadOutcome | None:
    undecided = (load for one in found.configurations for load in one.undecided)
    return next(undecided, None)


def _smaller(found: Recommendation) -> list[str]:
    """Return up to which load fewer models are enough."""
    up_to = {models: load for load, models in found.cheapest}
    if found.best is None or found.best.models not in up_to:
        return []
    parts, covered = [], 0.0
    for models, load in sorted(up_to.items()):
        if models < found.best.models and load.amount > covered:
            covered = load.amount
            parts.append(f"{found.subject.amount(models)} for up to {load.phrase}")
    return [f"Fewer are enough for smaller loads: {', '.join(parts)}."] if parts else []


def _failed(load: LoadOutcome) -> str:
    if load.failure:
        return f"failed{load.repeats_note}: {load.failure.reason}"
    suspect = " (suspect)" if load.is_suspect else ""
    return f"missed the goal{load.repeats_note}: {_missed(load)}{suspect}"


def _missed(load: LoadOutcome) -> str:
    return check_text(load.check) if load.check else "no results"


def _undecided(load: LoadOutcome) -> str:
    reason = undecided_text(load.check) if load.check else "no results"
    return f"{load.phrase} {'is' if load.amount == 1 else 'are'} undecided, {reason}"


def _of_main(found: Recommendation) -> str:
    """Return ` of POST /predict`, or an empty text without main requests."""
    return f" of {shortened_in_middle(found.main, MAX_NAME_CHARACTERS)}" if found.main else ""


def figures(load: LoadOutcome, found: Recommendation, *, with_goal: bool) -> str:
    """Return the latency goal, any other goal that is near its limit, and the throughput.

    Args:
        load: The load that is carried.
        found: The recommendation that states it.
        with_goal: Whether to state the goal beside the value that was reached.
    """
    latency = tightest(check for check in load.worst.checks if check.goal.is_latency)
    quoted = [latency] if latency else []
    if load.check and load.check is not latency and (load.check.is_near or not latency):
        quoted.append(load.check)
    parts = [check_text(check) if with_goal else value_text(check) for check in quoted]
    if load.rps is not None and not any(check.goal.criterion == MIN_RPS for check in quoted):
        is_named = any(check.goal.is_main for check in quoted)
        of = "" if is_named else _of_main(found)
        if not of and any(check.goal.subject and not check.goal.is_main for check in quoted):
            of = " of all requests"
        parts.append(f"{number(load.rps)} req/s{of}")
    return ", ".join(parts) + (" (suspect)" if load.is_suspect else "")


def _bottleneck(found: Recommendation) -> list[str]:
    load, limit = found.limiting_load, found.limit
    if found.bottleneck is None or load is None or limit is None or load.failure:
        return []
    where = f"{load.phrase}{'' if found.best is limit else found.subject.with_models(limit.models)}"
    busy = ""
    if found.busy_cores and found.bottleneck.kind is not BottleneckKind.CLIENT:
        cores = {1: "the only core is", 2: "both cores are"}.get(
            found.busy_cores, f"all {found.busy_cores} cores are"
        )
        busy = f"; {cores} busy"
    return [f"Bottleneck at {where}: {found.bottleneck.text}{busy}."]
