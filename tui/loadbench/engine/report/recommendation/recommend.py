"""Derive the recommendation of a run from its finished cells."""

from collections.abc import Sequence
from dataclasses import dataclass

from loadbench.engine.journal.events import CellFinished
from loadbench.engine.journal.state import CellState, CellStatus, RunState
from loadbench.engine.measure.bottleneck import Bottleneck
from loadbench.engine.measure.rules.registry import IDLE_REPLICA
from loadbench.engine.profile.sections.goals import Goals
from loadbench.engine.profile.target import Balance, Target
from loadbench.engine.report.recommendation.capacity import (
    Configuration,
    cheapest,
    configurations,
    misses_only_throughput,
)
from loadbench.engine.report.recommendation.doubts import doubts_of
from loadbench.engine.report.recommendation.goal import all_goals
from loadbench.engine.report.recommendation.knee import are_equal
from loadbench.engine.report.recommendation.loads import LoadOutcome
from loadbench.engine.report.recommendation.next_step import Situation, busy_cores, next_step
from loadbench.engine.report.recommendation.scaling import Scaling, scaling
from loadbench.engine.report.recommendation.subject import Subject, subject_of
from loadbench.engine.report.rows import bottleneck_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """The answer of a run, and what it is based on."""

    subject: Subject
    goals: Goals
    main: str | None
    """Name of the main requests, of which all figures are. None: all requests."""
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
    is_complete: bool
    """Whether no cell remains to be measured, and no search has to plan another one."""

    @property
    def has_goals(self) -> bool:
        """Whether the profile sets a goal."""
        return bool(all_goals(self.goals))


def recommendation_of(state: RunState) -> Recommendation | None:
    """Return the recommendation of a run, or None if this version cannot read its profile."""
    profile, started = state.profile, state.started
    if profile is None or started is None:
        return None
    cells, goals = tuple(state.cells.values()), profile.goals
    found = configurations(cells, goals, profile.load.main)
    subject, scaled = subject_of(profile, started.driver), scaling(found)
    has_goals = bool(all_goals(goals))
    best = _largest_capacity(found) if has_goals else _highest_throughput(found)
    limit = _limiting(found, best, has_goals=has_goals)
    load = _limiting_load(limit, has_goals=has_goals)
    deciding = load.worst.deciding if load else None
    idle = _with_idle_replica(cells)
    situation = Situation(
        subject=subject,
        configurations=found,
        best=best,
        limit=limit,
        load=load,
        bottleneck=bottleneck_of(state, deciding.cell) if deciding else None,
        busy_cores=busy_cores(deciding.finished) if deciding else None,
        stop_at=scaled.stop_at,
        has_goals=has_goals,
        is_run_time_auto=profile.is_run_time_auto,
        idle=idle.cell if idle else "",
        distributor=_distributor(idle, started.target) if idle else "",
    )
    is_complete = not state.outstanding and not _is_searching(state)
    return Recommendation(
        subject=subject,
        goals=goals,
        main=profile.load.main,
        configurations=found,
        best=best,
        ties=_ties(found, best, has_goals=has_goals),
        cheapest=cheapest(found) if has_goals else (),
        scaling=scaled,
        limit=limit,
        limiting_load=load,
        bottleneck=situation.bottleneck,
        busy_cores=situation.busy_cores,
        next_step=next_step(situation) if is_complete else _resume(state),
        doubts=doubts_of(state, found, scaled, subject, best if has_goals else None),
        is_complete=is_complete,
    )


def _with_idle_replica(cells: Sequence[CellState]) -> CellFinished | None:
    """Return the first results that have that finding, or None."""
    finished = (cell.finished for cell in cells if cell.status is CellStatus.FINISHED)
    return next(
        (
            found
            for found in finished
            if found and any(finding.rule == IDLE_REPLICA for finding in found.findings)
        ),
        None,
    )


def _distributor(finished: CellFinished, target: Target | None) -> str:
    """Return what distributed the requests of a cell among the replicas."""
    if target and target.balance is Balance.CLIENTS:
        return "the locustfile"
    service = finished.circumstances.service if finished.circumstances else None
    # Workers with counters take their jobs from a queue.
    return "the queue in between" if service and service.images else "the front in between"


def _is_searching(state: RunState) -> bool:
    """Return whether a search has not ended, or only because its budget was used up."""
    ended = state.search_ended
    is_open = ended is None or not ended.is_final
    return state.profile is not None and state.profile.is_search and is_open


def _resume(state: RunState) -> str:
    """Return the next step of a run that ended with remaining cells, or '' if it may be live."""
    if not state.outstanding:
        return "resume the run to continue the search" if state.finished else ""
    remaining = len(state.outstanding)
    cells = "1 remaining cell" if remaining == 1 else f"{remaining} remaining cells"
    return f"resume the run to measure the {cells}" if state.finished else ""


def _largest_capacity(found: Sequence[Configuration]) -> Configuration | None:
    able = [one for one in found if one.capacity]
    return max(able, key=lambda one: one.capacity.amount if one.capacity else 0, default=None)


def _highest_throughput(found: Sequence[Configuration]) -> Configuration | None:
    peaks = [(one, one.peak.rps or 0.0) for one in found if one.peak]
    highest = max((rps for _, rps in peaks), default=0.0)
    return next((one for one, rps in peaks if are_equal(rps, highest)), None)


def _ties(
    found: Sequence[Configuration], best: Configuration | None, *, has_goals: bool
) -> tuple[int, ...]:
    if best is None:
        return ()
    return tuple(
        one.models
        for one in found
        if one.models > best.models and _are_tied(one, best, has_goals=has_goals)
    )


def _are_tied(one: Configuration, best: Configuration, *, has_goals: bool) -> bool:
    if has_goals:
        pair = one.capacity, best.capacity
        return pair[0] is not None and pair[1] is not None and pair[0].amount == pair[1].amount
    peaks = one.peak, best.peak
    return (
        peaks[0] is not None
        and peaks[1] is not None
        and (are_equal(peaks[0].rps or 0.0, peaks[1].rps or 0.0))
    )


def _limiting(
    found: Sequence[Configuration], best: Configuration | None, *, has_goals: bool
) -> Configuration | None:
    """Return the configuration that explains why the answer is not larger.

    That is the next larger configuration after the best, which did not raise the capacity. It is
    the best itself if there is none, or if the best was not measured up to its limit. If there is
    no best, it is the largest.
    """
    if best is None:
        return found[-1] if found else None
    after = next((one for one in found if one.models > best.models), best)
    if has_goals and not (best.first_failed and (after.first_failed or after.undecided)):
        return best
    return after


def _limiting_load(limit: Configuration | None, *, has_goals: bool) -> LoadOutcome | None:
    if limit is None:
        return None
    if not has_goals:
        # Without goals, only the exit of a replica is a failure.
        return limit.first_failed or limit.peak
    if limit.first_failed and misses_only_throughput(limit.first_failed):
        return limit.peak
    return limit.first_failed or next(iter(limit.undecided_above), limit.loads[-1])
