"""Match the cells of two runs by number of models and level."""

from collections.abc import Sequence
from dataclasses import dataclass

from loadbench.engine.comparison.model import UnmatchedCell
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
        return [row for row in self.planned if row.verdict in _USED and row.rps]

    @property
    def status(self) -> str:
        """Why there are no used repeats: `failed`, or `failed and skipped`."""
        words = (
            _WORDS.get(row.verdict, "without successful requests")  # type: ignore[call-overload]
            for row in self.planned
        )
        return listed(list(dict.fromkeys(words))) if self.planned else "not planned"


@dataclass(frozen=True, slots=True)
class MatchedCell:
    """A cell with usable results in both runs."""

    models: int
    level: Level
    before: Repeats
    after: Repeats

    @property
    def key(self) -> str:
        """Key of the first repeat."""
        return Cell(models=self.models, level=self.level).key


def match_cells(before: Run, after: Run) -> tuple[list[MatchedCell], list[UnmatchedCell]]:
    """Return the cells that can be compared and those that cannot, by models and level."""
    old, new = _repeats(before.rows), _repeats(after.rows)
    matched: list[MatchedCell] = []
    unmatched: list[UnmatchedCell] = []
    for models, level in sorted({**old, **new}, key=lambda cell: (cell[0], cell[1].order)):
        pair = old.get((models, level), Repeats()), new.get((models, level), Repeats())
        cell = MatchedCell(models, level, *pair)
        if pair[0].used and pair[1].used:
            matched.append(cell)
        else:
            unmatched.append(_unmatched(cell))
    return matched, unmatched


def _repeats(rows: Sequence[Row]) -> dict[tuple[int, Level], Repeats]:
    found: dict[tuple[int, Level], list[Row]] = {}
    for row in rows:
        if not row.is_recheck:
            found.setdefault((row.models, row.level), []).append(row)
    return {cell: Repeats(tuple(repeats)) for cell, repeats in found.items()}


def _unmatched(cell: MatchedCell) -> UnmatchedCell:
    reasons = [
        f"{side.status} in {name}"
        for name, side in ((BASELINE, cell.before), (CANDIDATE, cell.after))
        if not side.used
    ]
    is_lost = bool(cell.before.used and cell.after.planned)
    return UnmatchedCell(cell=cell.key, reason=", ".join(reasons), is_lost=is_lost)
