"""What a search knows from the ended cells of a run: outcomes by load, as in the recommendation."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from loadbench.engine.block_map import BlockMap
from loadbench.engine.journal.events import Phase
from loadbench.engine.journal.search import ProbeReason
from loadbench.engine.journal.state import ENDED_STATUSES, CellState, CellStatus, RunState
from loadbench.engine.profile.levels import Closed, Level
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.plan import Cell
from loadbench.engine.report.recommendation.capacity import Configuration, configurations
from loadbench.engine.report.recommendation.goals import Outcome
from loadbench.engine.report.recommendation.loads import LevelOutcome, LoadOutcome
from loadbench.engine.search.spread import margin, spreads_of

MIN_REPEATS = 2
"""Number of repeats that confirm an edge, unless it is far from all limits."""
MAX_REPEATS = 7
"""Maximum number of repeats of an edge that is close to a limit."""
MAX_UNUSABLE = 2
"""Number of unusable or undecided repeats after which a level is left out."""
FAR = 3.0
"""Margin in spreads from which an edge is not repeated. A normal value exceeds it with a
probability of 0.13 %, or of 1.2 % if the spread is estimated with only six degrees of freedom."""
CLOSE = 1.0
"""Margin in standard errors below which an edge is repeated further: a sequential test with a
constant boundary (P. Armitage, C. K. McPherson and B. C. Rowe, Repeated significance tests on
accumulating data, Journal of the Royal Statistical Society A 132, 1969)."""
SEPARABLE = 4.5
"""Distance between both edges in spreads from which more than three repeats are worth their time.
Between nearer levels even seven repeats often err, and the answer is within one level anyway. This
and the two limits above were selected by simulation with other seeds than those of
`bench.capacity_search`."""


@dataclass(frozen=True, kw_only=True)  # no slots: cached properties need a __dict__
class SearchedLevel:
    """The ended cells of a level, such as 50 users at a spawn rate of 10 users/s."""

    level: Level
    cells: tuple[CellState, ...] = ()
    outcome: LevelOutcome | None = None
    """None if no cell has usable results."""

    @cached_property
    def next_repeat(self) -> int:
        """The smallest number of a repeat that has not ended."""
        ended = {cell.cell.repeat for cell in self.cells}
        return next(number for number in range(1, len(ended) + 2) if number not in ended)

    @property
    def is_decided(self) -> bool:
        """Whether the level passes or misses."""
        return self.outcome is not None and self.outcome.outcome is not Outcome.UNDECIDED

    @property
    def is_missed(self) -> bool:
        """Whether the level misses a goal."""
        return self.outcome is not None and self.outcome.outcome is Outcome.MISSED

    @property
    def usable(self) -> int:
        """Number of repeats that count."""
        return len(self.outcome.repeats) if self.outcome else 0

    @property
    def unusable(self) -> int:
        """Number of repeats that failed, are invalid or undecided."""
        undecided = self.outcome.count(Outcome.UNDECIDED) if self.outcome else 0
        return len(self.cells) - self.usable + undecided

    @property
    def lead(self) -> int:
        """By how many repeats the more frequent of passed and missed leads. 0 if tied."""
        found = self.outcome
        return abs(found.count(Outcome.PASSED) - found.count(Outcome.MISSED)) if found else 0

    @property
    def is_repeated(self) -> bool:
        """Whether enough repeats agree to confirm an edge."""
        return self.usable >= MIN_REPEATS and self.lead > 0

    def next_reason(self, repeats: int) -> ProbeReason | None:
        """Return why the level needs another repeat to count, or None if it needs none.

        Args:
            repeats: Number of repeats that the profile asks for.
        """
        if not self._may_repeat(repeats):
            return None
        if not self.is_decided:
            return ProbeReason.RETRY
        return ProbeReason.REPEAT if self.usable < repeats else None

    def edge_reason(self, repeats: int, margin: float, *, is_separable: bool) -> ProbeReason | None:
        """Return why the level needs another repeat as an edge, or None if it needs none.

        Args:
            repeats: Number of repeats that the profile asks for.
            margin: Distance of its results from the limits in spreads, 0 if unknown.
            is_separable: Whether both edges are far enough apart for further repeats.
        """
        if not self._may_repeat(repeats):
            return None
        if self.usable < MIN_REPEATS:
            return ProbeReason.CONFIRM if margin <= FAR else None
        if self.lead == 0:
            return ProbeReason.TIE
        if not is_separable or self.usable >= MAX_REPEATS:
            return None
        if self.lead < MIN_REPEATS:
            return ProbeReason.TIE
        is_close = 0 < margin * math.sqrt(self.usable) < CLOSE
        return ProbeReason.CONFIRM if is_close else None

    def _may_repeat(self, repeats: int) -> bool:
        is_skipped = any(cell.status is CellStatus.SKIPPED for cell in self.cells)
        limit = max(repeats + 1, MAX_REPEATS) + MAX_UNUSABLE - 1
        return not is_skipped and len(self.cells) < limit and self.unusable < MAX_UNUSABLE


@dataclass(frozen=True, kw_only=True)  # no slots: cached properties need a __dict__
class SearchRow:
    """What is known about one number of models."""

    models: int
    amounts: tuple[float, ...]
    """The loads of the profile, ascending."""
    levels: Mapping[float, Sequence[SearchedLevel]]
    """The levels of each load of the profile, in the order of its spawn rates."""
    configuration: Configuration

    @property
    def missed(self) -> float | None:
        """The smallest load that missed a goal. None if none did."""
        failed = self.configuration.first_failed
        return failed.amount if failed else None

    @property
    def passed(self) -> float | None:
        """The largest load that passed below it. None if none passed."""
        capacity = self.configuration.capacity
        return capacity.amount if capacity else None

    @cached_property
    def low(self) -> float:
        """The largest load below the capacity or equal to it. 0 if there is none.

        Besides loads that passed, these are the loads that are too small for the throughput goal.
        """
        high = self.high
        below = [self.passed or 0.0]
        below += [load.amount for load in self.configuration.too_small if load.amount < high]
        return max(below)

    @property
    def high(self) -> float:
        """The smallest load that missed. Infinite if none did."""
        return float("inf") if self.missed is None else self.missed

    @cached_property
    def candidates(self) -> tuple[float, ...]:
        """The loads of the profile within the bracket that were not measured, ascending."""
        return tuple(amount for amount in self.within if not self.is_begun(amount))

    @property
    def within(self) -> tuple[float, ...]:
        """The loads of the profile within the bracket, ascending, without its edges."""
        return tuple(amount for amount in self.amounts if self.low < amount < self.high)

    @property
    def never_started(self) -> bool:
        """Whether several cells failed before their first user, and none after it.

        Other cells would fail, too. A replica that exits under load is a result.
        """
        cells = [cell for levels in self.levels.values() for one in levels for cell in one.cells]
        loaded = [cell for cell in cells if cell.finished or Phase.RAMPING in cell.phase_s]
        failed = sum(cell.status is CellStatus.FAILED for cell in cells)
        return failed >= MAX_UNUSABLE and not loaded

    @cached_property
    def is_retry_useless(self) -> bool:
        """Whether a load was retried, and all of its repeats had too few requests to decide."""
        every = (one.outcome for levels in self.levels.values() for one in levels)
        found = [len(one.repeats) for one in every if one and one.is_undecided]
        return max(found, default=0) > 1

    def is_begun(self, amount: float) -> bool:
        """Return whether a cell of a load has ended."""
        return any(level.cells for level in self.levels[amount])

    def cell(self, level: SearchedLevel) -> Cell:
        """Return the next cell of a level."""
        return Cell(models=self.models, level=level.level, repeat=level.next_repeat)

    def unfinished(self, repeats: int) -> tuple[Cell, ProbeReason] | None:
        """Return the next cell of a load that was begun, or None if all of them are complete.

        Only loads that may decide the capacity count: the edges, and undecided loads between them.

        Args:
            repeats: Number of repeats that the profile asks for.
        """
        begun = (each for each in self.amounts if self.low <= each <= self.high)
        rest = (self._rest_of_load(each, repeats) for each in begun if self.is_begun(each))
        return next(filter(None, rest), None)

    def _rest_of_load(self, amount: float, repeats: int) -> tuple[Cell, ProbeReason] | None:
        for level in self.levels[amount]:
            reason = level.next_reason(repeats) if level.cells else ProbeReason.SPAWN_RATE
            if reason is ProbeReason.RETRY and level.usable and self.is_retry_useless:
                return None
            if reason:
                return self.cell(level), reason
            if level.is_missed or not level.is_decided:
                return None
        return None

    def edges(self) -> tuple[SearchedLevel, ...]:
        """Return the levels that must be confirmed: that which missed, and all that passed.

        Loads outside of the profile are not included.
        """
        failed, capacity = self.configuration.first_failed, self.configuration.capacity
        worst = failed.worst.level.order if failed else None
        missed = [level for level in self._levels_of(failed) if level.level.order == worst]
        passed = [level for level in self._levels_of(capacity) if level.outcome]
        return (*missed, *passed)

    def _levels_of(self, load: LoadOutcome | None) -> Sequence[SearchedLevel]:
        return self.levels.get(load.amount, ()) if load else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What is known about all numbers of models."""

    profile: Profile
    rows: tuple[SearchRow, ...]
    """One for each number of models, in the order of the profile."""
    spreads: Mapping[str, float]
    """As returned by `spreads_of`."""

    def confirmation(self, row: SearchRow) -> tuple[Cell, ProbeReason] | None:
        """Return the next cell that confirms an edge of a row, or None if none is needed."""
        edges = row.edges()
        distances = [self._margin(level) for level in edges]
        pairs = list(zip(edges, distances, strict=True))
        missed = max((distance for level, distance in pairs if level.is_missed), default=0.0)
        passed = min((distance for level, distance in pairs if not level.is_missed), default=0.0)
        is_separable = bool(self.spreads) and (
            row.missed is None or row.passed is None or missed + passed >= SEPARABLE
        )
        for level, distance in pairs:
            repeats = self.profile.repeats
            if reason := level.edge_reason(repeats, distance, is_separable=is_separable):
                return row.cell(level), reason
        return None

    def is_confirmed(self, row: SearchRow) -> bool:
        """Return whether both edges were measured more than once, or are far from all limits."""
        loads = [row.configuration.first_failed, row.configuration.capacity]
        known = [load.amount for load in loads if load]
        edges = row.edges()
        return (
            bool(known)
            and all(amount in row.levels for amount in known)
            and all(level.is_repeated or self._margin(level) > FAR for level in edges)
        )

    def _margin(self, level: SearchedLevel) -> float:
        return margin(level.outcome, self.spreads) if level.outcome else 0.0


