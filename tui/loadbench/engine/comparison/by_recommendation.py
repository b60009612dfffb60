"""Compare the recommendations of two runs, which also works if their grids have no cell in common.

A capacity is known only as a bracket: the largest load that passed, and the smallest that failed.
So the ratio of two capacities lies between the smallest and the largest ratio that the brackets
allow. Nothing is interpolated.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from loadbench.engine.comparison.model import Comparison, Side
from loadbench.engine.numbers import number
from loadbench.engine.report.recommendation.capacity import Configuration
from loadbench.engine.report.recommendation.goal import all_goals
from loadbench.engine.report.recommendation.loads import LoadOutcome
from loadbench.engine.report.recommendation.recommend import Recommendation
from loadbench.engine.report.recommendation.sentences import short_answer


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityRatio:
    """The ratio of two capacities, after / before."""

    measured: float
    """Ratio of the largest loads that passed."""
    low: float
    """Lower end of what the brackets allow. 0 if the baseline was not measured to its limit."""
    high: float | None
    """Upper end. None if the candidate was not measured to its limit."""


def capacity_ratio(comparison: Comparison) -> CapacityRatio | None:
    """Return the ratio of the capacities, or None if one is unknown or the goals differ."""
    before, after = (_best(side) for side in (comparison.before, comparison.after))
    if before is None or after is None or _have_other_goals(comparison):
        return None
    old, new = before.capacity, after.capacity
    if old is None or new is None:
        return None
    old_end, new_end = before.first_failed, after.first_failed
    return CapacityRatio(
        measured=new.amount / old.amount,
        low=new.amount / old_end.amount if old_end else 0.0,
        high=new_end.amount / old.amount if new_end else None,
    )


def recommendation_sentences(comparison: Comparison) -> tuple[str, ...]:
    """Return the capacities of both runs and their ratio as sentences.

    Without goals, the highest throughputs are compared.
    """
    sides = comparison.before, comparison.after
    if comparison.is_same_run or any(side.run.recommendation is None for side in sides):
        return ()
    if _have_other_goals(comparison):
        return (f"The goals differ, so the capacities cannot be compared: {_answers(sides)}.",)
    ratio = capacity_ratio(comparison)
    if ratio is not None:
        old, new = (_capacity(side) for side in sides)
        return (f"{new}, {old}: {_ratio_text(ratio)}.",)
    if answers := _answers(sides):
        return (f"{answers}.",)
    return ()


def _answers(sides: Sequence[Side]) -> str:
    """Return the answers of both runs in a few words, the candidate first."""
    answers = (
        (side.name, short_answer(found))
        for side in reversed(sides)
        if (found := side.run.recommendation)
    )
    return "; ".join(f"{name}: {answer or 'no usable results'}" for name, answer in answers)


def _ratio_text(ratio: CapacityRatio) -> str:
    """Return the ratio of the measured capacities, and what the brackets allow."""
    measured = "equal" if ratio.measured == 1 else f"{_times(ratio.measured)} times"
    if ratio.low and ratio.high is not None:
        limits = f"between {_times(ratio.low)} and {_times(ratio.high)} times within the brackets"
    elif ratio.low:
        limits = f"at least {_times(ratio.low)} times, because no load failed in the candidate"
    elif ratio.high is not None:
        limits = f"at most {_times(ratio.high)} times, because no load failed in the baseline"
    else:
        limits = "without limits, because no load failed in either run"
    return f"{measured} as measured, {limits}"


def _times(ratio: float) -> str:
    return number(ratio, 2) if ratio < 10 else number(ratio)


def _capacity(side: Side) -> str:
    """Return the capacity of a run, such as `with_gpu carries 400 users with 1 container`."""
    found, best = _recommendation(side), _best(side)
    assert best is not None
    load = best.capacity
    assert load is not None
    at_least = "at least " if best.is_lower_bound else ""
    return (
        f"{side.name} carries {at_least}{load.phrase}{found.subject.with_models(best.models)}"
        f"{_bracket(best, load)}"
    )


def _bracket(best: Configuration, load: LoadOutcome) -> str:
    failed = best.first_failed
    return f" and fails at {failed.amount:g}" if failed and failed is not load else ""


def _recommendation(side: Side) -> Recommendation:
    found = side.run.recommendation
    assert found is not None
    return found


def _best(side: Side) -> Configuration | None:
    found = side.run.recommendation
    return found.best if found and found.has_goals else None


def _have_other_goals(comparison: Comparison) -> bool:
    found = [side.run.recommendation for side in (comparison.before, comparison.after)]
    goals = [set(all_goals(one.goals)) for one in found if one]
    return len(goals) == len(found) and goals[0] != goals[1]
