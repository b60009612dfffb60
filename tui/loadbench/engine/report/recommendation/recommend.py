"""Derive the recommendation of a run from its finished cells."""

from collections.abc import Sequence
from dataclasses import dataclass

from loadbench.engine.journal.events import CellFinished
from loadbench.engine.journal.state import RunState
from loadbench.engine.measure.bottleneck import Bottleneck, BottleneckKind
from loadbench.engine.profile.model import Goals
from loadbench.engine.report.recommendation.capacity import (
    Configuration,
    cheapest,
    configurations,
)
from loadbench.engine.report.recommendation.doubts import doubts_of
from loadbench.engine.report.recommendation.goals import Outcome, set_goals
from loadbench.engine.report.recommendation.loads import LoadOutcome, usable_results
from loadbench.engine.report.recommendation.next_step import Situation, advice, busy_cores
from loadbench.engine.report.recommendation.scaling import Scaling, are_equal, knee, scaling
from loadbench.engine.report.recommendation.subject import Subject, subject_of
from loadbench.engine.report.rows import bottleneck_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """The answer of a run, and what it is based on."""

    subject: Subject
    goals: Goals
    configurations: tuple[Configuration, ...]
    """By ascending number of models. Empty if no cell has usable results."""
    best: Configuration | None
    """The smallest configuration with the largest capacity, or without goals with the highest
    throughput. None if none met the goals."""
    ties: tuple[int, ...]
    """Larger numbers of models with the same capacity, or without goals the same throughput."""
    cheapest: tuple[tuple[LoadOutcome, int], ...]
    """Each load that some configuration carries, with the smallest number of models."""
    scaling: Scaling
    limit: Configuration | None
    """The configuration that explains why the answer is not larger."""
    limiting_load: LoadOutcome | None
    """The load at which that configuration failed, or else its largest load."""
    bottleneck: Bottleneck | None
    """Bottleneck at that load."""
    busy_cores: int | None
    """Number of cores of the machine if all were busy at that load."""
    next_step: str
    """What to try next, as an imperative clause. Empty if nothing follows from the results."""
    doubts: tuple[str, ...]
    """Reasons why the answer may not hold, as clauses."""
    cells: int
    """Number of cells with usable results."""
    is_complete: bool
    """Whether no cell remains to be measured."""

    @property
    def has_goals(self) -> bool:
        """Whether the profile sets a goal."""
        return bool(set_goals(self.goals))


def recommendation_of(state: RunState) -> Recommendation | None:
    """Return the recommendation of a run, or None if this version cannot read its profile."""
    profile, started = state.profile, state.started
    if profile is None or started is None:
        return None
    cells, goals = tuple(state.cells.values()), profile.goals
    found = configurations(cells, goals)
    subject, scaled = subject_of(profile, started.driver), scaling(found)
    with_goals = bool(set_goals(goals))
    best = _largest_capacity(found) if with_goals else _highest_throughput(found)
    limit = _limiting(found, best)
    load = _limiting_load(limit, with_goals=with_goals)
    bottleneck = _bottleneck(state, load)
    results = _results(load)
    busy = busy_cores(results)
    largest = found[-1].models if found else 0
    stop_at = scaled.stop_at
    situation = Situation(
        subject=subject,
        models=largest,
        bottleneck=bottleneck,
        busy_cores=busy,
        is_worthwhile=stop_at is None or stop_at == largest,
    )
    return Recommendation(
        subject=subject,
        goals=goals,
        configurations=found,
        best=best,
        ties=_ties(found, best, with_goals=with_goals),
        cheapest=cheapest(found) if with_goals else (),
        scaling=scaled,
        limit=limit,
        limiting_load=load,
        bottleneck=bottleneck,
        busy_cores=busy,
        next_step=_next_step(situation, best, found, load, with_goals=with_goals),
        doubts=doubts_of(state, found, scaled, subject),
        cells=sum(usable_results(cell) is not None and not cell.cell.recheck for cell in cells),
        is_complete=not state.outstanding,
    )


def _largest_capacity(found: Sequence[Configuration]) -> Configuration | None:
    able = [one for one in found if one.capacity]
    return max(able, key=lambda one: one.capacity.amount if one.capacity else 0, default=None)


def _highest_throughput(found: Sequence[Configuration]) -> Configuration | None:
    peaks = [(one, one.peak.rps or 0.0) for one in found if one.peak]
    highest = max((rps for _, rps in peaks), default=0.0)
    return next((one for one, rps in peaks if are_equal(rps, highest)), None)


def _ties(
    found: Sequence[Configuration], best: Configuration | None, *, with_goals: bool
) -> tuple[int, ...]:
    if best is None:
        return ()
    return tuple(
        one.models
        for one in found
        if one.models > best.models and _are_tied(one, best, with_goals=with_goals)
    )


def _are_tied(one: Configuration, best: Configuration, *, with_goals: bool) -> bool:
    if with_goals:
        pair = one.capacity, best.capacity
        return pair[0] is not None and pair[1] is not None and pair[0].amount == pair[1].amount
    peaks = one.peak, best.peak
    return (
        peaks[0] is not None
        and peaks[1] is not None
        and (are_equal(peaks[0].rps or 0.0, peaks[1].rps or 0.0))
    )


def _limiting(found: Sequence[Configuration], best: Configuration | None) -> Configuration | None:
    """Return the next larger configuration after the best, which did not raise the capacity.

    If there is none, return the best itself; if none is the best, the largest configuration.
    """
    if best is None:
        return found[-1] if found else None
    return next((one for one in found if one.models > best.models), best)


def _limiting_load(limit: Configuration | None, *, with_goals: bool) -> LoadOutcome | None:
    if limit is None:
        return None
    if with_goals:
        return limit.first_failed or limit.loads[-1]
    return limit.peak


def _results(load: LoadOutcome | None) -> CellFinished | None:
    """Return the results of the first usable cell of the level that determined the outcome."""
    used = load.worst.used if load else ()
    return usable_results(used[0]) if used else None


def _bottleneck(state: RunState, load: LoadOutcome | None) -> Bottleneck | None:
    used = load.worst.used if load else ()
    return bottleneck_of(state, used[0]) if used else None


def _next_step(
    situation: Situation,
    best: Configuration | None,
    found: Sequence[Configuration],
    load: LoadOutcome | None,
    *,
    with_goals: bool,
) -> str:
    if not found or load is None:
        return ""
    if load.failure:
        culprit = load.failure.container or "the service"
        return f"read the log of {culprit}, which exited in cell {load.failure.cell}"
    is_client_bound = (
        situation.bottleneck is not None and situation.bottleneck.kind is BottleneckKind.CLIENT
    )
    if with_goals and best and not is_client_bound:
        limit = best.capacity
        above = best.next_load(limit) if limit else None
        if limit and above is None:
            return f"measure more than {limit.phrase} to find the limit"
        if above and above.outcome is Outcome.UNDECIDED:
            return f"increase run_time, so that {above.phrase} can be decided"
    suggested = advice(situation)
    if (
        with_goals
        and best is None
        and not any(level.outcome is Outcome.UNDECIDED for one in found for level in one.loads)
    ):
        smallest = min((one.loads[0] for one in found), key=lambda load: load.amount)
        fewer = f"measure fewer than {smallest.phrase}" if smallest.amount > 1 else ""
        return ", or ".join(filter(None, (fewer, suggested)))
    if with_goals and best is None:
        return "increase run_time, so that percentiles can be decided"
    peak = best.peak if best else None
    if not with_goals and best and peak and not is_client_bound and not knee(best.loads):
        return f"measure more than {peak.phrase}, because throughput was still rising"
    return suggested
