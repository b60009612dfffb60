"""Match the cells of two runs by number of models and level, and find what one of them lacks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from loadbench.engine.comparison.model import METRICS, ComparedMetric, Loss, UnmatchedCell
from loadbench.engine.journal.events import Verdict
from loadbench.engine.journal.state import CellStatus
from loadbench.engine.profile.levels import Level
from loadbench.engine.profile.plan import Cell
from loadbench.engine.report.recommendation.subject import listed
from loadbench.engine.report.rows import Row
from loadbench.engine.run_reader import Run

BASELINE = "the baseline"
CANDIDATE = "the candidate"
"""Names of the two runs in texts."""

_USED = (Verdict.VALID, Verdict.SUSPECT)
_WORDS = {
    CellStatus.PENDING: "not measured",
    CellStatus.FAILED: "failed",
    CellStatus.SKIPPED: "skipped",
    Verdict.INVALID: "invalid",
}


@dataclass(frozen=True, slots=True)
class Repeats:
    """The repeats of a cell in one run."""

    planned: tuple[Row, ...] = ()

    @property
    def used(self) -> list[Row]:
        """The repeats with valid or suspect results and at least one successful request."""
        return [row for row in self.planned if row.verdict in _USED and (row.rps or 0) > 0]

    @property
    def has_most(self) -> bool:
        """Whether more than half of the planned repeats are used."""
        return self._is_most(len(self.used))

    def values(self, metric: ComparedMetric) -> list[float]:
        """Return the values of a metric, all above 0, of the repeats with enough requests for it.

        A journal may contain absurd values: other ones have no logarithm.
        """
        found = (
            getattr(row, metric.key)
            for row in self.used
            if metric.is_more_better or row.has_enough_samples(metric.key)
        )
        return [value for value in found if value is not None and value > 0]

    def has_most_of(self, metric: ComparedMetric) -> bool:
        """Whether more than half of the planned repeats have a value of a metric."""
        return self._is_most(len(self.values(metric)))

    def _is_most(self, number: int) -> bool:
        return 2 * number > len(self.planned)

    @property
    def status(self) -> str:
        """Why there are no used repeats: `failed`, or `failed and skipped`."""
        words = (
            _WORDS.get(row.verdict, "without successful requests")  # type: ignore[call-overload]
            for row in self.planned
        )
        return listed(list(dict.fromkeys(words))) if self.planned else "not planned"


@dataclass(frozen=True, slots=True)
class CellPair:
    """A cell in both runs."""

    models: int
    level: Level
    before: Repeats
    after: Repeats

    @property
    def key(self) -> str:
        """Key of the first repeat."""
        return Cell(models=self.models, level=self.level).key

    @property
    def is_matched(self) -> bool:
        """Whether both runs have usable results."""
        return bool(self.before.used and self.after.used)


def cell_pairs(before: Run, after: Run) -> list[CellPair]:
    """Return all cells of two runs, by models and level."""
    old, new = _repeats(before.rows), _repeats(after.rows)
    return [
        CellPair(*cell, old.get(cell, Repeats()), new.get(cell, Repeats()))
        for cell in sorted({**old, **new}, key=lambda cell: (cell[0], cell[1].order))
    ]


def unmatched_cell(pair: CellPair) -> UnmatchedCell:
    """Return why a cell that is not matched cannot be compared."""
    reasons = [
        f"{side.status} in {name}"
        for name, side in ((BASELINE, pair.before), (CANDIDATE, pair.after))
        if not side.used
    ]
    return UnmatchedCell(cell=pair.key, reason=", ".join(reasons))


def losses_of(pair: CellPair) -> Iterator[Loss]:
    """Yield what the candidate planned to measure and lacks, although the baseline has it.

    One repeat of three can fail by chance. If at least half fail, the rest are the lucky ones.
    """
    before, after = pair.before, pair.after
    planned = len(after.planned)
    if not (before.used and planned):
        return
    if not after.used:
        yield Loss(cell=pair.key, reason=f"{after.status} in {CANDIDATE}")
    elif before.has_most and not after.has_most:
        reason = f"{len(after.used)} of {planned} repeats have results in {CANDIDATE}"
        yield Loss(cell=pair.key, reason=reason)
    else:
        for metric in METRICS:
            if before.has_most_of(metric) and not after.has_most_of(metric):
                found = len(after.values(metric))
                repeats = f"{planned - found} of {planned} repeats of " if found else ""
                reason = f"too few requests in {repeats}{CANDIDATE}"
                yield Loss(cell=pair.key, reason=reason, metric=metric)


def _repeats(rows: Sequence[Row]) -> dict[tuple[int, Level], Repeats]:
    found: dict[tuple[int, Level], list[Row]] = {}
    for row in rows:
        if not row.is_recheck:
            found.setdefault((row.models, row.level), []).append(row)
    return {cell: Repeats(tuple(repeats)) for cell, repeats in found.items()}
