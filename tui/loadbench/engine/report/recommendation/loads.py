"""Whether a number of models carries a load, from all cells measured at it.

A load is an amount such as 50 users. It passes if it passes at every measured spawn rate. With
repeats, the majority decides, which for a goal is the same as comparing the median with its limit.
Suspect cells count, invalid cells do not. A cell whose replica exited counts as missed, because the
configuration did not survive the load.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from loadbench.engine.journal.events import CellFailed, CellFinished, Verdict
from loadbench.engine.journal.state import CellState, CellStatus
from loadbench.engine.profile.levels import Level
from loadbench.engine.profile.model import Goals
from loadbench.engine.report.recommendation.goals import (
    MIN_RPS,
    GoalCheck,
    Outcome,
    check_goals,
    set_goals,
    tightest,
    worst_of,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelOutcome:
    """Outcome of one level, such as 50 users at a spawn rate of 10 users/s, over its repeats."""

    level: Level
    outcome: Outcome
    checks: tuple[GoalCheck, ...]
    """One check per goal, with the median over the repeats."""
    rps: float | None
    """Median of successful requests per second. None if no repeat has results."""
    used: tuple[CellState, ...]
    """The repeats with usable results."""
    died: tuple[CellFailed, ...]
    """Failures of the repeats during which a replica exited."""
    passed: int
    """Number of repeats that passed."""

    @property
    def counted(self) -> int:
        """Number of repeats that count."""
        return len(self.used) + len(self.died)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOutcome:
    """Outcome of one load, over all its spawn rates and repeats."""

    amount: float
    """`Level.amount`."""
    phrase: str
    """The load for people, such as `50 users`."""
    levels: tuple[LevelOutcome, ...]

    @property
    def outcome(self) -> Outcome:
        """The worst outcome of all levels."""
        return worst_of(level.outcome for level in self.levels)

    @property
    def worst(self) -> LevelOutcome:
        """The level that determines the outcome."""
        order = list(Outcome)

        def badness(level: LevelOutcome) -> tuple[int, float]:
            check = tightest(level.checks)
            return order.index(level.outcome), check.usage if check else -(level.rps or 0.0)

        return max(self.levels, key=badness)

    @property
    def check(self) -> GoalCheck | None:
        """The check that determines the outcome, or None without goals."""
        return tightest(self.worst.checks)

    @property
    def failure(self) -> CellFailed | None:
        """The failure that determines the outcome, or None if the results do."""
        worst = self.worst
        return worst.died[0] if 2 * len(worst.died) > worst.counted else None

    @property
    def rps(self) -> float | None:
        """Successful requests per second at every spawn rate: the lowest of all levels."""
        known = [level.rps for level in self.levels if level.rps is not None]
        return min(known, default=None)

    @property
    def is_suspect(self) -> bool:
        """Whether the results that determine the outcome include suspect ones."""
        results = (usable_results(cell) for cell in self.worst.used)
        return any(result and result.verdict is Verdict.SUSPECT for result in results)

    @property
    def is_divided(self) -> bool:
        """Whether the spawn rates disagree."""
        return len({level.outcome for level in self.levels}) > 1

    @property
    def repeats_note(self) -> str:
        """How the repeats of the deciding level voted, such as `2 of 3 repeats`, or ''."""
        worst = self.worst
        agreeing = worst.passed if self.outcome is Outcome.PASSED else worst.counted - worst.passed
        if worst.counted < 2 or self.outcome is Outcome.UNDECIDED or agreeing == worst.counted:
            return ""
        return f"{agreeing} of {worst.counted} repeats"


def load_outcomes(cells: Iterable[CellState], goals: Goals) -> tuple[LoadOutcome, ...]:
    """Return the outcomes of all loads with usable results, by ascending load.

    Args:
        cells: The cells of one number of models.
        goals: The goals of the profile.
    """
    groups: dict[float, dict[tuple[float, ...], list[CellState]]] = {}
    for cell in cells:
        if not cell.cell.recheck and (usable_results(cell) or replica_failure(cell)):
            level = cell.cell.level
            groups.setdefault(level.amount, {}).setdefault(level.order, []).append(cell)
    return tuple(
        LoadOutcome(
            amount=amount,
            phrase=next(iter(by_level.values()))[0].cell.level.phrase,
            levels=tuple(_level(repeats, goals) for _, repeats in sorted(by_level.items())),
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


def _level(repeats: Sequence[CellState], goals: Goals) -> LevelOutcome:
    results = [(cell, finished) for cell in repeats if (finished := usable_results(cell))]
    died = tuple(failed for cell in repeats if (failed := replica_failure(cell)))
    checked = [check_goals(finished, goals) for _, finished in results]
    outcomes = [worst_of(check.outcome for check in checks) for checks in checked]
    outcomes += [Outcome.MISSED] * len(died)
    merged = tuple(
        _merge([checks[index] for checks in checked], deaths=len(died))
        for index in range(len(set_goals(goals)) if checked else 0)
    )
    survived = 2 * len(died) <= len(repeats)
    return LevelOutcome(
        level=repeats[0].cell.level,
        outcome=worst_of(check.outcome for check in merged) if survived else Outcome.MISSED,
        checks=merged,
        rps=median(r.completed / r.measured_s for _, r in results) if results else None,
        used=tuple(cell for cell, _ in results),
        died=died,
        passed=outcomes.count(Outcome.PASSED),
    )


def _merge(checks: Sequence[GoalCheck], deaths: int) -> GoalCheck:
    """Return the check of a goal over its repeats: the median value and the majority's outcome."""
    first = checks[0]
    worst = 0.0 if first.goal == MIN_RPS else math.inf
    known = [check.value for check in checks if check.value is not None]
    value = median([*known, *[worst] * deaths]) if known else None
    outcomes = [*(check.outcome for check in checks), *[Outcome.MISSED] * deaths]
    samples = min(check.samples for check in checks)
    for outcome in (Outcome.PASSED, Outcome.MISSED):
        if 2 * outcomes.count(outcome) > len(outcomes):
            return GoalCheck(first.goal, first.limit, value, outcome, samples)
    merged = GoalCheck(first.goal, first.limit, value, Outcome.UNDECIDED, samples)
    if Outcome.UNDECIDED in outcomes or value is None:
        return merged
    # An even number of repeats that is split in half: the median decides.
    outcome = Outcome.PASSED if merged.usage <= 1 else Outcome.MISSED
    return GoalCheck(first.goal, first.limit, value, outcome, samples)
