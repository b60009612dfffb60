"""The recommendation as sentences, with the answer first."""

from loadbench.engine.measure.bottleneck import BottleneckKind
from loadbench.engine.numbers import number
from loadbench.engine.report.recommendation.capacity import Configuration
from loadbench.engine.report.recommendation.goals import (
    GOAL_FRACTIONS,
    MIN_RPS,
    Outcome,
    check_text,
    tightest,
    undecided_text,
    value_text,
)
from loadbench.engine.report.recommendation.loads import LoadOutcome
from loadbench.engine.report.recommendation.recommend import Recommendation
from loadbench.engine.report.recommendation.scaling import TIE, Step, are_equal

SET_GOALS = (
    "With a goal, such as goals.p95_ms, the recommendation also states how much load each "
    "configuration carries"
)


def answer(found: Recommendation, *, with_goal: bool = True) -> str:
    """Return the recommendation in one sentence, quotable without its context.

    While cells remain to be measured, it starts with `So far:`.

    Args:
        found: The recommendation.
        with_goal: Whether to state the goal beside the value that was reached.
    """
    text = _answer(found, with_goal=with_goal)
    return text if found.is_complete or not found.configurations else f"So far: {text}"


def sentences(found: Recommendation) -> tuple[str, ...]:
    """Return the recommendation: the answer, its limit, the scaling and the next step.

    Doubts are not included.
    """
    texts = [answer(found), *boundary(found), *_smaller(found), *_gain(found)]
    texts += _bottleneck(found)
    if found.next_step:
        texts.append(f"Next: {found.next_step}.")
    if found.configurations and not found.has_goals:
        texts.append(f"{SET_GOALS}.")
    return tuple(texts)


def _answer(found: Recommendation, *, with_goal: bool) -> str:
    if not found.configurations:
        return "No cell with usable results." if found.is_complete else "No results yet."
    if not found.has_goals:
        return _throughput(found)
    best = found.best
    if best is None or best.capacity is None:
        return _none_met(found)
    load = best.capacity
    at_least = "" if best.next_load(load) else "at least "
    verb = found.subject.verb(best.models, "carries", "carry")
    votes = f" in {load.repeats_note}" if load.repeats_note else ""
    return (
        f"{found.subject.described(best.models)} {verb} {at_least}{load.phrase}: "
        f"{_figures(load, with_goal=with_goal)}{votes}."
    )


def _throughput(found: Recommendation) -> str:
    best = found.best
    peak = best.peak if best else None
    if best is None or peak is None:
        return "No cell with usable results."
    verb = found.subject.verb(best.models, "reaches", "reach")
    step = found.scaling.step(best.models)
    rate = f"{number(peak.rps)} req/s"
    if step and step.knee:
        reached = f"{rate}; throughput does not grow beyond {step.knee.phrase}"
    else:
        reached = f"at least {rate} with {peak.phrase}"
    return f"{found.subject.described(best.models)} {verb} {reached}."


def _none_met(found: Recommendation) -> str:
    undecided = [
        load
        for one in found.configurations
        for load in one.loads
        if load.outcome is Outcome.UNDECIDED
    ]
    if undecided:
        return f"No load is known to meet the goals: {_undecided(undecided[0])}."
    smallest = [one.loads[0] for one in found.configurations]
    closest = min(smallest, key=lambda load: load.check.usage if load.check else float("inf"))
    one = next(one for one in found.configurations if one.loads[0] is closest)
    amount = f" with {found.subject.amount(one.models)}" if found.subject.is_scaled else ""
    return (
        f"No configuration met the goals: the smallest load, {closest.phrase}{amount}, has "
        f"{_missed(closest)}."
    )


def boundary(found: Recommendation) -> list[str]:
    """Return what happened at the next larger load of the best configuration."""
    best = found.best
    load = best.capacity if best and found.has_goals else None
    if best is None or load is None:
        return []
    above = best.next_load(load)
    if above is None:
        return [f"No load above {load.phrase} was measured."]
    if above.outcome is Outcome.UNDECIDED:
        texts = [f"{_undecided(above)}."]
        if failed := best.first_failed:
            texts.append(f"{failed.phrase} {_failed(failed)}.")
        return texts
    return [f"{above.phrase} {_failed(above)}."]


def _smaller(found: Recommendation) -> list[str]:
    """Return up to which load fewer models are enough."""
    up_to = {models: load for load, models in found.cheapest}
    if found.best is None or found.best.models not in up_to:
        return []
    parts = [
        f"{found.subject.amount(models)} for up to {load.phrase}"
        for models, load in up_to.items()
        if models < found.best.models
    ]
    return [f"Fewer are enough for smaller loads: {', '.join(parts)}."] if parts else []


def _failed(load: LoadOutcome) -> str:
    if load.failure:
        return f"failed: {load.failure.reason}"
    votes = f" in {load.repeats_note}" if load.repeats_note else ""
    return f"missed the goal{votes}: {_missed(load)}"


