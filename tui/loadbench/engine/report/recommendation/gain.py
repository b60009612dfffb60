"""Sentences about the throughput of the answer, compared with fewer and with more models."""

from loadbench.engine.numbers import number
from loadbench.engine.report.recommendation.capacity import Configuration
from loadbench.engine.report.recommendation.goals import value_text
from loadbench.engine.report.recommendation.knee import TIE, are_equal
from loadbench.engine.report.recommendation.recommend import Recommendation
from loadbench.engine.report.recommendation.scaling import Step
from loadbench.engine.report.recommendation.subject import listed


def gain_sentences(found: Recommendation) -> list[str]:
    """Return how the best configuration compares with the smallest and the next larger one."""
    best, steps = found.best, found.scaling.steps
    step = found.scaling.step(best.models) if best else None
    if step is None or len(steps) < 2:
        return []
    index = steps.index(step)
    texts = [_speedup(found, step)] if index and step.speedup is not None else []
    if index + 1 < len(steps):
        texts.append(_larger(found, step, steps[index + 1]))
    more = [
        models for models in found.ties if models > steps[min(index + 1, len(steps) - 1)].models
    ]
    if more:
        same = "carry the same load" if found.has_goals else "reach the same throughput"
        texts.append(f"{listed(more)} {found.subject.plural} {same}, too.")
    if stop := found.scaling.stop_at:
        amount = found.subject.amount(stop)
        text = f"Stop at {amount}:" if stop == step.models else f"Beyond {amount},"
        texts.append(f"{text} each further one adds less than half of what each of the first did.")
    return texts


def _speedup(found: Recommendation, step: Step) -> str:
    """Return the speed-up over the smallest configuration, with its range over repeats."""
    fewest = found.subject.amount(found.scaling.steps[0].models)
    spread = ""
    if step.speedup_range:
        low, high = step.speedup_range
        spread = f" ({low:.2f} to {high:.2f} across repeats)"
    once = ", each measured once" if step.repeats == 1 else ""
    return (
        f"{found.subject.amount(step.models)} reach {step.speedup:.2f} times{spread} the "
        f"throughput of {fewest} ({100 * (step.efficiency or 0.0):.0f} % efficiency{once})."
    )


def _larger(found: Recommendation, step: Step, after: Step) -> str:
    """Return capacity and throughput of the next larger configuration."""
    amount = found.subject.amount(after.models)
    one = next(one for one in found.configurations if one.models == after.models)
    failed = one.first_failed
    if failed and failed.failure:
        reason = f"{failed.repeats_note}: {failed.failure.reason}"
        return f"{amount} failed at {failed.phrase}{reason}."
    capacity, change = _carries(found, one), after.rps / step.rps - 1
    if not after.is_saturated:
        return _joined(amount, capacity, f"reach at least {number(after.rps)} req/s")
    if not step.is_saturated:
        return _joined(amount, capacity, f"reach {number(after.rps)} req/s")
    if are_equal(step.rps, after.rps):
        return _joined(amount, capacity, f"reach the same throughput, within {100 * TIE:g} %")
    share = f"{100 * abs(change):.0f} % {'more' if change > 0 else 'less'} throughput"
    is_mixed = (change > 0) == _is_smaller(found, one)
    reach = f"reach {share}: {number(after.rps)} instead of {number(step.rps)} req/s"
    return _joined(amount, capacity, reach, conjunction="but" if is_mixed else "and")


def _is_smaller(found: Recommendation, one: Configuration) -> bool:
    """Return whether the capacity of a configuration is smaller than that of the answer."""
    best = found.best
    load, answer = one.capacity, best.capacity if best else None
    return answer is not None and (load is None or load.amount < answer.amount)


def _joined(amount: str, capacity: str, throughput: str, *, conjunction: str = "and") -> str:
    return f"{amount} {f'{capacity} {conjunction} ' if capacity else ''}{throughput}."


def _carries(found: Recommendation, one: Configuration) -> str:
    """Return how the capacity of a larger configuration compares with the answer, or ''."""
    best = found.best
    load, answer = one.capacity, best.capacity if best else None
    if not found.has_goals or answer is None:
        return ""
    if load is None:
        return "" if one.undecided else "carry none of the measured loads"
    if load.amount < answer.amount:
        return f"carry only {load.phrase}" if one.first_failed else ""
    at_least = "" if one.first_failed else "at least "
    value = f" ({value_text(load.check)})" if load.check else ""
    return f"also carry {at_least}{load.phrase}{value}"