def profile_of(state: RunState) -> Profile:
    """Return the profile of a run.

    Raises:
        ValueError: It is unknown.
    """
    if state.profile is None:
        raise ValueError("the profile of the run is unknown")
    return state.profile


def knowledge_of(state: RunState) -> Knowledge:
    """Return what the ended cells of a run show. Outstanding cells are ignored.

    Raises:
        ValueError: The profile of the run is unknown.
    """
    profile = profile_of(state)
    newest = _newest[0]
    if newest and newest[0] is profile and newest[1] is state.cells:
        return newest[2]
    known = _knowledge(profile, state)
    _newest[0] = profile, state.cells, known
    return known


_newest: list[tuple[Profile, BlockMap[CellState], Knowledge] | None] = [None]
"""Arguments and result of the last call. Screens ask each second, but cells rarely change."""


def _knowledge(profile: Profile, state: RunState) -> Knowledge:
    ended: defaultdict[int, list[CellState]] = defaultdict(list)
    for cell in state.cells.values():
        if cell.status in ENDED_STATUSES and not cell.cell.recheck:
            ended[cell.cell.models].append(cell)
    rows = tuple(_row(profile, models, ended[models]) for models in profile.models)
    outcomes = (level for row in rows for load in row.configuration.loads for level in load.levels)
    return Knowledge(profile=profile, rows=rows, spreads=spreads_of(outcomes))


def _row(profile: Profile, models: int, cells: Sequence[CellState]) -> SearchRow:
    found = configurations(cells, profile.goals, profile.load.main)
    configuration = found[0] if found else Configuration(models=models, loads=())
    outcomes = {level.level.order: level for load in configuration.loads for level in load.levels}
    by_level: defaultdict[tuple[float, ...], list[CellState]] = defaultdict(list)
    for cell in cells:
        by_level[cell.cell.level.order].append(cell)
    levels: dict[float, list[SearchedLevel]] = {}
    for users in sorted(set(profile.users)):
        for spawn_rate in profile.spawn_rates:
            level = Closed(users=users, spawn_rate=spawn_rate)
            known = SearchedLevel(
                level=level,
                cells=tuple(by_level[level.order]),
                outcome=outcomes.get(level.order),
            )
            levels.setdefault(level.amount, []).append(known)
    return SearchRow(
        models=models, amounts=tuple(levels), levels=levels, configuration=configuration
    )
