"""Rank the configurations of several runs: the largest capacity first.

With goals, the order is that of the capacity, then of fewer replicas, then of the throughput. Runs
without goals are ranked by throughput, where nearly equal throughputs share a rank. Runs with
different goals are not ranked, because their capacities have different meanings.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from loadbench.engine.report.recommendation.capacity import Configuration
from loadbench.engine.report.recommendation.goal import Goal, all_goals
from loadbench.engine.report.recommendation.knee import are_equal
from loadbench.engine.report.recommendation.loads import LoadOutcome
from loadbench.engine.report.recommendation.recommend import Recommendation
from loadbench.engine.studies.members import Member


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedConfiguration:
    """A configuration of one of the runs, with its place in the ranking."""

    member: Member
    found: Recommendation
    """The recommendation of the run."""
    configuration: Configuration
    rank: int | None = None
    """Place from 1. None if it meets the goals at no load, or if the goals of the runs differ."""

    @property
    def load(self) -> LoadOutcome | None:
        """The load that is compared: the capacity or, without goals, that of the peak."""
        one = self.configuration
        return one.capacity if self.found.has_goals else one.peak

    @property
    def is_lower_bound(self) -> bool:
        """Whether more load, or without goals more throughput, may be possible."""
        if self.found.has_goals:
            return self.configuration.is_lower_bound
        step = self.found.scaling.step(self.configuration.models)
        return step is None or not step.is_saturated

    @property
    def described(self) -> str:
        """The configuration with its profile: `2 GPU containers at batch 10 (with_gpu)`."""
        subject = self.found.subject
        return f"{subject.described(self.configuration.models)} ({self.member.label})"

    @property
    def inner(self) -> str:
        """The same within a sentence: the name of a service starts with an article."""
        text = self.described
        return text if self.found.subject.is_scaled else f"{text[0].lower()}{text[1:]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """The configurations of all runs of a study."""

    members: tuple[Member, ...]
    configurations: tuple[RankedConfiguration, ...]
    """Those with a rank in its order, then the others in the order of the study."""
    goals: tuple[tuple[str, frozenset[Goal]], ...]
    """The label and the goals of each run with results."""

    @property
    def is_comparable(self) -> bool:
        """Whether all runs have the same goals."""
        return len({goals for _, goals in self.goals}) <= 1

    @property
    def has_goals(self) -> bool:
        """Whether a run has goals."""
        return any(goals for _, goals in self.goals)

    @property
    def best(self) -> tuple[RankedConfiguration, ...]:
        """The best configuration of each run that has one, in the order of the ranking."""
        first: dict[str, RankedConfiguration] = {}
        for one in self.configurations:
            if one.rank:
                first.setdefault(one.member.label, one)
        return tuple(first.values())

    @property
    def measured(self) -> tuple[tuple[Member, Recommendation], ...]:
        """The runs with results, in the order of the study."""
        return _measured(self.members)

    @property
    def is_complete(self) -> bool:
        """Whether nothing remains to be measured: no cell of a run, and no profile."""
        is_pending = any(member.is_pending for member in self.members)
        return not is_pending and all(found.is_complete for _, found in self.measured)


def ranking_of(members: Sequence[Member]) -> Ranking:
    """Rank the configurations of the runs of a study.

    Args:
        members: Its profiles with their runs, from `members_of`.
    """
    measured = _measured(members)
    every = [
        RankedConfiguration(member=member, found=found, configuration=one)
        for member, found in measured
        for one in found.configurations
    ]
    goals = tuple(
        (member.label, frozenset(all_goals(found.goals, found.main))) for member, found in measured
    )
    ranking = Ranking(members=tuple(members), configurations=tuple(every), goals=goals)
    if not ranking.is_comparable:
        return ranking
    able = [one for one in every if one.load]
    able = _by_capacity(able) if ranking.has_goals else _by_throughput(able)
    return replace(ranking, configurations=(*able, *(one for one in every if not one.load)))


def _measured(members: Sequence[Member]) -> tuple[tuple[Member, Recommendation], ...]:
    return tuple(
        (member, found)
        for member in members
        if member.run and (found := member.run.recommendation) and found.configurations
    )


def _by_capacity(able: Sequence[RankedConfiguration]) -> list[RankedConfiguration]:
    """Rank by capacity. A rank is shared if replicas and throughput are equal, too."""
    ordered = sorted(able, key=lambda one: (-_amount(one), one.configuration.models, -_rps(one)))
    return _ranked(
        ordered,
        lambda one, other: (
            _amount(one) == _amount(other)
            and one.configuration.models == other.configuration.models
            and are_equal(_rps(one), _rps(other))
        ),
    )


def _by_throughput(able: Sequence[RankedConfiguration]) -> list[RankedConfiguration]:
    """Rank by throughput. Equal throughputs share a rank, those with fewer replicas first."""
    ranked = _ranked(
        sorted(able, key=_rps, reverse=True), lambda one, other: are_equal(_rps(one), _rps(other))
    )
    return sorted(ranked, key=lambda one: (one.rank or 0, one.configuration.models, -_rps(one)))


def _ranked(
    ordered: Sequence[RankedConfiguration],
    are_tied: Callable[[RankedConfiguration, RankedConfiguration], bool],
) -> list[RankedConfiguration]:
    """Return configurations with their ranks: 1, 1, 3, ….

    Args:
        ordered: The configurations, the best first.
        are_tied: Whether a configuration shares the rank of the first one with that rank.
    """
    ranked: list[RankedConfiguration] = []
    first: RankedConfiguration | None = None
    for place, one in enumerate(ordered, start=1):
        is_tied = first is not None and are_tied(one, first)
        ranked.append(replace(one, rank=first.rank if first and is_tied else place))
        first = first if is_tied else ranked[-1]
    return ranked


def _amount(one: RankedConfiguration) -> float:
    return one.load.amount if one.load else 0.0


def _rps(one: RankedConfiguration) -> float:
    return (one.load.rps if one.load else None) or 0.0
