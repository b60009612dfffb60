"""Whether a number of models carries a load, from all cells measured at it.

A load is an amount such as 50 users. It passes if it passes at every measured spawn rate. With
repeats, a spawn rate passes if more than half of them pass, and it misses if at least half of them
miss. Suspect cells count, invalid cells do not. A cell whose replica exited counts as missed,
because the configuration did not survive the load.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median

from loadbench.engine.journal.events import CellFailed, CellFinished, Verdict
from loadbench.engine.journal.state import ENDED_STATUSES, CellState, CellStatus
from loadbench.engine.measure.main_request import results_of_name
from loadbench.engine.profile.levels import Level
from loadbench.engine.profile.sections.goals import Goals
from loadbench.engine.report.recommendation.goals import (
    GoalCheck,
    Outcome,
    check_goals,
    tightest,
    worst_of,
)


@dataclass(frozen=True, kw_only=True)  # no slots: cached properties need a __dict__
class RepeatOutcome:
    """Outcome of one measurement of a level."""

    cell: CellState
    finished: CellFinished | None
    """Its results for the main requests. None if a replica exited."""
    checks: tuple[GoalCheck, ...] = ()

    @cached_property
    def outcome(self) -> Outcome:
        """Missed if a replica exited, otherwise the worst outcome of all goals."""
        return worst_of(check.outcome for check in self.checks) if self.finished else Outcome.MISSED

    @property
    def failure(self) -> CellFailed | None:
        """Why the replica exited. None if none did."""
        return None if self.finished else self.cell.failed


@dataclass(frozen=True, kw_only=True)  # no slots: cached properties need a __dict__
class LevelOutcome:
    """Outcome of one level, such as 50 users at a spawn rate of 10 users/s, over its repeats."""

    level: Level
    repeats: tuple[RepeatOutcome, ...]
    """The repeats that count, at least one."""
    planned: int
    """Number of repeats in the plan."""
    pending: int = 0
    """Number of those that have not ended."""

    def count(self, outcome: Outcome) -> int:
        """Return the number of repeats with an outcome."""
        return sum(repeat.outcome is outcome for repeat in self.repeats)

    @cached_property
    def outcome(self) -> Outcome:
        """Passed if more than half of the repeats passed, missed if at least half missed."""
        if 2 * self.count(Outcome.PASSED) > len(self.repeats):
            return Outcome.PASSED
        is_missed = 2 * self.count(Outcome.MISSED) >= len(self.repeats)
        return Outcome.MISSED if is_missed else Outcome.UNDECIDED

    @property
    def is_undecided(self) -> bool:
        """Whether no repeat decides anything."""
        return self.count(Outcome.UNDECIDED) == len(self.repeats)

    @cached_property
    def deciding(self) -> RepeatOutcome:
        """The first repeat with that outcome, or the first of all if none has it."""
        agreeing = (repeat for repeat in self.repeats if repeat.outcome is self.outcome)
        return next(agreeing, self.repeats[0])

    @property
    def failure(self) -> CellFailed | None:
        """Why a replica exited, if that happened in at least half of the repeats."""
        failures = [repeat.failure for repeat in self.repeats if repeat.failure]
        return failures[0] if 2 * len(failures) >= len(self.repeats) else None

    @cached_property
    def checks(self) -> tuple[GoalCheck, ...]:
        """One check per goal: the median of the repeats, or the worse of the two in the middle."""
        checked = [repeat.checks for repeat in self.repeats if repeat.finished]
        return tuple(
            sorted(of_goal, key=lambda check: check.usage)[len(of_goal) // 2]
            for of_goal in zip(*checked, strict=True)
        )

    @cached_property
    def check(self) -> GoalCheck | None:
        """The check that determines the outcome. None without goals or results."""
        checks = [check for check in self.checks if check.outcome is self.outcome]
        if not checks:
            # The repeats missed different goals, so that the median of each goal passes.
            every = (check for repeat in self.repeats for check in repeat.checks)
            checks = [check for check in every if check.outcome is self.outcome]
        return tightest(checks)

    @cached_property
    def rates(self) -> tuple[float, ...]:
        """Successful requests per second of each repeat with results."""
        results = (repeat.finished for repeat in self.repeats)
        return tuple(result.completed / result.measured_s for result in results if result)

    @property
    def rps(self) -> float | None:
        """Median of successful requests per second. None if no repeat has results."""
        return median(self.rates) if self.rates else None


@dataclass(frozen=True, kw_only=True)  # no slots: cached properties need a __dict__
class LoadOutcome:
    """Outcome of one load, over all its spawn rates and repeats."""

    amount: float
    """`Level.amount`."""
    phrase: str
    """The load for people, such as `50 users`."""
    levels: tuple[LevelOutcome, ...]
    """At least one."""

    @cached_property
    def outcome(self) -> Outcome:
        """The worst outcome of all levels."""
        return worst_of(level.outcome for level in self.levels)

    @cached_property
    def worst(self) -> LevelOutcome:
        """The level that determines the outcome."""
        order = list(Outcome)

        def badness(level: LevelOutcome) -> tuple[int, bool, float]:
            usage = level.check.usage if level.check else -(level.rps or 0.0)
            return order.index(level.outcome), level.failure is not None, usage

        return max(self.levels, key=badness)

    @cached_property
    def slowest(self) -> LevelOutcome | None:
        """The level with the lowest throughput. None if no level has results."""
        known = [level for level in self.levels if level.rps is not None]
        return min(known, key=lambda level: level.rps or 0.0, default=None)

    @cached_property
    def check(self) -> GoalCheck | None:
        """The check that determines the outcome. None without goals or results."""
        return self.worst.check

    @property
    def failure(self) -> CellFailed | None:
        """The exit of a replica that determines the outcome, or None if the results do."""
        return self.worst.failure

    @property
    def rps(self) -> float | None:
        """Successful requests per second at every spawn rate: the lowest of all levels."""
        return self.slowest.rps if self.slowest else None

    @property
    def is_suspect(self) -> bool:
        """Whether the results that determine the outcome include suspect ones.

        All levels determine that a load passes, but only one that it does not.
        """
        levels = self.levels if self.outcome is Outcome.PASSED else (self.worst,)
        results = (repeat.finished for level in levels for repeat in level.repeats)
        return any(result and result.verdict is Verdict.SUSPECT for result in results)

    @property
    def is_divided(self) -> bool:
        """Whether the load passes at one spawn rate and misses at another."""
        return {Outcome.PASSED, Outcome.MISSED} <= {level.outcome for level in self.levels}

    @property
    def repeats_note(self) -> str:
        """How many planned repeats of the deciding level agree, as ` in 2 of 3 repeats`, or ''."""
        agreeing, planned = self.worst.count(self.outcome), self.worst.planned
        so_far = " so far" if self.worst.pending else ""
        return f" in {agreeing} of {planned} repeats{so_far}" if agreeing < planned else ""


def load_outcomes(
    cells: Iterable[CellState], goals: Goals, main: str | None = None
) -> tuple[LoadOutcome, ...]:
    """Return the outcomes of all loads with usable results, by ascending load.

    Args:
        cells: The cells of one number of models.
        goals: The goals of the profile.
        main: Name of its main requests. None: all requests.
    """
    cells = [cell for cell in cells if not cell.cell.recheck]
    planned = Counter(cell.cell.level.order for cell in cells)
    ended = Counter(cell.cell.level.order for cell in cells if cell.status in ENDED_STATUSES)
    groups: dict[float, dict[tuple[float, ...], list[RepeatOutcome]]] = {}
    for cell in cells:
        if repeat := _repeat(cell, goals, main):
            level = cell.cell.level
            groups.setdefault(level.amount, {}).setdefault(level.order, []).append(repeat)
    return tuple(
        LoadOutcome(
            amount=amount,
            phrase=next(iter(by_level.values()))[0].cell.cell.level.phrase,
            levels=tuple(
                LevelOutcome(
                    level=repeats[0].cell.cell.level,
                    repeats=tuple(repeats),
                    planned=planned[order],
                    pending=planned[order] - ended[order],
                )
                for order, repeats in sorted(by_level.items())
            ),
        )
        for amount, by_level in sorted(groups.items())
    )


def usable_results(cell: CellState) -> CellFinished | None:
    """Return the results of a cell if they are valid or suspect, otherwise None."""
    finished = cell.finished if cell.status is CellStatus.FINISHED else None
    return finished if finished and finished.verdict is not Verdict.INVALID else None


def replica_failure(cell: CellState) -> CellFailed | None:
    """Return the failure of a cell if a container or process of the service exited in it."""
    failed = cell.failed if cell.status is CellStatus.FAILED else None
    return failed if failed and (failed.container or failed.exit_code is not None) else None


def _repeat(cell: CellState, goals: Goals, main: str | None) -> RepeatOutcome | None:
    finished = usable_results(cell)
    if not (finished or replica_failure(cell)):
        return None
    checks = check_goals(finished, goals, main) if finished else ()
    results = results_of_name(finished, main) if finished else None
    return RepeatOutcome(cell=cell, finished=results, checks=checks)


def missing_phrases(cells: Sequence[CellState], loads: Sequence[LoadOutcome]) -> dict[float, str]:
    """Return the loads of a plan without usable results: the phrase by amount, ascending.

    Args:
        cells: The cells of one number of models.
        loads: The loads with usable results.
    """
    known = {load.amount for load in loads}
    planned = {cell.cell.level.amount: cell.cell.level.phrase for cell in cells}
    return {amount: planned[amount] for amount in sorted(planned) if amount not in known}