def _missed(load: LoadOutcome) -> str:
    if load.failure:
        return load.failure.reason
    return check_text(load.check) if load.check else "no results"


def _undecided(load: LoadOutcome) -> str:
    reason = undecided_text(load.check) if load.check else "no results"
    return f"{load.phrase} is undecided, {reason}"


def _figures(load: LoadOutcome, *, with_goal: bool) -> str:
    """Return the latency goal, any other goal that is near its limit, and the throughput."""
    latency = tightest(check for check in load.worst.checks if check.goal in GOAL_FRACTIONS)
    quoted = [latency] if latency else []
    if load.check and load.check is not latency and (load.check.is_near or not latency):
        quoted.append(load.check)
    parts = [check_text(check) if with_goal else value_text(check) for check in quoted]
    if load.rps is not None and not any(check.goal == MIN_RPS for check in quoted):
        parts.append(f"{number(load.rps)} req/s")
    if load.is_suspect:
        parts.append("suspect")
    return ", ".join(parts)


def _gain(found: Recommendation) -> list[str]:
    """Return how the best configuration compares with the next smaller and larger ones."""
    best, scaling = found.best, found.scaling
    step = scaling.step(best.models) if best else None
    if best is None or step is None or len(scaling.steps) < 2:
        return []
    texts = []
    index = scaling.steps.index(step)
    if index and step.is_saturated:
        first = scaling.steps[0]
        texts.append(
            f"That is {step.speedup:.2f} times the throughput of {first.models} "
            f"({100 * step.efficiency:.0f} % efficiency)."
            if not found.has_goals
            else f"{found.subject.amount(step.models)} reach {step.speedup:.2f} times the "
            f"throughput of {first.models} ({100 * step.efficiency:.0f} % efficiency)."
        )
    if index + 1 < len(scaling.steps):
        texts.append(_next(found, step, scaling.steps[index + 1]))
    if (stop := scaling.stop_at) and stop != scaling.steps[-1].models:
        texts.append(
            f"Stop at {found.subject.amount(stop)}: beyond that, each added one contributes less "
            f"than half of the first."
        )
    return texts


def _next(found: Recommendation, step: Step, after: Step) -> str:
    amount = found.subject.amount(after.models)
    verb = found.subject.verb(after.models, "reaches", "reach")
    carries = ""
    larger = _configuration(found, after.models)
    failed = larger.first_failed if larger else None
    if failed and failed.failure:
        return f"{amount} failed at {failed.phrase}: {failed.failure.reason}."
    if found.has_goals and after.models in found.ties and larger and larger.capacity:
        limit = larger.capacity
        also = "carry no more than" if larger.next_load(limit) else "also carry at least"
        carries = f"{also} {limit.phrase} and "
    if not after.is_saturated:
        return f"{amount} {carries}{verb} at least {number(after.rps)} req/s."
    if are_equal(step.rps, after.rps):
        same = f"the same throughput as {step.models}, within {100 * TIE:g} %"
        return f"{amount} {carries}{verb} {same}."
    change = after.rps / step.rps - 1
    more = "more" if change > 0 else "less"
    return (
        f"{amount} {carries}{verb} {100 * abs(change):.0f} % {more} throughput than {step.models}: "
        f"{number(after.rps)} req/s."
    )


def _configuration(found: Recommendation, models: int) -> Configuration | None:
    return next((one for one in found.configurations if one.models == models), None)


def _bottleneck(found: Recommendation) -> list[str]:
    load, limit = found.limiting_load, found.limit
    if found.bottleneck is None or load is None or limit is None or load.failure:
        return []
    where = load.phrase
    if found.subject.is_scaled and found.best is not limit:
        where = f"{where} with {found.subject.amount(limit.models)}"
    busy = ""
    if found.busy_cores and found.bottleneck.kind is not BottleneckKind.CLIENT:
        cores = {1: "the only core is", 2: "both cores are"}.get(
            found.busy_cores, f"all {found.busy_cores} cores are"
        )
        busy = f"; {cores} busy"
    return [f"Bottleneck at {where}: {found.bottleneck.text}{busy}."]


def short_answer(found: Recommendation, *, with_value: bool = False) -> str:
    """Return the answer in a few words for a list, such as `2 containers carry 50 users`.

    Args:
        found: The recommendation.
        with_value: Whether to return a sentence with the value of the goal: `, p95 412 ms`.
    """
    best = found.best
    if best is None and found.has_goals and found.configurations:
        return "No configuration met the goals" if with_value else "goals not met"
    if best is None:
        return ""
    amount = found.subject.amount(best.models)
    load = best.capacity if found.has_goals else None
    if load is None:
        verb = found.subject.verb(best.models, "reaches", "reach")
        return f"{amount} {verb} {number(best.peak.rps)} req/s" if best.peak else ""
    at_least = "" if best.next_load(load) else "≥ "
    verb = found.subject.verb(best.models, "carries", "carry")
    value = f", {value_text(load.check)}" if with_value and load.check else ""
    return f"{amount} {verb} {at_least}{load.phrase}{value}"
