"""Sentences about the throughput of the answer, compared with fewer and with more models."""

from loadbench.engine.numbers import number
from loadbench.engine.report.recommendation.capacity import Configuration
from loadbench.engine.report.recommendation.recommend import Recommendation
from loadbench.engine.report.recommendation.scaling import TIE, Step, are_equal

_FEWER = "carry"
"""First word of a capacity that is smaller than the answer."""


def gain_sentences(found: Recommendation) -> list[str]:
    """Return how the best configuration compares with the smallest and the next larger one."""
    best, steps = found.best, found.scaling.steps
    step = found.scaling.step(best.models) if best else None
    if step is None or len(steps) < 2:
        return []
    index = steps.index(step)
    texts = [_speedup(found, step)] if index and step.is_saturated else []
    if index + 1 < len(steps):
        texts.append(_larger(found, step, steps[index + 1]))
    stop = found.scaling.stop_at
    if stop == step.models:
        texts.append(
            f"Stop at {found.subject.amount(stop)}: beyond that, each added one contributes less "
            "than half of the first."
        )
    elif stop:
        texts.append(
            f"Beyond {found.subject.amount(stop)}, each added one contributes less than half of "
            "the first one's throughput."
        )
    return texts


def _speedup(found: Recommendation, step: Step) -> str:
    """Return the speed-up over the smallest configuration, with its range over repeats."""
    fewest = found.subject.amount(found.scaling.steps[0].models)
    spread = ""
    if step.speedup_range:
        low, high = step.speedup_range
        spread = f" ({low:.2f} to {high:.2f} across repeats)"
    return (
        f"{found.subject.amount(step.models)} reach {step.speedup:.2f} times{spread} the "
        f"throughput of {fewest} ({100 * step.efficiency:.0f} % efficiency)."
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
    if are_equal(step.rps, after.rps):
        return _joined(amount, capacity, f"reach the same throughput, within {100 * TIE:g} %")
    share = f"{100 * abs(change):.0f} % {'more' if change > 0 else 'less'} throughput"
    is_mixed = (change > 0) == capacity.startswith(_FEWER)
    reach = f"reach {share}: {number(after.rps)} req/s"
    return _joined(amount, capacity, reach, conjunction="but" if is_mixed else "and")


def _joined(amount: str, capacity: str, throughput: str, *, conjunction: str = "and") -> str:
    return f"{amount} {f'{capacity} {conjunction} ' if capacity else ''}{throughput}."


def _carries(found: Recommendation, one: Configuration) -> str:
    """Return how the capacity of a larger configuration compares with the answer, or ''."""
    best = found.best
    load, answer = one.capacity, best.capacity if best else None
    if not found.has_goals or answer is None:
        return ""
    if load is None:
        return "" if one.undecided else f"{_FEWER} none of the measured loads"
    if load.amount < answer.amount:
        return f"{_FEWER} only {load.phrase}" if one.first_failed else ""
    at_least = "" if one.first_failed else "at least "
    return f"also carry {at_least}{load.phrase}"
